"""Values of a configuration, checked by hand: every error says where it stands and what to write instead."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import msgspec

from fastapi_architect.source.lazy_pattern import lazy_pattern

_DOTTED = lazy_pattern(r"[^\W\d]\w*(\.[^\W\d]\w*)+")


class ConfigError(Exception):
    """The configuration cannot be used; one line that names the file, the key and the next step."""


class Values(msgspec.Struct, frozen=True):
    """Checks values of one file.

    Attributes:
        file: the file's name, for messages.
        known: selectors that exist: rules, topics, categories.
    """

    file: str
    known: frozenset[str]

    def error(self, key: str, text: str) -> ConfigError:
        """An error at this key."""
        return ConfigError(f"{self.file}: {key}: {text}" if key else f"{self.file}: {text}")

    def table(self, key: str, value: Any, keys: Iterable[str]) -> dict[str, Any]:
        """A table whose keys are among `keys`, with underscores in place of dashes."""
        if not isinstance(value, dict):
            raise self.error(key or "[tool.fastapi-architect]", f"has to be a table, not {kind_of(value)}")
        allowed = set(keys)
        found = {}
        for name, each in value.items():
            plain = name.replace("-", "_")
            if plain not in allowed:
                shown = {one.replace("_", "-") for one in allowed} if "-" in name else allowed
                raise self.error(key, unknown("key", name, shown))
            if plain in found:
                raise self.error(key, f"{name!r} is given twice, with a dash and with an underscore")
            found[plain] = each
        return found

    def text(self, key: str, value: Any) -> str:
        """A text that is not empty, without space around it."""
        if not isinstance(value, str) or not value.strip():
            raise self.error(key, f"has to be a text in quotes, not {kind_of(value)}")
        return value.strip()

    def items(self, key: str, value: Any) -> list[tuple[str, Any]]:
        """A list's elements, each with its place for messages."""
        if not isinstance(value, list):
            raise self.error(key, f"has to be a list in brackets, not {kind_of(value)}")
        return [(f"{key}[{index}]", each) for index, each in enumerate(value)]

    def texts(self, key: str, value: Any) -> tuple[str, ...]:
        """A list of texts."""
        return tuple(self.text(place, each) for place, each in self.items(key, value))

    def choice(self, key: str, value: Any, choices: Collection[str]) -> str:
        """One of a few texts."""
        text = self.text(key, value)
        if text not in choices:
            raise self.error(key, f"{text!r} is not one of {', '.join(choices)}")
        return text

    def selector(self, key: str, value: Any) -> str:
        """A rule, topic or category that exists; categories may be written with dashes."""
        text = self.text(key, value)
        if text in self.known:
            return text
        plain = text.replace("-", "_")
        if plain in self.known:
            return plain
        raise self.error(key, unknown("rule, category or topic", text, self.known))

    def selectors(self, key: str, value: Any) -> tuple[str, ...]:
        """A list of selectors."""
        return tuple(self.selector(place, each) for place, each in self.items(key, value))

    def dotted_name(self, key: str, value: Any) -> str:
        """A full dotted name."""
        text = self.text(key, value)
        if not _DOTTED.fullmatch(text):
            raise self.error(key, f"{text!r} has to be a full dotted name, such as 'app.auth.current_user'")
        return text

    def dotted_names(self, key: str, value: Any) -> tuple[str, ...]:
        """A list of full dotted names."""
        return tuple(self.dotted_name(place, each) for place, each in self.items(key, value))


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """ "there is no rule 'x'; did you mean 'y'?" or, without a near one, the list where it is short."""
    import difflib

    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if near:
        return f"there is no {what} {name!r}; did you mean {near[0]!r}?"
    hint = f"; known are {', '.join(names)}" if len(names) <= 16 else "; `architect explain` lists them"
    return f"there is no {what} {name!r}{hint}"


def kind_of(value: Any) -> str:
    """What a value of TOML is, in words."""
    if isinstance(value, bool):
        return "true or false"
    names = {str: "an empty text" if value == "" else "a text", int: "a number", float: "a number"}
    names |= {list: "a list", dict: "a table"}
    return names.get(type(value), "a date or time")
