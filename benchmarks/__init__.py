"""Benchmarks: what Loopbreaker finds, and what it costs. Results are kept in `results`."""
