"""Why no record was written. Every message names the next step."""

from __future__ import annotations


class RecordError(Exception):
    """The record cannot be written or read; nothing was changed."""
