"""What a script says and does: services and their software, failures, people, ordinary life, scaling."""
