"""Blocks of the how-to pages, taken out as a reader would copy them."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def copied(page: str, file: str) -> list[str]:
    """The blocks of a page that say they are this file."""
    text = (ROOT / "docs" / "how-to" / page).read_text("utf-8")
    found = re.findall(rf"^```yaml\n(# {re.escape(file)}\n.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert found, f"{page} has no block for {file}"
    return found
