# Loopbreaker by Terraform: puts the zip and the template of one mode into a bucket, and drives the template.
# Why it does not list the resources again: docs/adr/0031-four-ways-one-template.md.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

locals {
  template = "${var.release}/loopbreaker-${var.action}.template.json"
  zip      = "${var.release}/${jsondecode(file(local.template)).Parameters.CodeKey.Default}"
  scope    = var.action == "alert" ? {} : { ActOn = join(",", var.act_on), NeverActOn = join(",", var.never_act_on) }
}

data "aws_s3_bucket" "release" {
  bucket = var.bucket
}

# What is new has a new key, and what is old is deleted last: a stack whose update fails goes back to the old zip.

resource "aws_s3_object" "functions" {
  bucket = data.aws_s3_bucket.release.id
  key    = "${var.prefix}${filemd5(local.zip)}.zip"
  source = local.zip

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_s3_object" "template" {
  bucket = data.aws_s3_bucket.release.id
  key    = "${var.prefix}${filemd5(local.template)}.template.json"
  source = local.template

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_cloudformation_stack" "loopbreaker" {
  name         = var.stack_name
  template_url = "https://${data.aws_s3_bucket.release.bucket_regional_domain_name}/${aws_s3_object.template.key}"
  capabilities = ["CAPABILITY_IAM"]

  parameters = merge(local.scope, {
    CodeBucket       = var.bucket
    CodeKey          = aws_s3_object.functions.key
    Mail             = var.mail
    Hub              = var.hub
    Policy           = join(",", [for key, value in var.policy : "${key}=${value}"])
    LogRetentionDays = var.log_retention_days
  })
}
