"""Values that are known without running: literals carried across names, modules, settings and f-strings."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from fastapi_architect.program.definitions import Class, Scope
from fastapi_architect.program.types import ClassRef, External, Instance, options
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.syntax import ir

if TYPE_CHECKING:
    from fastapi_architect.program.type_inference import TypeInference


class Unknown:
    """The value of an expression that is not known; there is one, `UNKNOWN`."""

    def __repr__(self) -> str:
        return "UNKNOWN"

    def __bool__(self) -> bool:
        return False


UNKNOWN: Final = Unknown()

#: Functions that read the environment: (position of the default, its keyword).
_ENVIRONMENT = {
    "os.getenv": (1, "default"),
    "os.environ.get": (1, "default"),
    "decouple.config": (1, "default"),
    "starlette.config.Config.__call__": (2, "default"),
}
_MAX_DEPTH = 30
#: Expressions looked at for one value, and signs or digits that a computed one may have: hostile code grows without end.
_MAX_STEPS = 20_000
_MAX_LENGTH = 100_000
_MAX_BITS = 4096
#: A width in a format that would fill the memory, or one that is computed.
_WIDE = lazy_pattern(r"%[^a-zA-Z%]*(?:\*|\d{4})|\{[^{}]*[:.\[][^{}]*(?:\{|\d{4})")
_FAILURES = (TypeError, ValueError, ArithmeticError, LookupError, AttributeError)


class Constants:
    """Evaluates expressions."""

    def __init__(self, inference: TypeInference) -> None:
        self._inference = inference
        self._depth = 0
        self._steps = 0
        #: Values of names by identity of their expression, which is kept with it so that it stays that of one.
        self._known: dict[int, tuple[ir.Expr, Any]] = {}
        #: Those in work: in `x = x or other` the name's value needs itself.
        self._in_work: set[int] = set()
        #: How often an evaluation stopped short; what was found meanwhile holds only where it was asked.
        self._cuts = 0

    def value(self, expr: ir.Expr | None, scope: Scope, bound: dict[str, Any] | None = None) -> Any:
        """The Python value of `expr`, or `UNKNOWN`. A default of the environment counts as the value.

        Args:
            expr: the expression.
            scope: where it is read.
            bound: values of names that the caller knows better (arguments of a factory, a loop's variable).
        """
        if expr is None:
            return UNKNOWN
        self._steps = self._steps + 1 if self._depth else 0
        if self._depth > _MAX_DEPTH or self._steps > _MAX_STEPS:
            self._cuts += 1
            return UNKNOWN
        self._depth += 1
        try:
            evaluate = _EVALUATE.get(expr.__class__)
            return evaluate(self, expr, scope, bound or {}) if evaluate is not None else UNKNOWN
        finally:
            self._depth -= 1

    def string(self, expr: ir.Expr | None, scope: Scope, bound: dict[str, Any] | None = None) -> str | None:
        """The value when it is a string, else None."""
        value = self.value(expr, scope, bound)
        return value if isinstance(value, str) else None

    def _constant(self, expr: ir.Constant, _scope: Scope, _bound: dict[str, Any]) -> Any:
        if expr.kind in ("ellipsis", "complex"):
            return UNKNOWN
        if expr.kind == "bytes":
            return str(expr.value).encode("latin-1", "replace")
        if expr.kind == "int" and isinstance(expr.value, str):
            return self._converted("builtins.int", expr.value)
        return expr.value

    def _name(self, expr: ir.Name, scope: Scope, bound: dict[str, Any]) -> Any:
        if expr.id in bound:
            return bound[expr.id]
        return self._of_bindings(expr, scope)

    def _of_bindings(self, expr: ir.Expr, scope: Scope) -> Any:
        found = self._inference.bindings_of(expr, scope)
        if found is None:
            return UNKNOWN
        owner, bindings = found
        values = [b for b in bindings if b.kind in ("assign", "annotated", "parameter") and not b.path]
        if len(values) != len(bindings) or not values:
            return UNKNOWN
        results = [self._of_binding(b.value, owner) for b in values if b.value is not None]
        first = results[0] if results else UNKNOWN
        return first if all(r == first and r.__class__ is first.__class__ for r in results) else UNKNOWN

    def _of_binding(self, value: ir.Expr, owner: Scope) -> Any:
        key = id(value)
        if key in self._known:
            return self._known[key][1]
        if key in self._in_work:
            self._cuts += 1
            return UNKNOWN
        self._in_work.add(key)
        cuts = self._cuts
        try:
            found = self._of_default(value, owner)
        finally:
            self._in_work.discard(key)
        if self._cuts == cuts and not isinstance(found, list | tuple | dict) and self._inference.is_idle:
            # Lists of lists are counted anew each time: kept ones would share parts and grow without a step.
            self._known[key] = (value, found)
        return found

    def _of_default(self, value: ir.Expr, owner: Scope) -> Any:
        """A class attribute's value; `Field(default=...)` of a settings class means its default."""
        if isinstance(owner, Class) and isinstance(value, ir.Call):
            for keyword in value.keywords:
                if keyword.arg == "default":
                    return self.value(keyword.value, owner)
            if value.args and _is_field(value):
                return self.value(value.args[0], owner)
        return self.value(value, owner)

    def _attribute(self, expr: ir.Attribute, scope: Scope, bound: dict[str, Any]) -> Any:
        found = self._of_bindings(expr, scope)
        if found is not UNKNOWN:
            return found
        if expr.attr == "value" and isinstance(expr.value, ir.Attribute):
            for of in options(self._inference.type_of(expr.value.value, scope)):
                if isinstance(of, ClassRef) and self._inference.hierarchy.is_subclass(of.cls, "enum.Enum"):
                    return self._attribute(expr.value, scope, bound)
        for of in options(self._inference.type_of(expr.value, scope)):
            if isinstance(of, Instance | ClassRef) and isinstance(of.cls, Class):
                if expr.attr == "value" and isinstance(expr.value, ir.Attribute):
                    return self._attribute(expr.value, scope, bound)  # Enum member's value
                for value, method in self._inference.attribute_assignments(of.cls, expr.attr):
                    return self.value(value, method) if value is not None else UNKNOWN
        return UNKNOWN

    def _joined(self, expr: ir.JoinedStr, scope: Scope, bound: dict[str, Any]) -> Any:
        parts = []
        for part in expr.values:
            if isinstance(part, ir.FormattedValue):
                if part.format_spec is not None or part.conversion not in ("", "s"):
                    return UNKNOWN
                part = part.value
            text = self._converted("builtins.str", self.value(part, scope, bound))
            if text is UNKNOWN:
                return UNKNOWN
            parts.append(text)
        return _kept("".join(parts))

    def _bin_op(self, expr: ir.BinOp, scope: Scope, bound: dict[str, Any]) -> Any:
        left = self.value(expr.left, scope, bound)
        right = self.value(expr.right, scope, bound)
        if left is UNKNOWN or right is UNKNOWN:
            return UNKNOWN
        try:
            return _kept(self._computed(expr.op, left, right))
        except _FAILURES:
            return UNKNOWN

    def _computed(self, op: str, left: Any, right: Any) -> Any:
        if op == "+":
            return left + right
        if op == "*" and isinstance(left, int | float) and isinstance(right, int | float):
            return left * right
        if op == "-":
            return left - right
        if op == "%" and isinstance(left, str) and not _WIDE.search(left):
            return left % right
        if op == "/":
            return left / right
        if op == "//":
            return left // right
        if op == "**" and abs(right) < 64:
            return left**right
        return UNKNOWN

    def _sequence(self, expr: ir.Sequence, scope: Scope, bound: dict[str, Any]) -> Any:
        values: list[Any] = []
        for element in expr.elts:
            if isinstance(element, ir.Starred):
                inner = self.value(element.value, scope, bound)
                if not isinstance(inner, list | tuple):
                    return UNKNOWN
                values += inner
                continue
            value = self.value(element, scope, bound)
            if value is UNKNOWN:
                return UNKNOWN
            values.append(value)
        return tuple(values) if expr.kind == "tuple" else values

    def _dict(self, expr: ir.Dict, scope: Scope, bound: dict[str, Any]) -> Any:
        result: dict[Any, Any] = {}
        for key, value in zip(expr.keys, expr.values, strict=True):
            known = self.value(key, scope, bound)
            each = self.value(value, scope, bound)
            try:
                result[known] = each
            except TypeError:  # a list as a key, or a tuple with one inside
                return UNKNOWN
            if known is UNKNOWN:
                return UNKNOWN
        return result

    def _unary(self, expr: ir.UnaryOp, scope: Scope, bound: dict[str, Any]) -> Any:
        value = self.value(expr.operand, scope, bound)
        if expr.op == "-" and isinstance(value, int | float):
            return -value
        if expr.op == "not" and value is not UNKNOWN:
            return not value
        return UNKNOWN

    def _call(self, expr: ir.Call, scope: Scope, bound: dict[str, Any]) -> Any:
        func = expr.func
        if isinstance(func, ir.Attribute) and not expr.keywords and func.attr in _STRING_METHODS:
            base = self.value(func.value, scope, bound)
            arguments = [self.value(a, scope, bound) for a in expr.args]
            if isinstance(base, str) and UNKNOWN not in arguments:
                return self._called(base, func.attr, arguments)
        for of in options(self._inference.type_of(func, scope)):
            name = of.name if isinstance(of, External) else ""
            if name in _ENVIRONMENT:
                position, keyword = _ENVIRONMENT[name]
                for each in expr.keywords:
                    if each.arg == keyword:
                        return self.value(each.value, scope, bound)
                return self.value(expr.args[position], scope, bound) if len(expr.args) > position else UNKNOWN
            if (
                isinstance(of, ClassRef)
                and of.name in ("builtins.str", "builtins.int")
                and len(expr.args) == 1
            ):
                return self._converted(of.name, self.value(expr.args[0], scope, bound))
        return UNKNOWN

    def _called(self, base: str, method: str, arguments: list[Any]) -> Any:
        sizes = [len(a) for a in arguments if isinstance(a, str | list | tuple)]
        if len(base) * max(sizes, default=1) > _MAX_LENGTH or (method == "format" and _WIDE.search(base)):
            return UNKNOWN
        try:
            return _kept(getattr(base, method)(*arguments))
        except _FAILURES:
            return UNKNOWN

    def _converted(self, name: str, value: Any) -> Any:
        if value is UNKNOWN:
            return UNKNOWN
        try:
            return str(value) if name == "builtins.str" else int(value)
        except _FAILURES:
            return UNKNOWN

    def _bool_op(self, expr: ir.BoolOp, scope: Scope, bound: dict[str, Any]) -> Any:
        """`os.getenv("X") or "default"`: the last operand when the others are not known."""
        values = [self.value(v, scope, bound) for v in expr.values]
        known = [v for v in values if v is not UNKNOWN]
        if expr.op == "or":
            truthy = [v for v in known if v]
            return truthy[0] if truthy else values[-1]
        if len(known) == len(values):
            return next((v for v in values if not v), values[-1])
        return UNKNOWN


def _kept(value: Any) -> Any:
    """A computed value, or `UNKNOWN` when it has grown out of proportion."""
    if isinstance(value, int):
        return value if value.bit_length() <= _MAX_BITS else UNKNOWN
    return UNKNOWN if isinstance(value, str | list | tuple) and len(value) > _MAX_LENGTH else value


def _is_field(call: ir.Call) -> bool:
    name = call.func.attr if isinstance(call.func, ir.Attribute) else getattr(call.func, "id", "")
    return name in ("Field", "field", "PrivateAttr")


_STRING_METHODS = frozenset(
    "lower upper strip lstrip rstrip replace format join title capitalize removesuffix removeprefix".split()
)

_EVALUATE: dict[type[ir.Node], Callable[[Constants, Any, Scope, dict[str, Any]], Any]] = {
    ir.Constant: Constants._constant,
    ir.Name: Constants._name,
    ir.Attribute: Constants._attribute,
    ir.JoinedStr: Constants._joined,
    ir.BinOp: Constants._bin_op,
    ir.Sequence: Constants._sequence,
    ir.Dict: Constants._dict,
    ir.UnaryOp: Constants._unary,
    ir.Call: Constants._call,
    ir.BoolOp: Constants._bool_op,
    ir.NamedExpr: lambda self, expr, scope, bound: self.value(expr.value, scope, bound),
}
