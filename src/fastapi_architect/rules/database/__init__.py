"""What goes wrong between the code and its data."""
