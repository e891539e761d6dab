"""A year of many services, on a virtual clock: what is left of it in the end."""
