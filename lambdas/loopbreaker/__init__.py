"""Loopbreaker's core: what a restart loop is, what to do about it, what to say of it."""

VERSION = "0.1.0"
"""Of everything that is released together: the package, the stack, the command line, the templates."""

STACK = "Loopbreaker"
"""The name that the stack has where nobody gave it another."""
