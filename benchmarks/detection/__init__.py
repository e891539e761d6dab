"""Detection: Loopbreaker and the rules that people use instead, on the same simulated event streams."""
