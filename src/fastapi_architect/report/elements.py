"""HTML elements that escape by construction: text is text unless it was built here."""

from __future__ import annotations

import ast
import html
import re
from collections.abc import Iterable

from fastapi_architect.report import wording
from fastapi_architect.source.lazy_pattern import lazy_pattern

# Elements of SVG are not among them: unclosed, they would swallow what follows.
_EMPTY = frozenset({"br", "input", "meta"})
_FENCE = lazy_pattern(r"^(?P<fence>`{3,})[^\n`]*\n(?P<code>.*?)\n(?P=fence)[ \t]*$", re.MULTILINE | re.DOTALL)


class Markup(str):
    """Text that is HTML already; only this module and constant assets make it."""

    __slots__ = ()


Node = str | None


def element(
    name: str, /, *children: Node | Iterable[Node], **attributes: str | float | bool | None
) -> Markup:
    """An element; `class_` and `for_` lose their underscore, other underscores become dashes.

    Args:
        name: the tag.
        children: text (escaped), markup, None (nothing), or iterables of these.
        attributes: values (escaped); True for an attribute without value, None and False for none.
    """
    listed = "".join(
        _attribute(key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items()
    )
    if name in _EMPTY:
        return Markup(f"<{name}{listed}>")
    return Markup(f"<{name}{listed}>{join(children)}</{name}>")


def join(children: Iterable[Node | Iterable[Node]]) -> Markup:
    """Children one after the other, text escaped."""
    pieces = []
    for child in children:
        if child is None:
            continue
        if isinstance(child, Markup):
            pieces.append(str(child))
        elif isinstance(child, str):
            pieces.append(escape(child))
        else:
            pieces.append(str(join(child)))
    return Markup("".join(pieces))


def escape(text: str) -> Markup:
    """Text as HTML: signs that steer are escaped or made visible."""
    return Markup(html.escape(wording.printable(text), quote=True))


def prose(text: str) -> Markup:
    """Text in which `backticks` mark code; lines stay lines."""
    pieces: list[Node] = []
    for number, piece in enumerate(re.split(r"`([^`\n]+)`", text)):
        if number % 2:
            pieces.append(element("code", piece))
        else:
            lines = piece.split("\n")
            for position, line in enumerate(lines):
                pieces += [element("br"), line] if position else [line]
    return join(pieces)


def code(text: str) -> Markup:
    """A block of code."""
    return element("pre", element("code", text.strip("\n")))


def advice(text: str) -> Markup:
    """A suggestion: fenced blocks, or else the whole of several lines, are code; the rest is prose."""
    if not text.strip():
        return Markup("")
    if not _FENCE.search(text):
        return code(text) if "\n" in text or _is_code(text) else element("p", prose(text))
    pieces: list[Markup] = []
    at = 0
    for found in _FENCE.finditer(text):
        pieces += _paragraphs(text[at : found.start()])
        pieces.append(code(found["code"]))
        at = found.end()
    return join([*pieces, *_paragraphs(text[at:])])


def link(address: str, text: str) -> Markup:
    """A link when the address is one of the web, else only its text."""
    if re.match(r"https?://[\w.-]+(/|$)", address) is None:
        return escape(text)
    return element("a", text, href=address, rel="noopener noreferrer")


def _paragraphs(text: str) -> list[Markup]:
    return [element("p", prose(each.strip())) for each in re.split(r"\n\s*\n", text) if each.strip()]


def _is_code(text: str) -> bool:
    try:
        ast.parse(text.strip())
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return False
    return " " in text or "(" in text


def _attribute(name: str, value: str | float | bool | None) -> str:
    if value is None or value is False:
        return ""
    if value is True:
        return f" {name}"
    return f' {name}="{escape(str(value))}"'
