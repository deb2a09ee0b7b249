"""What is told to those who should not know."""
