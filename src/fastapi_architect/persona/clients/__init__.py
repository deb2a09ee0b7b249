"""Where each client looks for agents and for MCP servers, and how both get there without touching what is somebody else's."""
