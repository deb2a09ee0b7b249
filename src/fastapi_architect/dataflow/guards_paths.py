"""What a test says about the path of a file.

A path is dangerous in four ways, the aspects of the kind `path`:

- `up`: it climbs by `..`;
- `root`: it is absolute, and so replaces what it is joined to with `/` or `os.path.join`;
- `unresolved`: whoever asks whether it lies inside a folder has asked about a text in which `..` still stands;
- `weak`: what is left when only its first characters are fixed (`/data/files` and `/data/files-of-others`).

`is_relative_to`, `relative_to`, `commonpath` and `startswith` with a separator rule out `up` and `root`, `resolve()` and
`realpath` rule out `unresolved`: only both together are a guard. `commonprefix` is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from fastapi_architect.dataflow.access_path import AccessPath, exact_path
from fastapi_architect.dataflow.derived_values import (
    MAX_DEPTH,
    computed_from,
    constant_text,
    is_unchanged_since,
)
from fastapi_architect.program.definitions import Module, Scope, last_name
from fastapi_architect.syntax import ir

if TYPE_CHECKING:
    from fastapi_architect.dataflow.taint import TaintQuery
    from fastapi_architect.program.program import Program

#: The aspects of the kind `path`.
PATH_ASPECTS = ("up", "root", "unresolved", "weak")

#: Functions and methods that take `..` (and mostly links) out of a path.
RESOLVING = frozenset({"resolve", "realpath", "abspath", "normpath"})
#: Functions whose result is the last part of a path.
_LAST_PART = frozenset({"basename", "secure_filename"})
_SAME_TEXT = frozenset(
    {"str", "fspath", "Path", "PurePath", "PurePosixPath", "unquote", "unquote_plus", "AsyncPath"}
)
_SAME_PATH = frozenset(
    {
        "as_posix",
        "expanduser",
        "absolute",
        "lower",
        "casefold",
        "strip",
        "rstrip",
        "lstrip",
        "replace",
        "split",
    }
)
_SEPARATORS = ("/", "\\")
_ORDERS = frozenset({"==", "!=", ">=", "<"})


class Subject(msgspec.Struct, frozen=True):
    """A variable that a test is about.

    Attributes:
        path: the variable.
        resolved: what was tested is resolved, the variable itself may not be.
        asked: where the test stands.
    """

    path: AccessPath
    resolved: bool = False
    asked: ir.Node | None = None


class PathGuards:
    """Reads tests that are about paths of files."""

    def __init__(self, program: Program, query: TaintQuery) -> None:
        self._program = program
        bits = query.bits()
        up, root, unresolved, weak = (bits.get(f"path.{aspect}", 0) for aspect in PATH_ASPECTS)
        self.everything = bits.get("path", 0)
        self.inside = up | root | weak
        self.sibling = up | root
        self.without_dots = up | unresolved | weak
        self.relative = root
        self.glued = weak
        self.unresolved = unresolved

    def tested(self, test: Any, scope: Scope, *, holds: bool) -> dict[AccessPath, int]:
        """Paths that are clean where one test (no `and`, no `not`) was true or false."""
        if not self.everything:
            return {}
        if test.__class__ is ir.Compare and len(test.ops) == 1:
            return self._compared(test.ops[0], test.left, test.comparators[0], scope, holds)
        if test.__class__ is ir.Call:
            return self._called(test, scope, holds)
        return {}

    def within(self, expr: ir.Expr, scope: Scope) -> dict[AccessPath, int]:
        """What `expr.relative_to(folder)` says when it does not raise."""
        return self._say(expr, scope, self.inside) if self.everything else {}

    def parts(self, expr: ir.Expr, scope: Scope, mask: int) -> dict[AccessPath, int]:
        """What is known of the variables of which a path was put together, when this much is known of the path."""
        found: dict[AccessPath, int] = {}
        inner = _whole_of(expr)
        if inner is not None:  # only files of these names, though anywhere
            expr, mask = inner, mask & ~self.glued if mask & self.sibling else 0
        for subject in self._subjects(expr, scope, Subject((), asked=expr), None, 0):
            found[subject.path] = found.get(subject.path, 0) | mask & self.everything
        return found

    def is_same(self, expr: Any, name: str) -> bool:
        """An expression is the path of that name, in another form."""
        for _ in range(MAX_DEPTH):
            if expr.__class__ is ir.Name:
                return bool(expr.id == name)
            operands = _operands(expr)
            if len(operands) != 1 or _whole_of(expr) is not None:
                return False
            expr = operands[0]
        return False

    # ── comparisons ─────────────────────────────────────────────────────────────────────────────────────────

    def _compared(self, op: str, left: Any, right: Any, scope: Scope, holds: bool) -> dict[AccessPath, int]:
        if op in ("in", "not in"):
            present = (op == "in") == holds
            text = constant_text(left)
            if text is not None:
                return {} if present else self._without(text, right, scope)
            if last_name(left) == "sep" and not present:
                return self._without("/", right, scope)
            if present and right.__class__ is ir.Attribute and right.attr == "parents":
                return self._say(right.value, scope, self.inside)
            if present and _whole_of(left) is not None:
                return self.parts(left, scope, self.everything)
        elif op in _ORDERS and left.__class__ is ir.Call and last_name(left.func) == "find":
            return self._found(op, left, right, scope, holds=holds)
        elif op in ("==", "!=") and (op == "==") == holds:
            return self._equal(left, right, scope) or self._equal(right, left, scope)
        return {}

    def _found(
        self, op: str, left: ir.Call, right: Any, scope: Scope, *, holds: bool
    ) -> dict[AccessPath, int]:
        """`name.find("..") != -1`."""
        text = constant_text(left.args[0]) if left.args else None
        number = self._program.constants.value(right, scope)
        func: Any = left.func
        present = (op, number) in (("!=", -1), (">=", 0))
        if text is None or not (present or (op, number) in (("==", -1), ("<", 0))) or present == holds:
            return {}
        return self._without(text, func.value, scope) if func.__class__ is ir.Attribute else {}

    def _equal(self, side: Any, other: Any, scope: Scope) -> dict[AccessPath, int]:
        if side.__class__ is ir.Call:
            name = last_name(side.func)
            if name == "commonpath" and side.args:
                members = side.args[0].elts if side.args[0].__class__ is ir.Sequence else side.args
                return self._merged(self._say(member, scope, self.inside) for member in members)
            if name in _LAST_PART and side.args and exact_path(side.args[0]) == exact_path(other):
                return self._whole(other)
            if name == "dirname" and side.args:
                return self._say(side.args[0], scope, self.everything)
        if side.__class__ is ir.Attribute and side.attr == "parent":
            return self._say(side.value, scope, self.everything)
        if side.__class__ is ir.Attribute and side.attr == "name":
            subjects = self._subjects(side.value, scope, Subject((), asked=side), None, 0)
            if any(subject.path == exact_path(other) for subject in subjects):
                return self._whole(other)
        if self._is_programs_own(other, scope, 0):
            return self._whole(side)
        return {}

    def _whole(self, expr: Any) -> dict[AccessPath, int]:
        path = exact_path(expr)
        return {path: self.everything} if path is not None else {}

    def _is_programs_own(self, expr: Any, scope: Scope, depth: int) -> bool:
        """A name of a module, or a local name for something made of such alone."""
        if depth > MAX_DEPTH:
            return False
        if expr.__class__ is ir.Call and expr.func.__class__ is ir.Attribute and not expr.args:
            return self._is_programs_own(expr.func.value, scope, depth + 1)
        if expr.__class__ is ir.Call and len(expr.args) == 1 and not expr.keywords:
            return self._is_programs_own(expr.args[0], scope, depth + 1)
        while expr.__class__ is ir.Attribute:
            expr = expr.value
        if expr.__class__ is not ir.Name:
            return False
        if expr.id in ("self", "cls"):
            return True
        binding = computed_from(expr.id, scope)
        if binding is not None:
            return self._is_programs_own(binding.value, scope, depth + 1)
        found = self._program.inference.bindings_of(expr, scope)
        return found is not None and isinstance(found[0], Module)

    def _without(self, text: str, holder: ir.Expr, scope: Scope) -> dict[AccessPath, int]:
        """A text does not occur."""
        if text in _SEPARATORS:
            return self._say(holder, scope, self.everything, of_text=True) if text == "/" else {}
        if text in (".", "..", "../", "/.."):
            return self._say(holder, scope, self.without_dots, of_text=True)
        return {}

    # ── calls ───────────────────────────────────────────────────────────────────────────────────────────────

    def _called(self, test: ir.Call, scope: Scope, holds: bool) -> dict[AccessPath, int]:
        func: Any = test.func
        name = last_name(func)
        if name in ("any", "all") and len(test.args) == 1 and (name == "all") == holds:
            return self._each(test.args[0], scope, refused=name == "any")
        if name == "isabs" and test.args:
            return {} if holds else self._say(test.args[0], scope, self.relative, of_text=True)
        if func.__class__ is not ir.Attribute:
            return {}
        if name == "is_relative_to":
            return self._say(func.value, scope, self.inside) if holds else {}
        if name == "is_absolute":
            return {} if holds else self._say(func.value, scope, self.relative, of_text=True)
        if name == "startswith" and test.args:
            return self._starts(func.value, test.args[0], scope, holds)
        return {}

    def _each(self, generator: Any, scope: Scope, *, refused: bool) -> dict[AccessPath, int]:
        """`any(part == ".." for part in path.parts)` that was false, or its twin with `all` and `!=` that was true."""
        if generator.__class__ is not ir.Comprehension or len(generator.generators) != 1:
            return {}
        loop = generator.generators[0]
        test = generator.elt
        if test.__class__ is not ir.Compare or len(test.ops) != 1 or loop.target.__class__ is not ir.Name:
            return {}
        op, left, right = test.ops[0], test.left, test.comparators[0]
        if op == ("in" if refused else "not in") and getattr(left, "id", "") == loop.target.id:
            texts = self._program.constants.value(loop.iter, scope)
            if isinstance(texts, list | tuple | set | frozenset):
                return self._merged(self._without(t, right, scope) for t in texts if isinstance(t, str))
            forbidden = self._program.constants.value(right, scope)
            if isinstance(forbidden, list | tuple | set | frozenset) and ".." in forbidden:
                return self._say(loop.iter, scope, self.without_dots, of_text=True)
        if op == ("==" if refused else "!=") and ".." in (constant_text(left), constant_text(right)):
            return self._say(loop.iter, scope, self.without_dots, of_text=True)
        return {}

    def _starts(self, tested: ir.Expr, prefix: Any, scope: Scope, holds: bool) -> dict[AccessPath, int]:
        if prefix.__class__ is ir.Sequence:
            each = [self._starts(tested, element, scope, holds) for element in prefix.elts]
            if not holds:
                return self._merged(each)
            common = dict(each[0]) if each else {}
            for other in each[1:]:
                common = {path: mask & other.get(path, 0) for path, mask in common.items()}
            return common
        text = self._program.constants.string(prefix, scope)
        if holds:
            if text in ("", *_SEPARATORS):
                return {}
            closed = (
                text.endswith(_SEPARATORS) if text is not None else _ends_with_separator(prefix, scope, 0)
            )
            return self._say(tested, scope, self.inside if closed else self.sibling)
        if text is not None and text.startswith("/"):
            return self._say(tested, scope, self.relative, of_text=True)
        if text in ("..", "../", ".") and self._is_normal(tested, scope):
            return self._say(tested, scope, self.without_dots)
        return {}

    def _is_normal(self, expr: Any, scope: Scope) -> bool:
        """`normpath` of a name alone: a `..` that is left stands in front."""
        if expr.__class__ is ir.Name:
            before = [b for b in scope.facts.bindings.get(expr.id, ()) if b.node.span < expr.span]
            expr = before[-1].value if before else None
        if expr.__class__ is not ir.Call or last_name(expr.func) != "normpath" or not expr.args:
            return False
        return exact_path(expr.args[0]) is not None

    # ── what a test is about ────────────────────────────────────────────────────────────────────────────────

    def _say(self, expr: ir.Expr, scope: Scope, mask: int, *, of_text: bool = False) -> dict[AccessPath, int]:
        """The variables that an expression is made of are clean for a mask.

        Where it was resolved inside the expression, that part of the danger is gone, too. A look at the text of a path
        (`of_text`) says nothing once it is resolved: `..` never stands there.
        """
        found: dict[AccessPath, int] = {}
        subjects = list(self._subjects(expr, scope, Subject((), asked=expr), None, 0))
        if of_text and any(s.resolved and s.path[0] in scope.facts.bindings for s in subjects):
            return {}
        for subject in subjects:
            said = mask | self.unresolved if subject.resolved else mask
            found[subject.path] = found.get(subject.path, 0) | said
        return found

    def _subjects(
        self, expr: Any, scope: Scope, so_far: Subject, since: ir.Node | None, depth: int
    ) -> Iterator[Subject]:
        """Variables whose value, resolved or joined with others, is `expr`."""
        if depth > MAX_DEPTH:
            return
        kind = expr.__class__
        if kind is ir.Attribute and expr.attr == "parts":
            yield from self._subjects(expr.value, scope, so_far, since, depth + 1)
            return
        path = exact_path(expr)
        if path is not None:
            if is_unchanged_since(path[0], since, scope, so_far.asked):
                yield msgspec.structs.replace(so_far, path=path)
            binding = computed_from(path[0], scope, since or expr) if len(path) == 1 else None
            if binding is not None:
                yield from self._subjects(binding.value, scope, so_far, binding.node, depth + 1)
            return
        if kind is ir.Await:
            yield from self._subjects(expr.value, scope, so_far, since, depth + 1)
            return
        if kind is ir.Call and last_name(expr.func) in RESOLVING:
            so_far = msgspec.structs.replace(so_far, resolved=True)
        for each in _operands(expr):
            yield from self._subjects(each, scope, so_far, since, depth + 1)

    @staticmethod
    def _merged(found: Any) -> dict[AccessPath, int]:
        merged: dict[AccessPath, int] = {}
        for each in found:
            for path, mask in each.items():
                merged[path] = merged.get(path, 0) | mask
        return merged


def _whole_of(expr: Any) -> Any:
    """The path of which an expression is the last part; None for any other."""
    if expr.__class__ is ir.Call and last_name(expr.func) in _LAST_PART and expr.args:
        return expr.args[0]
    return expr.value if expr.__class__ is ir.Attribute and expr.attr == "name" else None


def _operands(expr: Any) -> list[Any]:
    """What a path is put together from."""
    kind = expr.__class__
    if kind is ir.Call:
        func = expr.func
        name = last_name(func)
        is_method = func.__class__ is ir.Attribute
        if name in RESOLVING and (name != "resolve" or not is_method):
            return list(expr.args[:1])
        if name in _SAME_TEXT or (name == "join" and is_method):
            return list(expr.args)
        if is_method and (name in _SAME_PATH or name == "resolve"):
            return [func.value]
        return [func.value, *expr.args] if is_method and name == "joinpath" else []
    if kind is ir.BinOp and expr.op in ("/", "+"):
        return [expr.left, expr.right]
    if kind is ir.Chain and expr.op in ("/", "+"):
        return list(expr.operands)
    if kind is ir.JoinedStr:
        return [part.value for part in expr.values if part.__class__ is ir.FormattedValue]
    return []


def _ends_with_separator(expr: Any, scope: Scope, depth: int) -> bool:
    """`str(folder) + os.sep`, `f"{folder}/"`, `os.path.join(folder, "")`."""
    if depth > MAX_DEPTH:
        return False
    kind = expr.__class__
    if kind is ir.BinOp and expr.op == "+":
        return _ends_with_separator(expr.right, scope, depth + 1)
    if kind is ir.JoinedStr and expr.values:
        return _ends_with_separator(expr.values[-1], scope, depth + 1)
    if kind is ir.FormattedValue:
        return _ends_with_separator(expr.value, scope, depth + 1)
    if kind is ir.Call and last_name(expr.func) == "join" and len(expr.args) > 1:
        return constant_text(expr.args[-1]) == ""
    if kind is ir.Name:
        binding = computed_from(expr.id, scope)
        return binding is not None and _ends_with_separator(binding.value, scope, depth + 1)
    text = constant_text(expr)
    return text.endswith(_SEPARATORS) if text else last_name(expr) == "sep"
