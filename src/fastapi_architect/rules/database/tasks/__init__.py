"""Work handed to a queue."""
