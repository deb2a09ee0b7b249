"""One table of a TOML file, appended and taken out; every other byte stays."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi_architect.persona.clients.errors import ClientError

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def parse(text: str, path: str) -> dict[str, Any]:
    """The document's data.

    Raises:
        ClientError: it is malformed, with the place.
    """
    try:
        return tomllib.loads(text.removeprefix("\ufeff"))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        message = f"{path}: is not valid TOML: {error}; mend it first, or add the server by hand"
        raise ClientError(message) from error


def table_at(data: Mapping[str, Any], keys: Sequence[str]) -> Any:
    """What stands below keys; None where there is nothing."""
    found: Any = data
    for key in keys:
        if not isinstance(found, Mapping) or key not in found:
            return None
        found = found[key]
    return found


def with_table(
    text: str, keys: Sequence[str], value: Mapping[str, str | list[str]], path: str
) -> tuple[str, str]:
    """The text with a table appended, and what was appended.

    Raises:
        ClientError: the document is malformed, or closes the outer table against additions.
    """
    before = parse(text, path)
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = [
        f"[{'.'.join(map(_key, keys))}]",
        *(f"{key} = {json.dumps(each)}" for key, each in value.items()),
        "",
    ]
    gap = "" if not text else newline if text.endswith("\n") else 2 * newline
    chunk = gap + newline.join(lines)
    try:
        after = parse(text + chunk, path)
    except ClientError:
        after = {}
    if after != _with(before, keys, dict(value)):
        shown = newline.join(lines).strip()
        message = (
            f"{path}: {keys[0]} is written in a form that takes no further table; add it by hand:\n{shown}"
        )
        raise ClientError(message)
    return text + chunk, chunk


def without_table(text: str, keys: Sequence[str], chunk: str, path: str) -> str | None:
    """The text without what was appended; None where it does not stand there as it was."""
    data = parse(text, path)
    if text.count(chunk) != 1:
        return None
    shorter = text.replace(chunk, "", 1)
    try:
        left = parse(shorter, path)
    except ClientError:
        return None
    # Keys that somebody wrote below the table would fall to the table above it.
    return shorter if left in (_without(data, keys), _without(data, keys[:-1])) else None


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else json.dumps(key)


def _with(data: dict[str, Any], keys: Sequence[str], value: Any) -> dict[str, Any]:
    if not keys:
        return dict(value)
    below = data.get(keys[0], {})
    return {**data, keys[0]: _with(below if isinstance(below, dict) else {}, keys[1:], value)}


def _without(data: dict[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    if len(keys) == 1:
        return {key: each for key, each in data.items() if key != keys[0]}
    return {**data, keys[0]: _without(data[keys[0]], keys[1:])}
