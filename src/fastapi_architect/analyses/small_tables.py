"""Which tables stay small: lookups and settings, by their names."""

from __future__ import annotations

import re

_SMALL = re.compile(
    r"role|permission|config|setting|countr|currenc|language|categor|plan|tenant|organi[sz]ation|workspace|provider|"
    r"feature|flag|option|template|migration|version|enum|lookup|dict|menu|dept|department|preference|policy|connector|"
    r"type$|api_?key",
    re.IGNORECASE,
)


def stays_small(name: str) -> bool:
    """The name of a table or a model says that its rows are few."""
    return _SMALL.search(name) is not None
