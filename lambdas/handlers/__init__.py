"""What AWS calls: parse, call one story, return."""
