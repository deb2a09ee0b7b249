"""What does a local name stand for, when it is bound only once in its body?"""

from __future__ import annotations

from typing import Any

from fastapi_architect.program.definitions import Scope
from fastapi_architect.syntax import ir


def assigned_once(expr: Any, scope: Scope) -> Any:
    """The expression that a name was bound to once in the same body, else the expression itself."""
    if expr.__class__ is ir.Name:
        bindings = scope.facts.bindings.get(expr.id, ())
        if len(bindings) == 1 and bindings[0].kind in ("assign", "annotated") and not bindings[0].path:
            return bindings[0].value if bindings[0].value is not None else expr
    return expr
