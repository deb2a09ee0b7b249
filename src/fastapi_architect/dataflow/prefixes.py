"""What a value can still do behind a text that the program wrote: `f"https://api.example.com/{v}"`, `"/data/" + v`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from fastapi_architect.dataflow.taint import CLEAN, Taint, project, remasked
from fastapi_architect.program.definitions import Scope, last_name
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.syntax import ir

if TYPE_CHECKING:
    from fastapi_architect.dataflow.clean_types import CleanTypes
    from fastapi_architect.dataflow.guards_hosts import HostGuards
    from fastapi_architect.dataflow.guards_paths import PathGuards
    from fastapi_architect.program.program import Program

#: A piece of a text that is put together: an expression, or what is written between two of them.
Piece = ir.Expr | str

_PERCENT = lazy_pattern(r"%(?:\((?P<name>[^)]*)\))?[-+ #0-9.]*[a-zA-Z]")
_BRACES = lazy_pattern(r"\{(?P<name>[^{}!:.\[]*)[^{}]*\}")
#: Stands for a piece whose text is not known.
UNKNOWN_PIECE = "\0"
#: Stands for a piece that is a number, an identifier, a random text: it ends no folder's name.
PLAIN_PIECE = "0"
#: As few parts does `urlunsplit` take, and one more `urlunparse`.
_ADDRESS_PARTS = 5
_FOLDER_WORDS = (
    "dir",
    "path",
    "folder",
    "root",
    "base",
    "prefix",
    "home",
    "location",
    "storage",
    "dest",
    "sep",
)


class Prefixes:
    """Clears what a prefix rules out."""

    def __init__(
        self, program: Program, clean_types: CleanTypes, paths: PathGuards, hosts: HostGuards
    ) -> None:
        self._program = program
        self._clean_types = clean_types
        self._paths = paths
        self._hosts = hosts
        self._matter = bool(paths.everything | hosts.everything)

    def behind(self, scope: Scope, parts: Sequence[Piece], values: Sequence[Taint]) -> list[Taint]:
        """The values of the pieces of a text, each behind those before it."""
        if not self._matter or all(value is CLEAN for value in values[1:]):
            return list(values)
        text = ""
        found = []
        for part, value in zip(parts, values, strict=True):
            if value is CLEAN:
                text += part if isinstance(part, str) else self._text_of(part, scope)
                found.append(value)
            else:
                found.append(remasked(value, partial(self._cleared, text)) if text else value)
                text += UNKNOWN_PIECE
        return found

    def in_template(self, scope: Scope, expr: ir.BinOp, values: Sequence[Taint]) -> list[Taint]:
        """`"https://api.example.com/%s" % value`, `"https://api.example.com/%(id)s" % {"id": value}`."""
        template = self._template(expr.left, scope)
        if template is None or values[0] is not CLEAN or not self._matter:
            return list(values)
        texts, names = _taken_apart(_PERCENT, template)
        given: list[Piece] = [expr.right]
        inner = [values[1]]
        if expr.right.__class__ is ir.Sequence:
            given = list(expr.right.elts)
            inner = [project(values[1], f"[{position}]") for position in range(len(given))]
        elif any(names):
            if expr.right.__class__ is not ir.Dict:
                unknown: list[Piece] = [UNKNOWN_PIECE] * len(names)  # `% vars()`
                return self._filled(scope, texts, unknown, [values[1]] * len(names)) or list(values)
            by_name = {
                _key(key): value for key, value in zip(expr.right.keys, expr.right.values, strict=True)
            }
            given = [by_name.get(name, UNKNOWN_PIECE) for name in names]
            inner = [project(values[1], f"[{name}]") for name in names]
        return self._filled(scope, texts, given, inner) or list(values)

    def in_call(
        self, scope: Scope, node: ir.Call, values: list[Taint], evaluate: Callable[[ir.Expr], Taint]
    ) -> list[Taint]:
        """`"{}/{}".format(base, value)`, `"{base}/{id}".format(...)`, `"/".join([base, value])`."""
        func: Any = node.func
        if not self._matter or all(value is CLEAN for value in values):
            return values
        text = self._template(func.value, scope)
        if text is None or any(keyword.arg is None for keyword in node.keywords):
            return values
        if func.attr == "format":
            return self._formatted(scope, text, node, values) or values
        listed: Any = node.args[0] if len(node.args) == 1 else None
        if listed.__class__ is not ir.Sequence or not listed.elts or node.keywords:
            return values
        inner = [evaluate(each) for each in listed.elts]
        return self._filled(scope, ["", *[text] * (len(inner) - 1), ""], listed.elts, inner) or values

    def in_address(
        self, scope: Scope, parts: ir.Expr, values: list[Taint], evaluate: Callable[[ir.Expr], Taint]
    ) -> list[Taint]:
        """`urlunsplit((scheme, host, path, query, ""))`: what stands behind a host cannot choose it."""
        if not isinstance(parts, ir.Sequence) or len(parts.elts) < _ADDRESS_PARTS:
            return values
        host = parts.elts[1]
        if isinstance(host, ir.Constant) and not host.value:
            return values
        texts = ["", "://", *["/"] * (len(parts.elts) - 2), ""]
        return self._filled(scope, texts, parts.elts, [evaluate(each) for each in parts.elts]) or values

    def _formatted(
        self, scope: Scope, template: str, node: ir.Call, values: list[Taint]
    ) -> list[Taint] | None:
        """Fields by position, by number and by name, each as often as it occurs."""
        texts, names = _taken_apart(_BRACES, template)
        by_name: dict[str, tuple[Piece, Taint]] = {}
        written = [*node.args, *(keyword.value for keyword in node.keywords)]
        called = [*map(str, range(len(node.args))), *(str(keyword.arg) for keyword in node.keywords)]
        for name, expr, value in zip(called, written, values, strict=True):
            by_name[name] = expr, value
        if not any(names):
            names = list(map(str, range(len(names))))
        if any(name not in by_name for name in names):
            return None
        found = [by_name[name] for name in names]
        return self._filled(scope, texts, [expr for expr, _ in found], [value for _, value in found])

    def _template(self, expr: Any, scope: Scope) -> str | None:
        """The text that is filled in; what is not known of an f-string or a sum is a piece of its own."""
        text = self._program.constants.string(expr, scope)
        if text is not None:
            return text
        if expr.__class__ is ir.JoinedStr:
            parts = [self._template(part, scope) or self._text_of(part, scope) for part in expr.values]
            return "".join(parts)
        if expr.__class__ is ir.BinOp and expr.op == "+":
            left = self._template(expr.left, scope) or self._text_of(expr.left, scope)
            return left + (self._template(expr.right, scope) or self._text_of(expr.right, scope))
        return None

    def _filled(
        self, scope: Scope, texts: list[str], given: Sequence[Piece], values: list[Taint]
    ) -> list[Taint] | None:
        """Texts and values in turn; None where their numbers differ."""
        if len(texts) != len(given) + 1 or len(values) != len(given):
            return None
        parts: list[Piece] = [texts[0]]
        mixed = [CLEAN]
        for part, value, text in zip(given, values, texts[1:], strict=True):
            parts += [part, text]
            mixed += [value, CLEAN]
        return self.behind(scope, parts, mixed)

    def _text_of(self, part: Any, scope: Scope) -> str:
        """A piece of a text that carries nothing of a request, as far as it is known."""
        expr = part.value if part.__class__ is ir.FormattedValue else part
        text = self._program.constants.value(expr, scope)
        if isinstance(text, str | int) and not isinstance(text, bool):
            return str(text)
        if self._clean_types.is_clean(self._program.inference.type_of(expr, scope)):
            return PLAIN_PIECE
        words = last_name(expr.func if expr.__class__ is ir.Call else expr).lower()
        is_folder = not words or any(word in words for word in _FOLDER_WORDS) or expr.__class__ is not ir.Name
        return UNKNOWN_PIECE if is_folder else UNKNOWN_PIECE + PLAIN_PIECE

    def _cleared(self, text: str, mask: int) -> int:
        """Bits that are left of a value's `mask` behind `text`."""
        if not text:
            return mask
        mask = self._behind_folder(text, mask)
        return self._behind_address(text.replace(UNKNOWN_PIECE + PLAIN_PIECE, UNKNOWN_PIECE), mask)

    def _behind_folder(self, text: str, mask: int) -> int:
        if text.endswith(("/", "\\", UNKNOWN_PIECE)):
            return mask & ~self._paths.relative
        # Glued to the name before it, `..` would climb out of a folder of that name, which is not there.
        dangerous = mask & self._paths.everything
        return mask & ~dangerous | (dangerous & self._paths.glued)

    def _behind_address(self, text: str, mask: int) -> int:
        cleared = self._hosts.behind(text)
        for host, rest in self._hosts.bits:
            if mask & host:
                mask &= ~(cleared & (host | rest))
            elif cleared & host and text != "/":
                mask &= ~rest  # it begins with a slash, and so ends the host that stands before it
        return mask


def _taken_apart(pattern: Any, template: str) -> tuple[list[str], list[str]]:
    """The texts around the fields of a template, and the names of these ("" for those that go by position)."""
    pieces = pattern.split(template)
    return pieces[::2], [name or "" for name in pieces[1::2]]


def _key(expr: ir.Expr | None) -> str:
    """The key of an entry, where it is written down."""
    return str(expr.value) if isinstance(expr, ir.Constant) else ""
