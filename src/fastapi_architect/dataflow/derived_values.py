"""What a local name was computed from: a check of `host` says something of `url` after `host = urlparse(url).hostname`."""

from __future__ import annotations

from typing import Any

from fastapi_architect.program.definitions import Binding, Scope
from fastapi_architect.syntax import ir

_BINDING = ("assign", "annotated", "walrus")
#: Longest chain of names that is followed back.
MAX_DEPTH = 6


def computed_from(name: str, scope: Scope, before: ir.Node | None = None) -> Binding | None:
    """The binding that gives a name its whole value by an assignment.

    It is the only one; with `before` the last one that stands before a place, where others are assignments as well.
    """
    bindings = scope.facts.bindings.get(name, ())
    if before is None:
        return bindings[0] if len(bindings) == 1 and _gives_all(bindings[0]) else None
    found = None
    for binding in bindings:
        if binding.kind == "parameter" or binding.node.span >= before.span:
            continue
        if not _gives_all(binding):
            return None
        found = binding
    return found


def _gives_all(binding: Binding) -> bool:
    return binding.kind in _BINDING and not binding.path and binding.value is not None


def is_unchanged_since(name: str, place: ir.Node | None, scope: Scope, until: ir.Node | None = None) -> bool:
    """A name still is what it was at an earlier place: nothing binds it between there and `until` (else, the end)."""
    if place is None:
        return True
    return all(
        binding.kind == "parameter"
        or binding.node.span < place.span
        or (until is not None and binding.node.span > until.span)
        for binding in scope.facts.bindings.get(name, ())
    )


def constant_text(expr: Any) -> str | None:
    """A text that is written down."""
    return str(expr.value) if expr.__class__ is ir.Constant and expr.kind == "str" else None
