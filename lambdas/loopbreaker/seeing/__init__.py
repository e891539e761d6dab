"""What ECS says, read: events to task states, stops to causes."""
