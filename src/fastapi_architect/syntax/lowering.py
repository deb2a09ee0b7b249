"""What lowering collects on the way, and the tables that pack spans without a function call.

Lowering visits every node of a tree once, so its unit of cost is ten nanoseconds. Two things follow:

* a span is `LINE[line] + COLUMN[column] + END_LINE[end_line] + end_column`, which is `span.pack` by table (65
  ns against 170 ns for the call); it is written out at each node;
* every handler takes `(node, state, depth)` and calls `HANDLERS[child.__class__](child, state, depth)`
  itself.

Trap: the sum does not clamp. `normalise` clamps a tree's columns beforehand in files that need it, and a
place beyond the tables is an `IndexError`, after which `lower` normalises and starts again.
"""

from __future__ import annotations

import ast
import threading
from collections.abc import Callable
from typing import Any

from fastapi_architect.syntax import ir

#: Nesting kept by the IR: expressions and blocks together. Encoding, decoding and every later pass recurse
#: over it.
MAX_DEPTH = 150
#: Left-leaning operators beyond this many terms become a `Chain`.
MAX_NESTED_TERMS = 50

MAX_COLUMN = 0xFFF
MAX_LINES = 0xFFFF

#: Class of an `ast` node -> the function that lowers it: `(node, state, depth) -> ir node`. Filled by
#: `lower_*`.
HANDLERS: dict[type[ast.AST], Callable[[Any, State, int], Any]] = {}

COLUMN: list[int] = [column << 28 for column in range(MAX_COLUMN + 1)]
LINE: list[int] = []
#: For what stands on one line: `ONE_LINE[line] + COLUMN[column] + end_column`.
ONE_LINE: list[int] = []
END_LINE: list[int] = []
_growing = threading.Lock()


def reserve_lines(lines: int) -> None:
    """Make the tables long enough for a file of that many lines. Their content never depends on the file."""
    if len(END_LINE) >= lines + 2:
        return
    with _growing:
        # END_LINE last: whoever sees it long enough sees LINE long enough too.
        ONE_LINE.extend(line << 40 for line in range(len(ONE_LINE), lines + 1000))
        LINE.extend((line << 40) - (line << 12) for line in range(len(LINE), lines + 1000))
        END_LINE.extend(line << 12 for line in range(len(END_LINE), lines + 1000))


class State:
    """What one file's lowering collects.

    Attributes:
        lines: the source, split at line feeds.
        identifiers: every name seen; `see` adds one.
        called: last names of call targets, in order; a function cuts its own part off (`call` adds one).
        yields: a `yield` was seen since the current function began.
        inner: a function or class was seen since the current function began.
        empty_display: `{}` or `[]` was seen outside of functions' bodies.
        may_hold_script: an f-string was seen that may be a script, or hold one.
        type_parameters: PEP 695 type parameters.
        truncated: reasons why parts were left out.
        nothing: the list of arguments of every call that has none; nobody adds to what was lowered.
    """

    __slots__ = (
        "call",
        "called",
        "empty_display",
        "functions",
        "identifiers",
        "inner",
        "lines",
        "may_hold_script",
        "nothing",
        "see",
        "truncated",
        "type_parameters",
        "yields",
    )

    def __init__(self, lines: list[str]) -> None:
        self.nothing: list[Any] = []
        self.lines = lines
        self.identifiers: set[str] = set()
        self.see = self.identifiers.add
        self.called: list[str] = []
        self.call = self.called.append
        self.yields = False
        self.inner = False
        self.functions = 0
        self.empty_display = False
        self.may_hold_script = False
        self.type_parameters: list[ir.TypeParameter] = []
        self.truncated: list[str] = []

    def truncate(self, reason: str) -> None:
        """Say that a part is left out; more than twenty such parts are counted as one."""
        if len(self.truncated) < 20:
            self.truncated.append(reason)
        elif len(self.truncated) == 20:
            self.truncated.append("and more such places")


def span_of(node: Any) -> int:
    """The packed span of any node with a position: for the nodes that are rare."""
    span: int = LINE[node.lineno] + COLUMN[node.col_offset] + END_LINE[node.end_lineno] + node.end_col_offset
    return span


def span_between(first: Any, last: Any) -> int:
    """The packed span from the start of one node to the end of another, for what has none of its own."""
    span: int = (
        LINE[first.lineno] + COLUMN[first.col_offset] + END_LINE[last.end_lineno] + last.end_col_offset
    )
    return span


def needs_normalising(text: str, lines: int) -> bool:
    """Whether places of a file of so many lines may lie beyond what a span holds."""
    if lines > MAX_LINES:
        return True
    # A character takes at most four bytes, and columns count bytes.
    longest = MAX_COLUMN if text.isascii() else MAX_COLUMN // 4
    start = 0
    # From one line's end to the last one that a line of that length reaches: no need to look at every line.
    while len(text) - start > longest:
        end = text.rfind("\n", start, start + longest)
        if end < 0:
            return True
        start = end + 1
    return False


def normalise(tree: ast.AST) -> None:
    """Clamp the tree's places to what a span holds, in place. Slow: only for files that need it."""
    for node in ast.walk(tree):
        if hasattr(node, "lineno"):
            place: Any = node
            place.lineno = max(place.lineno, 1)
            place.end_lineno = min(max(place.end_lineno or 0, place.lineno), place.lineno + MAX_LINES)
            place.col_offset = min(max(place.col_offset, 0), MAX_COLUMN)
            place.end_col_offset = min(max(place.end_col_offset or 0, 0), MAX_COLUMN)


def collect_names(tree: ast.AST, state: State) -> None:
    """Add the names of a part that is left out, so that "does this file mention X?" stays true."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            state.see(node.id)
        elif isinstance(node, ast.Attribute):
            state.see(node.attr)
        elif isinstance(node, ast.keyword | ast.arg):
            state.see(node.arg or "")
        elif isinstance(node, ast.alias):
            for name in (node.name, node.asname or ""):
                state.identifiers.update(name.split("."))
        elif isinstance(node, ast.Call):
            name_call(node.func, state)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            state.see(node.name)
            state.inner = True
        elif isinstance(node, ast.Yield | ast.YieldFrom):
            state.yields = True
    state.identifiers.discard("")


def name_call(func: ast.AST, state: State) -> None:
    """Record the last name of a call target: `execute` for `session.execute`, `Page` for `Page[User]`."""
    if isinstance(func, ast.Subscript):
        func = func.value
    if isinstance(func, ast.Name):
        state.call(func.id)
    elif isinstance(func, ast.Attribute):
        state.call(func.attr)
