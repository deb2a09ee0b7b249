"""`pytest --architect`: the review among the tests. Nothing of the engine is ever imported by the process of the tests."""
