#!/usr/bin/env bash
# By the construct, in a CDK app of one's own: here examples/cdk/app.py, whose stack is called Observability.
set -euo pipefail

python3 -m venv theirs
source theirs/bin/activate
pip install --quiet "loopbreaker[cdk] @ file://$(ls "$PWD"/dist/loopbreaker-*.whl)"

cdk bootstrap --app "python examples/cdk/app.py"
cdk deploy --app "python examples/cdk/app.py" --require-approval never

# SNS sent ops@example.com a link that has to be followed; until then the doctor says so.
loopctl doctor --stack Observability || true
loopctl drill --stack Observability

# Remove. The table stays, protected from deletion.
cdk destroy --app "python examples/cdk/app.py" --force
aws dynamodb list-tables --query 'TableNames' --output text
