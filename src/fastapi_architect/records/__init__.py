"""What a project remembers of its decisions, and of what was asked of this tool."""
