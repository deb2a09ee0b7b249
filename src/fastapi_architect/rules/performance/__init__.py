"""What makes it slow."""
