"""When everything fails at once: the shipped handlers in a storm, with what they need failing too."""
