#!/usr/bin/env bash
# By the CDK app, in a checkout in which `make install` was run and whose .venv is active.
set -euo pipefail

cdk bootstrap
cdk deploy --require-approval never -c mail=ops@example.com

# SNS sent ops@example.com a link that has to be followed; until then the doctor says so.
loopctl doctor || true
loopctl drill

# Another mode, and an upgrade, are a deployment over the one that is there.
cdk deploy --require-approval never -c mail=ops@example.com -c action=stop -c 'never_act_on=prod/payments'
loopctl doctor || true

# Remove. The table stays, protected from deletion.
cdk destroy --force
aws dynamodb list-tables --query 'TableNames' --output text
