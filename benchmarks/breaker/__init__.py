"""What Loopbreaker does to a service, measured against the same service without it."""
