"""Search."""

import os

INDEX = os.environ.get("SEARCH_INDEX", "books")
