output "outputs" {
  description = "The outputs of the stack: TopicArn, TableName, Mode, Version, Recipients and the queues."
  value       = aws_cloudformation_stack.loopbreaker.outputs
}
