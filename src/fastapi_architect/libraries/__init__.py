"""Libraries described in concepts: one file a library. The only place where their names are known."""
