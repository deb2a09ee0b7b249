"""The work behind the service: what was given up, and numbers about all of it."""
