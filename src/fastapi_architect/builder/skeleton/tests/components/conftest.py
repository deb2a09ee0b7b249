"""Nothing of its own: the fixtures stand one folder up, so that all tests share the same servers."""
