"""One member of a JSON file, put in and taken out; every other byte stays, comments and order included.

Clients read JSON with comments and trailing commas (JSONC), and people keep notes there. A parser that writes the file anew would
lose them, so this one only finds places. The new member becomes the first one of its object: what stands behind it, with its
commas and comments, is not touched.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import msgspec

from fastapi_architect.persona.clients.errors import ClientError, at

_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"')
_SCALAR = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])|(?:true|false|null)\b")
_DEEPEST = 200
_MEND = "mend it first, or add the server by hand"


class Node(msgspec.Struct, frozen=True):
    """A value and where it stands.

    Attributes:
        start, end: its first index, and the one behind it.
        value: as Python has it.
        members: of an object, in order; None for any other value.
    """

    start: int
    end: int
    value: Any
    members: tuple[Member, ...] | None = None


class Member(msgspec.Struct, frozen=True):
    """A key with its value; `start` is the index of the key's quote."""

    key: str
    start: int
    node: Node


def parse(text: str, path: str) -> Node:
    """The document with its places.

    Raises:
        ClientError: it is malformed, with the place.
    """
    node = _value(text, _skip(text, 0, path), path, 0)
    end = _skip(text, node.end, path)
    if end < len(text):
        raise at(path, text, end, f"there is something behind the end of the document; {_MEND}")
    return node


def value_at(node: Node, keys: Sequence[str]) -> Any:
    """The value below keys; None where there is none."""
    value = node.value
    for key in keys:
        if not isinstance(value, dict) or key not in value:
            return None
        value = value[key]
    return value


def with_member(text: str, keys: Sequence[str], value: Any, path: str) -> tuple[str, str]:
    """The text with one more member, and what was put in.

    Args:
        text: of the file; empty: a new document is written.
        keys: of the objects from the outside in, then the member's.
        value: of the member, which is not there yet.
        path: for messages.

    Raises:
        ClientError: the document is malformed, or something else stands where an object has to be.
    """
    if not text.strip("\ufeff \t\r\n"):
        chunk = json.dumps(_nested(keys, value), indent=2, ensure_ascii=False) + "\n"
        return text + chunk, chunk
    node = parse(text, path)
    unit = _unit(text, node)
    for depth, key in enumerate(keys):
        if node.members is None:
            raise at(path, text, node.start, f"this has to be an object in braces; {_MEND}")
        below = [each for each in node.members if each.key == key]
        if len(below) > 1:
            raise at(path, text, below[1].start, f"{key!r} is there twice; {_MEND}")
        if not below:
            position, chunk = _chunk(text, node, key, _nested(keys[depth + 1 :], value), unit)
            return text[:position] + chunk + text[position:], chunk
        node = below[0].node
    message = f"{path}: {'.'.join(keys)} is there already"
    raise ClientError(message)


def without_member(text: str, keys: Sequence[str], chunk: str, path: str) -> str:
    """The text without a member: exactly what was put in where it stands there as it was, else the member with its comma.

    Args:
        text: of the file.
        keys: as they were given to `with_member`.
        chunk: what that put in.
        path: for messages.

    Raises:
        ClientError: the document is malformed.
    """
    wanted = _value_without(parse(text, path).value, keys)
    if text.count(chunk) == 1:
        shorter = text.replace(chunk, "", 1)
        exact = _is(shorter, wanted, keys[0], path) and _is_strict(shorter) >= _is_strict(text)
        if exact or not shorter.strip("\ufeff \t\r\n"):
            return shorter
    shorter = _cut(text, keys, path)
    # The client wrote the file anew: an object that we brought goes, too, when nothing else came into it.
    made_object = json.dumps(keys[0], ensure_ascii=False) in chunk and len(keys) > 1
    if made_object and value_at(parse(shorter, path), keys[:-1]) == {}:
        return _cut(shorter, keys[:-1], path)
    return shorter


def _is(text: str, wanted: Any, outer: str, path: str) -> bool:
    """The text says what is wanted; the outer object, empty now, may have come with the member."""
    try:
        value = parse(text, path).value
    except ClientError:
        return False
    if isinstance(wanted, dict) and wanted.get(outer) == {} and outer not in value:
        wanted = {key: each for key, each in wanted.items() if key != outer}
    return bool(value == wanted)


def _is_strict(text: str) -> bool:
    """A reader that knows neither comments nor trailing commas can read it."""
    try:
        json.loads(text.removeprefix("\ufeff"))
    except ValueError:
        return False
    return True


def _value_without(value: Any, keys: Sequence[str]) -> Any:
    if not isinstance(value, dict) or keys[0] not in value:
        return value
    if len(keys) == 1:
        return {key: each for key, each in value.items() if key != keys[0]}
    return {**value, keys[0]: _value_without(value[keys[0]], keys[1:])}


def _nested(keys: Sequence[str], value: Any) -> Any:
    for key in reversed(keys):
        value = {key: value}
    return value


