"""What makes it hard to change."""
