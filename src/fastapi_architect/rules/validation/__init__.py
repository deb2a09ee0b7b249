"""What lets bad input in or hides errors."""
