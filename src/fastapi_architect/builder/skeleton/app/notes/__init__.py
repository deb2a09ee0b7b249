"""Notes: an example of a domain, small enough to be replaced by yours."""
