"""Texts of strangers in the room that there is for them. What is cut says so."""

from __future__ import annotations

import hashlib


def fitting(text: str, most: int) -> str:
    """The text without NUL, which no database holds; one that is longer ends with how much is missing."""
    text = text.replace("\0", "\ufffd")
    if len(text) <= most:
        return text
    told = f"… ({len(text) - most:,} characters more)"
    return text[: most - len(told)] + told


def naming(text: str, most: int) -> str:
    """A text that identifies something: one that is longer keeps its difference from others as a digest."""
    text = text.replace("\0", "\ufffd")
    if len(text) <= most:
        return text
    return f"{text[: most - 17]}~{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"
