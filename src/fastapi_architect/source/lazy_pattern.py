"""Regular expressions that are compiled when they are first used.

The modules of a review hold some 300 of them and a tree asks for a fraction; compiling all at import took longer than
parsing 5,000 lines.
"""

from __future__ import annotations

import re
from typing import Any, AnyStr, cast


def lazy_pattern(text: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """As `re.compile`, for patterns of a module: a mistake in `text` shows at the first use only, so each has a test.

    Returns:
        what has the methods and attributes of a compiled pattern, but is no instance of `re.Pattern`.
    """
    return cast("re.Pattern[AnyStr]", _Uncompiled(text, flags))


class _Uncompiled:
    """Stands for a pattern; each method is looked up in the compiled one once and then is the object's own."""

    def __init__(self, text: Any, flags: int) -> None:
        self._text, self._flags = text, flags

    def __getattr__(self, name: str) -> Any:
        # Methods are reached by their plain names; `copy`, `pickle` and `inspect` ask for the others.
        if name.startswith("_"):
            raise AttributeError(name)
        # `re` keeps what it compiled, so that the next method finds the same pattern.
        value = getattr(re.compile(self._text, self._flags), name)
        setattr(self, name, value)
        return value
