"""Questions that many rules ask, one file each."""
