"""What a request costs: a generated service beside hand-written ones, in one run."""
