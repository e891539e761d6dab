"""What there is: the clock, the things and their state, and the truth about who is served."""
