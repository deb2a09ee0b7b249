"""What holds up or breaks an event loop."""
