"""The operators' command line: what Loopbreaker would have said of recorded events, and why."""
