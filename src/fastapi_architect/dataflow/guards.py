"""What a test says about a value once it has been passed: the exact predicate it is, and nothing more.

`x in ALLOWED` with a closed, literal `ALLOWED`, `x == "constant"`, a whole match of a pattern that allows no dangerous
character, `x.isalnum()`, `isinstance(x, int)`. Combined by `not`, `and`, `or`, `all`; through one-line predicates of the
program, and through the summaries of longer ones; through a variable that holds the test's result. `guards_paths` and
`guards_hosts` read what is said about files and addresses. The caller decides where a test counts: on the edges of the
flow graph, hence never for an `assert` or a result that is thrown away.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fastapi_architect.dataflow.access_path import AccessPath, exact_path
from fastapi_architect.dataflow.clean_types import CleanTypes
from fastapi_architect.dataflow.closed_collections import ClosedCollections
from fastapi_architect.dataflow.derived_values import is_unchanged_since
from fastapi_architect.dataflow.guards_hosts import HostGuards
from fastapi_architect.dataflow.guards_paths import PathGuards
from fastapi_architect.dataflow.patterns import is_closed_by_itself, is_harmless
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.definitions import Function, Scope, last_name
from fastapi_architect.program.types import ClassRef, External, FunctionRef, Instance, options
from fastapi_architect.syntax import ir

if TYPE_CHECKING:
    from fastapi_architect.dataflow.taint import TaintQuery
    from fastapi_architect.program.program import Program

#: A path is clean for the kinds of the mask.
Checked = dict[AccessPath, int]

_MATCHING = frozenset({"re.fullmatch", "re.match", "re.search"})
_CHARACTER_TESTS = frozenset({"isalnum", "isalpha", "isdigit", "isdecimal", "isnumeric", "isidentifier"})
_TEXTS = frozenset({"builtins.str", "builtins.bytes", "pathlib.Path", "pathlib.PurePath"})
_CASE_CHANGES = frozenset({"lower", "upper", "casefold", "title", "capitalize"})
#: Kinds for which membership in any collection is a check: the program put together what is in it.
_LISTED = frozenset({"path", "url", "redirect"})
_ORDERS = frozenset({"<", "<=", ">", ">="})
_MAX_DEPTH = 6

#: What holds of a function's parameters where its answer, or one position of it, was true (or false).
Passing = Callable[[Function, int | None, bool], Checked]


class Guards:
    """Reads tests in terms of access paths; answers are kept by the test's identity."""

    def __init__(
        self, program: Program, query: TaintQuery, clean_types: CleanTypes, passing: Passing
    ) -> None:
        self._program = program
        self._inference = program.inference
        self._query = query
        self._clean_types = clean_types
        self._passing = passing
        self._closed = ClosedCollections(program, clean_types)
        self.paths = PathGuards(program, query)
        self.hosts = HostGuards(program, query)
        self._everything = query.everything
        self._listed = query.mask(_LISTED)
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
        return {path: self._everything}

    def implied(self, expr: ir.Expr, mask: int, scope: Scope) -> Checked:
        """What is known of variables when this much is known of a value that was made of them."""
        path = exact_path(expr)
        found: Checked = {path: mask} if path is not None else {}
        return _any_of([found, self.paths.parts(expr, scope, mask), self.hosts.parts(expr, scope, mask)])

    def _read(self, test: Any, scope: Scope, holds: bool, depth: int) -> Checked:
        if depth > _MAX_DEPTH:
            return {}
        kind = test.__class__
        if kind is ir.UnaryOp and test.op == "not":
            return self._read(test.operand, scope, not holds, depth + 1)
        if kind is ir.BoolOp:
            found = [self._read(value, scope, holds, depth + 1) for value in test.values]
            return _any_of(found) if (test.op == "and") == holds else _all_of(found)
        if kind is ir.NamedExpr:
            return self._read(test.value, scope, holds, depth + 1)
        found = [self.paths.tested(test, scope, holds=holds), self.hosts.tested(test, scope, holds=holds)]
        if kind is ir.Compare:
            found.append(self._compared(test, scope, holds, depth))
        elif kind is ir.Call:
            found.append(self._called(test, scope, holds, depth))
        elif kind is ir.Await and test.value.__class__ is ir.Call:
            found.append(self._predicate(test.value, scope, holds, depth, awaited=True))
        elif kind is ir.Name:
            found.append(self._named(test, scope, holds, depth))
        return _any_of(found)

    def _named(self, test: ir.Name, scope: Scope, holds: bool, depth: int) -> Checked:
        """`ok = x in ALLOWED; if ok: ...`: what is tested is not bound again after that."""
        bindings = scope.facts.bindings.get(test.id, ())
        if len(bindings) != 1 or bindings[0].kind not in ("assign", "walrus"):
            return {}
        binding = bindings[0]
        if not binding.path:
            found = self._read(binding.value, scope, holds, depth + 1)
        else:  # `ok, message = check(x)`
            value: Any = binding.value
            call = value.value if value.__class__ is ir.Await else value
            if call.__class__ is not ir.Call or len(binding.path) != 1:
                return {}
            position = binding.path[0]
            found = self._predicate(call, scope, holds, depth, awaited=call is not value, position=position)
        return {
            path: mask
            for path, mask in found.items()
            if path == (test.id,) or is_unchanged_since(path[0], binding.node, scope)
        }

    # ── comparisons ─────────────────────────────────────────────────────────────────────────────────────────

    def _compared(self, test: ir.Compare, scope: Scope, holds: bool, depth: int) -> Checked:
        if len(test.ops) != 1:
            return self._ordered(test, scope)
        op, left, right = test.ops[0], test.left, test.comparators[0]
        if op in ("in", "not in"):
            if (op == "in") == holds:
                path = _tested(left)
                if path is not None and self._closed.is_closed(right, scope):
                    return self._all_kinds(path)
                return {path: self._listed} if path is not None and self._is_collection(right, scope) else {}
        elif op in ("==", "!="):
            if (op == "==") == holds:
                for value, other in ((left, right), (right, left)):
                    if self._closed.is_constant(other, scope):
                        return self._all_kinds(_tested(value))
                path = _normalised(left, right)
                return {path: self._listed} if path is not None and self._listed else {}
        elif op in ("is", "is not"):
            if right.__class__ is ir.Constant and right.kind == "none":
                return self._read(left, scope, holds if op == "is not" else not holds, depth + 1)
        elif op == "<=" and holds and left.__class__ is ir.Call and self._closed.is_closed(right, scope):
            name = left.func.id if left.func.__class__ is ir.Name else ""
            if name in ("set", "frozenset") and left.args:
                return self._all_kinds(exact_path(left.args[0]))
        return self._ordered(test, scope)

    def _ordered(self, test: ir.Compare, scope: Scope) -> Checked:
        """`0 < x <= MAX`: only numbers have an order with a number; a text raises `TypeError`, whatever would come out."""
        if not _ORDERS.issuperset(test.ops):
            return {}
        # Of a chain only the first comparison is made in any case.
        sides = (test.left, test.comparators[0])
        if not any(self._is_number(side, scope) for side in sides):
            return {}
        paths = [exact_path(side) for side in sides]
        return {path: self._everything for path in paths if path is not None}

    def _is_number(self, expr: ir.Expr, scope: Scope) -> bool:
        value = self._program.constants.value(expr, scope)
        return isinstance(value, int | float) and not isinstance(value, bool)

    def _is_collection(self, expr: ir.Expr, scope: Scope) -> bool:
        """Something that holds several values: no text, in which a piece may stand anywhere."""
        if not self._listed or expr.__class__ in (ir.Constant, ir.JoinedStr, ir.BinOp):
            return False
        return not any(
            isinstance(o, Instance) and o.name in _TEXTS
            for o in options(self._inference.type_of(expr, scope))
        )

    def _all_kinds(self, path: AccessPath | None) -> Checked:
        return {path: self._everything} if path is not None else {}

    # ── calls ───────────────────────────────────────────────────────────────────────────────────────────────

    def _called(self, test: ir.Call, scope: Scope, holds: bool, depth: int) -> Checked:
        func = test.func
        if func.__class__ is ir.Attribute:
            if holds and func.attr in _CHARACTER_TESTS and not test.args:
                return self._all_kinds(exact_path(func.value))
            if holds and func.attr in ("fullmatch", "match"):
                return self._pattern_match(test, func, scope)
            if not holds and func.attr == "search":
                return self._pattern_search(test, func, scope)
            if (
                holds
                and func.attr == "issubset"
                and test.args
                and self._closed.is_closed(test.args[0], scope)
            ):
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
            if func.id in ("all", "any") and len(test.args) == 1:
                return self._quantified(test.args[0], scope, holds, depth, every=holds == (func.id == "all"))
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

    def _quantified(self, generator: Any, scope: Scope, holds: bool, depth: int, *, every: bool) -> Checked:
        """`all(c in ALLOWED for c in columns)`: what every element passed; with `any` what one of them proves."""
        if generator.__class__ is not ir.Comprehension or len(generator.generators) != 1:
            return {}
        loop = generator.generators[0]
        if loop.target.__class__ is not ir.Name:
            return {}
        inner = self._read(generator.elt, scope, holds, depth + 1)
        if not every:
            return {path: mask for path, mask in inner.items() if path[0] != loop.target.id}
        path = exact_path(loop.iter)
        mask = inner.get((loop.target.id,))
        return {path: mask} if mask and path is not None and not loop.ifs else {}

    def _predicate(
        self,
        test: ir.Call,
        scope: Scope,
        holds: bool,
        depth: int,
        *,
        awaited: bool = False,
        position: int | None = None,
    ) -> Checked:
        """A function of the program that answers; one that does nothing but return a test is read in place."""
        of = self._inference.type_of(test.func, scope)
        if not isinstance(of, FunctionRef) or of.function.is_async != awaited:
            return {}
        function = of.function
        body = function.body
        inner = self._passing(function, position, holds)
        if (
            position is None
            and len(body) == 1
            and body[0].__class__ is ir.Return
            and body[0].value is not None
        ):
            inner = _any_of([inner, self._read(body[0].value, function, holds, depth + 1)])
        found: list[Checked] = []
        for path, mask in inner.items():
            given = _given(test, function, path[0], bound=of.receiver is not None)
            if given is None:
                continue
            exact = exact_path(given)
            if len(path) == 1:
                found.append(self.implied(given, mask, scope))
            elif exact is not None and len(exact) + len(path) - 1 <= 3:
                found.append({(*exact, *path[1:]): mask})
        return _any_of(found)

    # ── patterns ────────────────────────────────────────────────────────────────────────────────────────────

    def _pattern_match(self, test: ir.Call, func: ir.Attribute, scope: Scope) -> Checked:
        pattern, subject = self._pattern_and_subject(test, func, scope)
        path = exact_path(subject) if subject is not None else None
        if pattern is None or path is None:
            return {}
        mask = self.pattern_mask(pattern, anchored=func.attr == "fullmatch")
        return {path: mask} if mask else {}

    def _pattern_search(self, test: ir.Call, func: ir.Attribute, scope: Scope) -> Checked:
        """`re.search(r"[^a-z]", x)` found nothing: x holds no other characters."""
        pattern, subject = self._pattern_and_subject(test, func, scope)
        path = exact_path(subject) if subject is not None else None
        mask = self.mask_without(pattern) if pattern is not None and path is not None else 0
        return {path: mask} if mask and path is not None else {}

    def mask_without(self, pattern: str) -> int:
        """Bits of the kinds for which a text is clean in which `[^...]` occurs nowhere."""
        if not pattern.startswith("[^") or not pattern.rstrip("+*").endswith("]"):
            return 0
        return self.pattern_mask("[" + pattern[2:].rstrip("+*") + "*", anchored=True)

    def _pattern_and_subject(
        self, test: ir.Call, func: ir.Attribute, scope: Scope
    ) -> tuple[str | None, ir.Expr | None]:
        constants = self._program.constants
        of = self._inference.type_of(func, scope)
        if isinstance(of, External) and of.name in _MATCHING:
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


def _normalised(left: Any, right: Any) -> AccessPath | None:
    """`x` of `normalised(x) == normalised(the_registered_one())`."""
    if left.__class__ is not ir.Call or right.__class__ is not ir.Call or not left.args or not right.args:
        return None
    name = last_name(left.func)
    if name != last_name(right.func) or "normal" not in name or right.args[0].__class__ is not ir.Call:
        return None
    return exact_path(left.args[0])


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
