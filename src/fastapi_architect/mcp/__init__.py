"""The reviewer for AI agents: one file a tool of the Model Context Protocol (extra `[mcp]`)."""
