"""The vocabulary of results: what was found, how bad, how sure, shown how, and mended how."""
