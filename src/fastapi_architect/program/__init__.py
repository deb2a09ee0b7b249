"""The understood program: modules, symbols, types and calls. Knows Python, and no library."""
