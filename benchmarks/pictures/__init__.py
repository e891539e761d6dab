"""`make pictures`: five very different incidents, lived on the simulated ECS with Loopbreaker beside it, and drawn."""
