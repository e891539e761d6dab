"""Loopbreaker's core: what a restart loop is, what to do about it, what to say of it."""
