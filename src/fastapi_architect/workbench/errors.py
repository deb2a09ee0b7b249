"""Why a question has no answer."""

from __future__ import annotations


class WorkbenchError(Exception):
    """What was asked for cannot be done; the message says why and names the next step."""
