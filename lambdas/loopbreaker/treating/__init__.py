"""What to do about a loop: facts, the decision, the breaker's steps."""
