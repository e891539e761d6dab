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
  zip      = one(fileset(var.release, "loopbreaker-*.zip"))
  scope    = var.action == "alert" ? {} : { ActOn = join(",", var.act_on), NeverActOn = join(",", var.never_act_on) }
}

resource "aws_s3_object" "functions" {
  bucket      = var.bucket
  key         = "${var.prefix}${local.zip}"
  source      = "${var.release}/${local.zip}"
  source_hash = filemd5("${var.release}/${local.zip}")
}

resource "aws_s3_object" "template" {
  bucket      = var.bucket
  key         = "${var.prefix}${filemd5(local.template)}.template.json"
  source      = local.template
  source_hash = filemd5(local.template)
}

resource "aws_cloudformation_stack" "loopbreaker" {
  name         = var.stack_name
  template_url = "https://${var.bucket}.s3.${data.aws_region.here.name}.${data.aws_partition.here.dns_suffix}/${aws_s3_object.template.key}"
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

data "aws_region" "here" {}

data "aws_partition" "here" {}
