"""Archives of strangers, taken apart so that nothing in them can act: read member by member, stored under generated names."""
