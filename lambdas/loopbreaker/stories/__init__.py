"""What each function does from beginning to end, over ports."""
