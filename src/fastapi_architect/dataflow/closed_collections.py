"""Collections whose members are written down in the program: a value that is found in one is one of them."""

from __future__ import annotations

from typing import Any

from fastapi_architect.dataflow.clean_types import CleanTypes
from fastapi_architect.program.constants import UNKNOWN
from fastapi_architect.program.definitions import Scope
from fastapi_architect.program.program import Program
from fastapi_architect.program.types import ClassRef, options
from fastapi_architect.syntax import ir

_COPIES = frozenset(
    {"frozenset", "set", "tuple", "list", "dict", "sorted", "MappingProxyType", "OrderedDict"}
)
_MAX_DEPTH = 6


class ClosedCollections:
    """Judges expressions."""

    def __init__(self, program: Program, clean_types: CleanTypes) -> None:
        self._program = program
        self._inference = program.inference
        self._clean_types = clean_types

    def is_constant(self, expr: ir.Expr, scope: Scope) -> bool:
        """A text or number that is written down."""
        if expr.__class__ is ir.Constant:
            return expr.kind in ("str", "int", "float", "bool", "bytes")
        return expr.__class__ in (ir.Name, ir.Attribute) and isinstance(
            self._program.constants.value(expr, scope), str | int | float
        )

    def is_closed(self, expr: Any, scope: Scope, depth: int = 0) -> bool:
        """A collection whose members are written down in the program."""
        if depth > _MAX_DEPTH:
            return False
        kind = expr.__class__
        if kind is ir.Sequence or kind is ir.Dict:
            value = self._program.constants.value(expr, scope)
            if value is not UNKNOWN:
                return bool(value)
            keys = expr.elts if kind is ir.Sequence else expr.keys
            return bool(keys) and all(k is not None and self._is_member(k, scope, depth) for k in keys)
        if kind is ir.Call:
            return self._is_closed_call(expr, scope, depth)
        if kind is ir.Comprehension:
            return all(self._is_enumeration(g.iter, scope, depth) for g in expr.generators)
        if kind is ir.BinOp and expr.op in ("|", "+", "&", "-"):
            return self.is_closed(expr.left, scope, depth + 1) and (
                expr.op in ("&", "-") or self.is_closed(expr.right, scope, depth + 1)
            )
        if kind is ir.Attribute and expr.attr in ("__members__", "_value2member_map_", "_member_names_"):
            return True
        if kind is ir.Name or kind is ir.Attribute:
            return self._is_closed_name(expr, scope, depth)
        return False

    def _is_member(self, expr: Any, scope: Scope, depth: int) -> bool:
        if expr.__class__ is ir.Starred:
            return self.is_closed(expr.value, scope, depth + 1)
        return self.is_constant(expr, scope) or self._clean_types.is_clean(
            self._inference.type_of(expr, scope)
        )

    def _is_closed_name(self, expr: Any, scope: Scope, depth: int) -> bool:
        found = self._inference.bindings_of(expr, scope)
        if found is not None:
            owner, bindings = found
            if len(bindings) == 1 and bindings[0].kind in ("assign", "annotated") and not bindings[0].path:
                return bindings[0].value is not None and self.is_closed(bindings[0].value, owner, depth + 1)
        return self._is_enumeration(expr, scope, depth + 1, only_class=True)

    def _is_closed_call(self, expr: ir.Call, scope: Scope, depth: int) -> bool:
        func = expr.func
        if func.__class__ is ir.Attribute and func.attr in ("keys", "values", "items", "copy", "union"):
            return self.is_closed(func.value, scope, depth + 1)
        name = func.attr if func.__class__ is ir.Attribute else getattr(func, "id", "")
        if name == "get_args" and len(expr.args) == 1:
            return True
        return name in _COPIES and len(expr.args) == 1 and self._is_enumeration(expr.args[0], scope, depth)

    def _is_enumeration(self, expr: Any, scope: Scope, depth: int, *, only_class: bool = False) -> bool:
        """An `Enum` class, or a closed collection."""
        for of in options(self._inference.type_of(expr, scope)):
            if isinstance(of, ClassRef) and self._inference.hierarchy.is_subclass(of.cls, "enum.Enum"):
                return True
        return not only_class and self.is_closed(expr, scope, depth + 1)
