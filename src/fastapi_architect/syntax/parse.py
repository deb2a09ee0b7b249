"""Bytes of a file to its IR. Whatever the bytes, the answer is a value: the module, or why there is none."""

from __future__ import annotations

import ast
import gc
import re
import sys
import threading
import warnings
from typing import TYPE_CHECKING

from fastapi_architect.source.decode import decode
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.source.tree import readable_size
from fastapi_architect.syntax import ir
from fastapi_architect.syntax.lower import lower, lower_expression

if TYPE_CHECKING:
    from fastapi_architect.syntax.modern import Downleveled

#: A larger file is not analysed: no one writes such a file by hand, and its tree takes a hundred times its
#: size in memory.
MAX_FILE_BYTES = 3_000_000

# What `ast.parse` raises for text that is no Python, or not one it can hold; measured by fuzzing, not
# documented.
_REFUSED = (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError, SystemError)

_SOURCE_NAME = "<reviewed source>"
# The parser derives a module name from the file name and matches it against this.
_SILENCE = ("ignore", None, Warning, re.compile(re.escape(_SOURCE_NAME)), 0)

_DEEP_LIMIT = 20_000
_DEEP_STACK = 512 * 1024 * 1024
_deep_lock = threading.Lock()

_TEMPLATE = lazy_pattern(r"\{%[-+]?\s*[a-z]+|\{\{[-+]?\s*[A-Za-z_][\w.]*[^{}\n]*\}\}|\{#.*#\}")
_CONFLICT = lazy_pattern(r"^(?:<{7}|>{7}) ", re.MULTILINE)
_PYTHON_2 = (
    (lazy_pattern(r"\s*print\b(?!\s*\()"), "print statement"),
    (lazy_pattern(r"\s*exec\b(?!\s*\()"), "exec statement"),
    (lazy_pattern(r"\s*raise\s+[\w.]+\s*,"), "raise with a comma"),
    (lazy_pattern(r".*\bexcept\b[^:]*,\s*\w+\s*:"), "except with a comma"),
    (lazy_pattern(r".*<>"), "the operator <>"),
    (lazy_pattern(r".*`[^`]+`"), "backquotes"),
    (lazy_pattern(r".*\b[uU][rR]['\"]"), "a string with the prefix ur"),
    (lazy_pattern(r".*\b(?:0[xX][0-9a-fA-F]+|\d+)[lL]\b"), "a long integer"),
    (lazy_pattern(r".*(?<![\w.])0[0-7]+\b(?!\.)"), "an octal number without 0o"),
    (lazy_pattern(r"\s*(?:def\s+\w+\s*\(|lambda\b).*\([^()=]*\)"), "a tuple as parameter"),
)


def parse_file(data: bytes, path: str, max_bytes: int = MAX_FILE_BYTES) -> ir.ParsedModule | ir.Unparsed:  # noqa: ARG001
    """Parse and lower one file. Never raises, whatever `data` holds.

    Args:
        data: the file's bytes.
        path: its path, for the caller's reports only.
        max_bytes: a longer file is not analysed.

    Returns:
        The module, or why there is none and where.
    """
    if len(data) > max_bytes:
        reason = f"larger than {readable_size(max_bytes)} ({readable_size(len(data))})"
        return ir.Unparsed(reason, 0, data.count(b"\n"))
    decoded = decode(data)
    text = decoded.text
    if not decoded.analysable:
        return ir.Unparsed(_not_text(decoded.problem, data), 0, _lines(text))
    collecting = gc.isenabled()
    # The tree is dropped at once and has no cycles, but its creation would trigger collections of everything
    # else.
    gc.disable()
    try:
        return _parse_text(text)
    except RecursionError:
        return _parse_with_large_stack(text)
    finally:
        if collecting:
            gc.enable()


def parse_expression(text: str) -> ir.Expr | None:
    """The expression that a string holds, such as a quoted annotation; None when it holds none.

    Its spans count within the stripped `text`.
    """
    _silence_warnings()
    stripped = text.strip()
    try:
        return lower_expression(ast.parse(stripped, _SOURCE_NAME, "eval"), stripped)
    except _REFUSED:
        return None


def _silence_warnings() -> None:
    """Keep the parser's warnings about the reviewed code (`"\\d"`) off the terminal, and from becoming
    errors.

    Not `catch_warnings`, which replaces the filters of all threads and puts back old ones: this filter
    concerns no other code and stays.
    """
    filters = warnings.filters
    if not filters or filters[0] is not _SILENCE:
        warnings.filters = [_SILENCE, *(entry for entry in filters if entry is not _SILENCE)]


