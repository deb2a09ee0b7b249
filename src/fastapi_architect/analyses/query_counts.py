"""How many rows does a request come to handle, and how is that said? "1 + 3n queries, up to 301 with `limit=100`"."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from fastapi_architect.appgraph.path_operations import PathOperation

#: Rows of a page when nothing says how many.
_PAGE = 100
_SIZES = ("limit", "size", "page_size", "per_page", "take", "count", "top", "first")


class Rows(msgspec.Struct, frozen=True):
    """A number of rows: the name of the parameter that says it, "" when nothing does, and the number."""

    parameter: str
    number: int

    @property
    def text(self) -> str:
        """`limit=50` or "100 rows"."""
        return f"`{self.parameter}={self.number}`" if self.parameter else f"{self.number} rows"


def page_of(operations: Iterable[PathOperation], limit: int | None = None) -> Rows:
    """Rows of a page of the first operation that names a size, or of the statement's own limit, or a usual number."""
    for operation in operations:
        for parameter in operation.all_parameters():
            if parameter.name in _SIZES:
                value = getattr(getattr(parameter, "default", None), "value", None)
                if isinstance(value, int) and not isinstance(value, bool) and value > 0:
                    return Rows(parameter.name, value)
                return Rows(parameter.name, _PAGE)
    return Rows("", limit) if limit is not None and limit > 0 else Rows("", _PAGE)


def per_row(factor: int) -> str:
    """`1 + n` or `1 + 3n`."""
    return "1 + n" if factor == 1 else f"1 + {factor}n"
