#!/usr/bin/env bash
# By the CloudFormation template alone: no CDK, no bootstrap. `make release` wrote dist/; dist.older/ is an older release.
set -euo pipefail
bucket=$1

deploy() {
  aws s3 cp --quiet "$1"/loopbreaker-*.zip "s3://$bucket/$2"
  aws cloudformation deploy --stack-name Loopbreaker --capabilities CAPABILITY_IAM \
    --template-file "$1/loopbreaker-alert.template.json" --s3-bucket "$bucket" \
    --parameter-overrides "CodeBucket=$bucket" "CodeKey=$2" Mail=ops@example.com
}

# Install.
aws s3 mb "s3://$bucket"
deploy dist.older older.zip

# Does it work? SNS sent ops@example.com a link that has to be followed; until then the doctor says so.
loopctl doctor || true

# Upgrade: the newer template on the same stack. What is remembered stays.
deploy dist newer.zip
loopctl doctor || true

# Does a message arrive?
loopctl drill
loopctl status

# Remove. The table stays, protected from deletion; the last two lines delete that too.
table=$(aws cloudformation describe-stacks --stack-name Loopbreaker --output text \
  --query "Stacks[0].Outputs[?OutputKey=='TableName'].OutputValue")
aws cloudformation delete-stack --stack-name Loopbreaker
aws cloudformation wait stack-delete-complete --stack-name Loopbreaker
aws dynamodb describe-table --table-name "$table" --query Table.TableStatus --output text
aws dynamodb update-table --table-name "$table" --no-deletion-protection-enabled >/dev/null
aws dynamodb delete-table --table-name "$table" >/dev/null
