"""A backend's vocabulary, free of library names: what happens at a place, whoever's function does it."""
