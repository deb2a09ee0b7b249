"""Reports: what a scan found, with what people decided about it, as a file that workers make and members download."""
