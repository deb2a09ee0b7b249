"""Why there is no definition."""

from __future__ import annotations


class NoSuchAgent(Exception):
    """There is no agent of that name; the message names the nearest one."""
