"""What may go wrong between a client and a server, each with the next step in its message."""

from __future__ import annotations


class ScanRefused(Exception):
    """The server works, and does not take this request: the caller's to mend."""


class ServerFailed(Exception):
    """The server cannot be reached, fails, or is none that this version understands."""


class ScanFailed(Exception):
    """The scan was accepted and came to no result."""
