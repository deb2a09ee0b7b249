"""A TOML file as text, edited in place so that comments and layout stay: its tables, its lists and what stands in them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from fastapi_architect.builder.errors import BuildError
from fastapi_architect.source.lazy_pattern import lazy_pattern

_HEADER = lazy_pattern(r"^[ \t]*\[([^\[\]\n]+)\][ \t]*(?:#.*)?$", re.MULTILINE)


class Item(msgspec.Struct, frozen=True):
    """A string of an array: where it stands in the text, and what it says."""

    begin: int
    end: int
    value: str


def read_toml(text: str) -> dict[str, Any]:
    """What the text says; nothing where it is no TOML."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return {}


def with_item(
    text: str, brackets: tuple[int, int], items: Sequence[Item], named: Sequence[tuple[Item, str]], new: str
) -> str:
    """The text with one more string in a list: in order where the others are in order, else at the end.

    Args:
        text: the file.
        brackets: the places of the list's.
        items: its strings.
        named: those that have a name to be sorted by, and the name in lower case.
        new: the string.
    """
    begin, end = brackets
    inside = text[begin + 1 : end]
    if "\n" not in inside:
        listed = [text[item.begin : item.end] for item in items]
        names = [name for _, name in named]
        at = len(items)
        if names == sorted(names):
            at = sum(name < new.lower() for name in names)
        listed.insert(at, quoted(new))
        return text[:begin] + "[\n" + "".join(f"    {each},\n" for each in listed) + "]" + text[end + 1 :]
    names = [name for _, name in named]
    later = [item for item, name in named if name > new.lower()]
    if items and names == sorted(names) and later and _alone(text, later[0]):
        start = text.rindex("\n", 0, later[0].begin) + 1
        indentation = text[start : later[0].begin]
        return text[:start] + f"{indentation}{quoted(new)},\n" + text[start:]
    last = items[-1] if items else None
    indentation = "    "
    if last is not None:
        start = text.rindex("\n", 0, last.begin) + 1
        if not text[start : last.begin].strip():
            indentation = text[start : last.begin]
        after = last.end
        if not text[after:end].lstrip().startswith(","):
            text = text[:after] + "," + text[after:]
            end += 1
    close = text.rindex("\n", 0, end) + 1
    if text[close:end].strip():  # the bracket stands behind an item
        return text[:end] + f"\n{indentation}{quoted(new)},\n" + text[end:]
    return text[:close] + f"{indentation}{quoted(new)},\n" + text[close:]


def _alone(text: str, item: Item) -> bool:
    """The item is the first of its line."""
    start = text.rfind("\n", 0, item.begin) + 1
    return not text[start : item.begin].strip()


def array(text: str, table: str, key: str, path: str) -> tuple[int, int, list[Item]]:
    """Places of the brackets of `key = [...]` in a table, and its strings.

    Raises:
        BuildError: the key is not written that way.
    """
    for begin, end in sections(text, table):
        found = re.compile(
            rf"^[ \t]*(?:{re.escape(key)}|\"{re.escape(key)}\")[ \t]*=[ \t]*\[", re.MULTILINE
        ).search(text, begin, end)
        if found:
            opening = found.end() - 1
            closing, items = _scanned(text, opening)
            if closing is not None:
                return opening, closing, items
    message = f"{path}: `{key}` of [{table}] is not written as a list there; add the requirements by hand"
    raise BuildError(message)


def _scanned(text: str, opening: int) -> tuple[int | None, list[Item]]:
    """The place of the bracket that closes the one at `opening`, and the strings directly inside."""
    items: list[Item] = []
    at, depth = opening + 1, 1
    while at < len(text):
        sign = text[at]
        if sign == "#":
            at = text.find("\n", at)
            if at < 0:
                break
        elif sign in "\"'":
            end = _end_of_string(text, at)
            if end is None:
                break
            value = read_toml(f"x = {text[at:end]}").get("x", "")
            if depth == 1:
                items.append(Item(at, end, str(value)))
            at = end
            continue
        elif sign in "[{":
            depth += 1
        elif sign in "]}":
            depth -= 1
            if depth == 0:
                return at, items
        at += 1
    return None, items


def _end_of_string(text: str, at: int) -> int | None:
    quote = text[at]
    if text.startswith(quote * 3, at):
        end = text.find(quote * 3, at + 3)
        return end + 3 if end > 0 else None
    position = at + 1
    while position < len(text) and text[position] != "\n":
        if text[position] == "\\" and quote == '"':
            position += 1
        elif text[position] == quote:
            return position + 1
        position += 1
    return None


def sections(text: str, table: str) -> Iterator[tuple[int, int]]:
    """Stretches of the text that belong to a table."""
    headers = [(found.start(), found.end(), found[1]) for found in _HEADER.finditer(text)]
    for number, (_, end, name) in enumerate(headers):
        following = headers[number + 1][0] if number + 1 < len(headers) else len(text)
        if re.sub(r"[\s\"']", "", name) == table:
            # A `[[table]]` ends it, too.
            doubled = re.compile(r"^[ \t]*\[\[", re.MULTILINE).search(text, end, following)
            yield end, doubled.start() if doubled else following


def quoted(text: str) -> str:
    """A string as TOML writes it."""
    return f'"{text}"' if '"' not in text else f"'{text}'"
