"""The list of components in a project's registry, edited by its syntax: an element more, at its position.

Nothing else of the file changes, and what is there already is left alone, so that running twice is running once.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping

import msgspec

from fastapi_architect.builder.errors import BuildError
from fastapi_architect.builder.import_block import insert_import, member_key

FUNCTION = "components"
_INDENTATION = "    "


class Entry(msgspec.Struct, frozen=True):
    """One element of the list.

    Attributes:
        expression: as it is written into the list; a call.
        position: the list is ascending in it.
        module: the dotted name of the module that exports `names`.
    """

    expression: str
    position: int
    module: str
    names: tuple[str, ...]

    @property
    def kind(self) -> str:
        """The class that the expression makes."""
        return _called(ast.parse(self.expression, mode="eval").body)


def registry_text(entries: Iterable[Entry], service: str, *, exports_install: bool = False) -> str:
    """A new registry.

    Args:
        entries: what it lists.
        service: the dotted name of the component that everything is assembled with.
        exports_install: let others import `install` from it, so that they need one import alone.
    """
    exported = '__all__ = ["components", "install"]\n\n\n' if exports_install else "\n"
    imports = "Component, install" if exports_install else "Component"
    text = (
        '"""What this service is made of. `architect add` puts new components in here; the order is theirs."""\n\n'
        f"from {service} import {imports}\n\n{exported}"
        f"def {FUNCTION}() -> list[Component]:\n"
        '    """Return the components in the order in which they are opened; the middleware of the first is outermost."""\n'
        "    return []\n"
    )
    return add_to_registry(text, list(entries), {})


def add_to_registry(text: str, entries: Iterable[Entry], positions: Mapping[str, int]) -> str:
    """Return the registry with these entries in its list, imports included.

    Args:
        text: the registry's source.
        entries: what shall be in the list.
        positions: of the classes that the catalogue knows, for finding the place among them.

    Raises:
        BuildError: the list cannot be found, or is made in another way than by writing it down.
    """
    ascending = sorted(entries, key=lambda each: each.position)
    known = {**positions, **{entry.kind: entry.position for entry in ascending}}
    for entry in ascending:
        if entry.kind not in {_called(element) for element in _list_in(text).elts}:
            text = _with_element(text, entry, known)
        own = {entry.module.partition(".")[0]}
        text = insert_import(
            text, f"from {entry.module} import {', '.join(sorted(entry.names, key=member_key))}", own
        )
    return text


def names_in(expression: str) -> tuple[str, ...]:
    """Names that an expression uses."""
    used = {node.id for node in ast.walk(ast.parse(expression, mode="eval")) if isinstance(node, ast.Name)}
    return tuple(sorted(used, key=member_key))


def listed(text: str) -> list[str]:
    """Classes of the components in the registry's list.

    Raises:
        BuildError: the list cannot be found.
    """
    return [_called(element) for element in _list_in(text).elts]


def _list_in(text: str) -> ast.List:
    try:
        body = ast.parse(text).body
    except SyntaxError as error:
        message = f"the registry does not parse (line {error.lineno}: {error.msg}); mend it first"
        raise BuildError(message) from error
    for statement in body:
        if isinstance(statement, ast.FunctionDef) and statement.name == FUNCTION:
            returns = [node for node in ast.walk(statement) if isinstance(node, ast.Return)]
            if len(returns) == 1 and isinstance(returns[0].value, ast.List):
                return returns[0].value
            message = (
                f"`{FUNCTION}()` in the registry no longer returns one written list; "
                "let it `return [...]`, or put the component in by hand"
            )
            raise BuildError(message)
    message = f"the registry has no function `{FUNCTION}()`; put it back: it returns the list of components"
    raise BuildError(message)


def _with_element(text: str, entry: Entry, positions: Mapping[str, int]) -> str:
    written = _list_in(text)
    lines = text.split("\n")
    before = 0
    for index, element in enumerate(written.elts):
        if positions.get(_called(element), -1) <= entry.position and _called(element) in positions:
            before = index + 1
    if before == 0 and not any(_called(element) in positions for element in written.elts):
        before = len(written.elts)
    indentation = _indentation(lines[written.lineno - 1])
    inner = indentation + _INDENTATION
    new = "\n".join(inner + line for line in f"{entry.expression},".split("\n"))
    if _is_one_a_line(written):
        at = written.elts[before - 1].end_lineno if before else written.lineno
        assert at is not None
        if before:
            lines[at - 1] = _with_comma(lines[at - 1], written.elts[before - 1])
        return "\n".join([*lines[:at], new, *lines[at:]])
    segments = [ast.get_source_segment(text, element) or "" for element in written.elts]
    whole = ast.get_source_segment(text, written) or ""
    if "#" in whole:
        message = (
            "the registry's list holds comments beside several elements of a line; write one element a line"
        )
        raise BuildError(message)
    elements = [*segments[:before], entry.expression, *segments[before:]]
    replaced = "[\n" + "".join(f"{inner}{each},\n" for each in elements) + f"{indentation}]"
    first, last = lines[written.lineno - 1], lines[(written.end_lineno or 1) - 1]
    head = first.encode()[: written.col_offset].decode()
    tail = last.encode()[written.end_col_offset :].decode()
    return "\n".join([*lines[: written.lineno - 1], head + replaced + tail, *lines[written.end_lineno :]])


def _is_one_a_line(written: ast.List) -> bool:
    """Each element begins on a line of its own, and so does the closing bracket."""
    if not written.elts or written.end_lineno is None:
        return False
    starts = [element.lineno for element in written.elts]
    ends = [written.lineno, *((element.end_lineno or 0) for element in written.elts)]
    return all(start > end for start, end in zip([*starts, written.end_lineno], ends, strict=True))


def _with_comma(line: str, element: ast.expr) -> str:
    raw = line.encode()
    rest = raw[element.end_col_offset or 0 :].decode()
    return line if rest.lstrip().startswith(",") else raw[: element.end_col_offset].decode() + "," + rest


def _indentation(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _called(expression: ast.expr) -> str:
    """Last name of what an expression calls."""
    if isinstance(expression, ast.Call):
        return _called(expression.func)
    if isinstance(expression, ast.Attribute):
        return expression.attr
    return expression.id if isinstance(expression, ast.Name) else ""
