"""Answers without a model: one file a kind of request. Each asks the workbench and writes the six parts of what it said."""
