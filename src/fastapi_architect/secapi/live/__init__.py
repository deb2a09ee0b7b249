"""Live progress: a socket that tells what happens to a scan, from a cursor on, without a gap and without a repetition."""