def _parse_text(text: str) -> ir.ParsedModule | ir.Unparsed:
    _silence_warnings()
    try:
        tree = ast.parse(text, _SOURCE_NAME)
    except RecursionError:
        raise
    except SyntaxError as error:
        return _parse_newer(text, error)
    except _REFUSED as error:
        return _refused(text, error)
    return lower(tree, text)


def _parse_newer(text: str, error: SyntaxError) -> ir.ParsedModule | ir.Unparsed:
    """Parse text that this Python refuses but a newer one may accept."""
    from fastapi_architect.syntax import modern

    if _is_template(text, error) or _CONFLICT.search(text):
        return _refused(text, error)
    try:
        tree, rewritten = modern.parse(text)
    except RecursionError:
        raise
    except SyntaxError as later:
        # Where the rewritten text fails further on, what this Python said first was about newer syntax.
        further = later if (later.lineno or 0) > (error.lineno or 0) else error
        return _refused(text, further)
    except _REFUSED as other:
        return _refused(text, other)
    module = lower(tree, text)
    if not rewritten.type_parameters:
        return module
    return ir.ParsedModule(
        module.body,
        module.docstring,
        module.called,
        sorted({*module.identifiers, *(parameter.name for parameter in rewritten.type_parameters)}),
        _type_parameters(rewritten),
        module.comments,
        module.lines,
        module.truncated,
        module.may_hold_credential,
        module.empty_display,
        module.may_hold_script,
    )


def _type_parameters(rewritten: Downleveled) -> list[ir.TypeParameter]:
    return [
        ir.TypeParameter(
            parameter.line << 40,
            parameter.name,
            parameter.kind,
            parameter.owner,
            parse_expression(parameter.bound) if parameter.bound else None,
            parse_expression(parameter.default) if parameter.default else None,
        )
        for parameter in rewritten.type_parameters
    ]


def _parse_with_large_stack(text: str) -> ir.ParsedModule | ir.Unparsed:
    """Parse in a thread with room for thousands of levels: a sum of 5,000 terms is a tree 5,000 deep.

    The recursion limit belongs to the whole interpreter, so that other threads may recurse deeper for that
    time too; one such file at a time.
    """
    results: list[ir.ParsedModule | ir.Unparsed] = []

    def run() -> None:
        try:
            results.append(_parse_text(text))
        except RecursionError:
            results.append(ir.Unparsed("nested too deep to be parsed", 0, _lines(text)))

    with _deep_lock:
        limit = sys.getrecursionlimit()
        stack = threading.stack_size(_DEEP_STACK)
        sys.setrecursionlimit(max(limit, _DEEP_LIMIT))
        try:
            thread = threading.Thread(target=run, name="deep parse")
            thread.start()
            thread.join()
        except (RuntimeError, MemoryError):  # no room for such a stack
            results.append(ir.Unparsed("nested too deep to be parsed in the memory at hand", 0, _lines(text)))
        finally:
            threading.stack_size(stack)
            sys.setrecursionlimit(limit)
    return results[0]


def _lines(text: str) -> int:
    return text.count("\n") + (not text.endswith("\n") and bool(text))


def _not_text(problem: str | None, data: bytes) -> str:
    if b"\0" in data:
        return "not text: NUL bytes"
    return f"not text: {problem}"


def _is_template(text: str, error: SyntaxError) -> bool:
    if "{%" in text and _TEMPLATE.search(text):
        return True
    line = _line(text, error.lineno or 0)
    return "{{" in line and _TEMPLATE.search(line) is not None


def _line(text: str, line: int) -> str:
    lines = text.split("\n")
    return lines[line - 1] if 1 <= line <= len(lines) else ""


def _refused(text: str, error: BaseException) -> ir.Unparsed:
    """Say in plain words why the text is not Python."""
    lines = _lines(text)
    if not isinstance(error, SyntaxError):
        if isinstance(error, MemoryError):
            return ir.Unparsed("nested too deep for Python's parser", 0, lines)
        return ir.Unparsed(f"refused by Python's parser: {error}", 0, lines)
    line = min(max(error.lineno or 0, 0), lines)
    if _is_template(text, error):
        return ir.Unparsed("Jinja template", line, lines)
    conflict = _CONFLICT.search(text)
    if conflict is not None:
        line = text.count("\n", 0, conflict.start()) + 1
        return ir.Unparsed(f"conflict markers of an unfinished merge, line {line}", line, lines)
    message = error.msg or "invalid syntax"
    if message.startswith(("too many nested parentheses", "too many levels of indentation")):
        return ir.Unparsed(f"nested too deep for Python: {message}", line, lines)
    written = _line(text, line)
    for pattern, name in _PYTHON_2:
        if pattern.match(written):
            return ir.Unparsed(f"Python 2 syntax: {name}, line {line}", line, lines)
    return ir.Unparsed(f"syntax error: {message}, line {line}", line, lines)
