"""Text: the tree under review, places in it, comments, ignores and edits."""
