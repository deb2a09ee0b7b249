"""The pipeline: from a tree and a configuration to a `Review`."""
