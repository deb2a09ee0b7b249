"""What SecAPI costs beside the same work written by hand."""
