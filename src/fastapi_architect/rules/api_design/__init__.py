"""What makes an HTTP interface surprising."""