# ── places ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _chunk(text: str, node: Node, key: str, value: Any, unit: str) -> tuple[int, str]:
    """Where the member goes, and what is written there."""
    assert node.members is not None
    newline = "\r\n" if "\r\n" in text else "\n"
    outer = _indentation(text, node.start)
    inside = text[node.start + 1 : node.members[0].start if node.members else node.end - 1]
    if node.members and "\n" not in inside:
        return node.members[0].start, f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}, "
    indent = _indentation(text, node.members[0].start) if node.members else outer + unit
    shown = json.dumps(value, indent=unit, ensure_ascii=False).replace("\n", newline + indent)
    member = f"{newline}{indent}{json.dumps(key)}: {shown}"
    if node.members:
        return _end_of_line(text, node.start + 1), member + ","
    if "\n" in inside:
        return _end_of_line(text, node.start + 1), member
    return node.start + 1, member + newline + outer


def _end_of_line(text: str, position: int) -> int:
    """Behind what is said on the line of the brace: a comment there belongs to the brace."""
    while position < len(text):
        if text[position] in " \t":
            position += 1
        elif text.startswith("//", position):
            end = text.find("\n", position)
            return end - 1 if text[end - 1] == "\r" else end
        elif text.startswith("/*", position):
            end = text.find("*/", position) + 2
            if "\n" in text[position:end]:
                return position
            position = end
        else:
            return position
    return position


def _cut(text: str, keys: Sequence[str], path: str) -> str:
    """The text without a member and its comma; comments beside it stay."""
    node = parse(text, path)
    for key in keys[:-1]:
        node = next(each.node for each in node.members or () if each.key == key)
    members = node.members or ()
    index = next(i for i, each in enumerate(members) if each.key == keys[-1])
    member = members[index]
    start = len(text[: member.start].rstrip(" \t"))
    if text[start - 1] == "\n":
        start -= 2 if text[start - 2] == "\r" else 1
    comma = _skip(text, member.node.end, path)
    if text[comma] == ",":
        return text[:start] + text[member.node.end : comma] + text[comma + 1 :]
    rest = text[member.node.end :]
    if index == 0:
        return text[:start] + rest
    earlier = _skip(text, members[index - 1].node.end, path)
    return text[:earlier] + text[earlier + 1 : start] + rest


def _indentation(text: str, position: int) -> str:
    start = text.rfind("\n", 0, position) + 1
    line = text[start:position]
    return line[: len(line) - len(line.lstrip(" \t"))]


def _unit(text: str, node: Node) -> str:
    """One step of indentation, as the file has it."""
    if node.members and "\n" in text[node.start : node.members[0].start]:
        return _indentation(text, node.members[0].start) or "  "
    return "  "


# ── parsing ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _value(text: str, position: int, path: str, depth: int) -> Node:
    if depth > _DEEPEST:
        raise at(path, text, position, f"this is nested too deeply; {_MEND}")
    sign = text[position : position + 1]
    if sign == "{":
        return _object(text, position, path, depth)
    if sign == "[":
        return _array(text, position, path, depth)
    if sign == '"':
        value, end = _string(text, position, path)
        return Node(position, end, value)
    match = _SCALAR.match(text, position)
    if match is None:
        shown = f"{sign!r} is no value" if sign else "the document ends here"
        raise at(path, text, position, f"{shown}; {_MEND}")
    return Node(position, match.end(), json.loads(match[0]))


def _object(text: str, start: int, path: str, depth: int) -> Node:
    members: list[Member] = []
    position = _skip(text, start + 1, path)
    while text[position : position + 1] != "}":
        key, end = _string(text, position, path)
        colon = _skip(text, end, path)
        if text[colon : colon + 1] != ":":
            raise at(path, text, colon, f"a colon is missing here; {_MEND}")
        node = _value(text, _skip(text, colon + 1, path), path, depth + 1)
        members.append(Member(key, position, node))
        position = _next(text, node.end, path, "}")
    return Node(start, position + 1, {each.key: each.node.value for each in members}, tuple(members))


def _array(text: str, start: int, path: str, depth: int) -> Node:
    values: list[Any] = []
    position = _skip(text, start + 1, path)
    while text[position : position + 1] != "]":
        node = _value(text, position, path, depth + 1)
        values.append(node.value)
        position = _next(text, node.end, path, "]")
    return Node(start, position + 1, values)


def _next(text: str, position: int, path: str, closing: str) -> int:
    """Behind a comma, or at the end."""
    position = _skip(text, position, path)
    if text[position : position + 1] == ",":
        return _skip(text, position + 1, path)
    if text[position : position + 1] != closing:
        raise at(path, text, position, f"a comma or {closing!r} is missing here; {_MEND}")
    return position


def _string(text: str, position: int, path: str) -> tuple[str, int]:
    match = _STRING.match(text, position)
    if match is None:
        raise at(path, text, position, f"a text in double quotes has to stand here; {_MEND}")
    try:
        return json.loads(match[0]), match.end()
    except ValueError as error:
        raise at(path, text, position, f"this text has a wrong escape ({error}); {_MEND}") from error


def _skip(text: str, position: int, path: str) -> int:
    """Behind space and comments."""
    while position < len(text):
        if text[position] in " \t\r\n\ufeff":
            position += 1
        elif text.startswith("//", position):
            end = text.find("\n", position)
            position = len(text) if end < 0 else end
        elif text.startswith("/*", position):
            end = text.find("*/", position)
            if end < 0:
                raise at(path, text, position, f"this comment has no end; {_MEND}")
            position = end + 2
        else:
            break
    return position
