"""What is told without being asked: events, and the road on which they travel."""
