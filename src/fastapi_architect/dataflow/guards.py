"""What a test says about a value once it has been passed: the exact predicate it is, and nothing more.

`x in ALLOWED` with a closed, literal `ALLOWED`, `x == "constant"`, a whole match of a pattern that allows no dangerous
character, `x.isalnum()`, `isinstance(x, int)`. Combined by `not`, `and`, `or`, `all`; through one-line predicates of the
program; through a variable that holds the test's result. The caller decides where a test counts: on the edges of the
flow graph, hence never for an `assert` or a result that is thrown away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi_architect.dataflow.access_path import AccessPath, exact_path
from fastapi_architect.dataflow.clean_types import CleanTypes
from fastapi_architect.dataflow.patterns import is_closed_by_itself, is_harmless
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.constants import UNKNOWN
from fastapi_architect.program.definitions import Function, Scope
from fastapi_architect.program.types import ClassRef, External, FunctionRef, Instance, options
from fastapi_architect.syntax import ir

if TYPE_CHECKING:
    from fastapi_architect.dataflow.taint import TaintQuery
    from fastapi_architect.program.program import Program

#: A path is clean for the kinds of the mask.
Checked = dict[AccessPath, int]

_CHARACTER_TESTS = frozenset({"isalnum", "isalpha", "isdigit", "isdecimal", "isnumeric", "isidentifier"})
_CASE_CHANGES = frozenset({"lower", "upper", "casefold", "title", "capitalize"})
_COPIES = frozenset(
    {"frozenset", "set", "tuple", "list", "dict", "sorted", "MappingProxyType", "OrderedDict"}
)
_MAX_DEPTH = 6


class Guards:
    """Reads tests in terms of access paths; answers are kept by the test's identity."""

    def __init__(self, program: Program, query: TaintQuery, clean_types: CleanTypes) -> None:
        self._program = program
        self._inference = program.inference
        self._query = query
        self._clean_types = clean_types
        self._known: dict[tuple[int, bool], Checked] = {}
        self._patterns: dict[str, int] = {}

    def checked(self, test: ir.Expr, scope: Scope, *, holds: bool) -> Checked:
        """Paths that are clean where `test` was true (or false)."""
        key = (id(test), holds)
        known = self._known.get(key)
        if known is None:
            self._program.keep(test)
            known = self._known[key] = self._read(test, scope, holds, 0)
        return known

    def matched(self, case: ir.Case, subject: ir.Expr) -> Checked:
        """Paths that are clean inside a `case`: those compared with literals alone."""
        path = exact_path(subject)
        if path is None or not case.values or case.classes or case.captures or case.wildcard:
            return {}
        return {path: self._query.everything}

    def _read(self, test: Any, scope: Scope, holds: bool, depth: int) -> Checked:
        if depth > _MAX_DEPTH:
            return {}
        kind = test.__class__
        if kind is ir.UnaryOp and test.op == "not":
            return self._read(test.operand, scope, not holds, depth + 1)
        if kind is ir.BoolOp:
            found = [self._read(value, scope, holds, depth + 1) for value in test.values]
            return _any_of(found) if (test.op == "and") == holds else _all_of(found)
        if kind is ir.Compare:
            return self._compared(test, scope, holds, depth)
        if kind is ir.Call:
            return self._called(test, scope, holds, depth)
        if kind is ir.NamedExpr:
            return self._read(test.value, scope, holds, depth + 1)
        if kind is ir.Name:
            return self._named(test, scope, holds, depth)
        return {}

    def _named(self, test: ir.Name, scope: Scope, holds: bool, depth: int) -> Checked:
        """`ok = x in ALLOWED; if ok: ...`: the variable and what it tests are bound once."""
        bindings = scope.facts.bindings.get(test.id, ())
        if len(bindings) != 1 or bindings[0].kind not in ("assign", "walrus") or bindings[0].path:
            return {}
        found = self._read(bindings[0].value, scope, holds, depth + 1)
        return {path: mask for path, mask in found.items() if len(scope.facts.bindings.get(path[0], ())) == 1}

    # ── comparisons ─────────────────────────────────────────────────────────────────────────────────────────

    def _compared(self, test: ir.Compare, scope: Scope, holds: bool, depth: int) -> Checked:
        if len(test.ops) != 1:
            return {}
        op, left, right = test.ops[0], test.left, test.comparators[0]
        if op in ("in", "not in"):
            if (op == "in") == holds and self.is_closed(right, scope):
                return self._all_kinds(_tested(left))
        elif op in ("==", "!="):
            if (op == "==") == holds:
                for value, other in ((left, right), (right, left)):
                    if self._is_constant(other, scope):
                        return self._all_kinds(_tested(value))
        elif op in ("is", "is not"):
            if right.__class__ is ir.Constant and right.kind == "none":
                return self._read(left, scope, holds if op == "is not" else not holds, depth + 1)
        elif op == "<=" and holds and left.__class__ is ir.Call and self.is_closed(right, scope):
            name = left.func.id if left.func.__class__ is ir.Name else ""
            if name in ("set", "frozenset") and left.args:
                return self._all_kinds(exact_path(left.args[0]))
        return {}

    def _all_kinds(self, path: AccessPath | None) -> Checked:
        return {path: self._query.everything} if path is not None else {}

    def _is_constant(self, expr: ir.Expr, scope: Scope) -> bool:
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
        return self._is_constant(expr, scope) or self._clean_types.is_clean(
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

    # ── calls ───────────────────────────────────────────────────────────────────────────────────────────────

    def _called(self, test: ir.Call, scope: Scope, holds: bool, depth: int) -> Checked:
        func = test.func
        if func.__class__ is ir.Attribute:
            if holds and func.attr in _CHARACTER_TESTS and not test.args:
                return self._all_kinds(exact_path(func.value))
            if holds and func.attr in ("fullmatch", "match"):
                return self._pattern_match(test, func, scope)
            if holds and func.attr == "issubset" and test.args and self.is_closed(test.args[0], scope):
                inner = func.value
                if (
                    inner.__class__ is ir.Call
                    and inner.args
                    and getattr(inner.func, "id", "") in ("set", "frozenset")
                ):
                    return self._all_kinds(exact_path(inner.args[0]))
        elif func.__class__ is ir.Name:
            if func.id == "isinstance" and holds and len(test.args) == 2:
                return self._instance(test, scope)
            if func.id in ("all", "any") and len(test.args) == 1 and holds == (func.id == "all"):
                return self._every(test.args[0], scope, holds, depth)
            if func.id == "bool" and len(test.args) == 1:
                return self._read(test.args[0], scope, holds, depth + 1)
        return self._predicate(test, scope, holds, depth)

    def _instance(self, test: ir.Call, scope: Scope) -> Checked:
        classes = test.args[1].elts if test.args[1].__class__ is ir.Sequence else [test.args[1]]
        for each in classes:
            of = self._inference.type_of(each, scope)
            if not isinstance(of, ClassRef) or not self._clean_types.is_clean(Instance(of.cls)):
                return {}
        return self._all_kinds(exact_path(test.args[0]))

    def _every(self, generator: Any, scope: Scope, holds: bool, depth: int) -> Checked:
        """`all(c in ALLOWED for c in columns)`: what every element passed."""
        if generator.__class__ is not ir.Comprehension or len(generator.generators) != 1:
            return {}
        loop = generator.generators[0]
        path = exact_path(loop.iter)
        if path is None or loop.ifs or loop.target.__class__ is not ir.Name:
            return {}
        mask = self._read(generator.elt, scope, holds, depth + 1).get((loop.target.id,))
        return {path: mask} if mask else {}

    def _predicate(self, test: ir.Call, scope: Scope, holds: bool, depth: int) -> Checked:
        """A function of the program that does nothing but return a test."""
        of = self._inference.type_of(test.func, scope)
        if not isinstance(of, FunctionRef):
            return {}
        function = of.function
        body = function.body
        if len(body) != 1 or body[0].__class__ is not ir.Return or body[0].value is None or function.is_async:
            return {}
        inner = self._read(body[0].value, function, holds, depth + 1)
        found: Checked = {}
        for path, mask in inner.items():
            given = exact_path(_given(test, function, path[0], bound=of.receiver is not None))
            if given is not None and len(given) + len(path) - 1 <= 3:
                found[(*given, *path[1:])] = mask
        return found

    # ── patterns ────────────────────────────────────────────────────────────────────────────────────────────

    def _pattern_match(self, test: ir.Call, func: ir.Attribute, scope: Scope) -> Checked:
        pattern, subject = self._pattern_and_subject(test, func, scope)
        path = exact_path(subject) if subject is not None else None
        if pattern is None or path is None:
            return {}
        mask = self.pattern_mask(pattern, anchored=func.attr == "fullmatch")
        return {path: mask} if mask else {}

    def _pattern_and_subject(
        self, test: ir.Call, func: ir.Attribute, scope: Scope
    ) -> tuple[str | None, ir.Expr | None]:
        constants = self._program.constants
        of = self._inference.type_of(func, scope)
        if isinstance(of, External) and of.name in ("re.fullmatch", "re.match"):
            return constants.string(argument(test, 0, "pattern"), scope), argument(test, 1, "string")
        compiled, where = self._inference.expand(func.value, scope)
        if compiled.__class__ is ir.Call:
            made = self._inference.type_of(compiled.func, where)
            if isinstance(made, External) and made.name == "re.compile":
                return constants.string(argument(compiled, 0, "pattern"), where), argument(test, 0, "string")
        return None, None

    def pattern_mask(self, pattern: str, *, anchored: bool) -> int:
        """Bits of the kinds for which a text that matches is clean; see `pattern_allows`."""
        known = self._patterns.get(pattern)
        if known is None:
            harmless = {
                k.name for k in self._query.kinds if k.dangerous and is_harmless(pattern, k.dangerous)
            }
            known = self._patterns[pattern] = self._query.mask(frozenset(harmless))
        return known if anchored or is_closed_by_itself(pattern) else 0


def _tested(expr: Any) -> AccessPath | None:
    """The path a comparison is about; a change of case adds no character."""
    if expr.__class__ is ir.Call and not expr.args and expr.func.__class__ is ir.Attribute:
        if expr.func.attr in _CASE_CHANGES:
            return exact_path(expr.func.value)
        return None
    return exact_path(expr)


def _given(call: ir.Call, function: Function, name: str, *, bound: bool) -> ir.Expr | None:
    """The argument that a parameter receives."""
    names = [p.name for p in function.parameters if p.kind in ("posonly", "normal")]
    if bound and function.is_method:
        names = names[1:]
    position = names.index(name) if name in names else None
    return argument(call, position, name)


def _any_of(found: list[Checked]) -> Checked:
    """All tests were passed: what any of them says."""
    merged: Checked = {}
    for each in found:
        for path, mask in each.items():
            merged[path] = merged.get(path, 0) | mask
    return merged


def _all_of(found: list[Checked]) -> Checked:
    """One of the tests was passed: what all of them say."""
    merged = dict(found[0]) if found else {}
    for each in found[1:]:
        merged = {path: mask & each[path] for path, mask in merged.items() if mask & each.get(path, 0)}
    return merged
