"""Which requests a path template matches: a regular language, compared exactly with that of another template.

`/users/{id}` matches every path that `/users/me` matches, `/users/{id:int}` does not. Converters are read
as Starlette compiles them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cached_property, lru_cache

import msgspec

from fastapi_architect.appgraph.path_texts import UNKNOWN_PART
from fastapi_architect.source.lazy_pattern import lazy_pattern

#: What Starlette takes for a parameter; anything else in braces is literal text.
_PARAMETER = lazy_pattern(r"{([a-zA-Z_]\w*)(?::([a-zA-Z_]\w*))?}")
_MAX_PAIRS = 20_000

Accepts = Callable[[str], bool]
#: One state's way on: the characters that are taken, and the state that follows.
_Step = tuple[Accepts, int]


def _not_slash(char: str) -> bool:
    return char != "/"


def _anything(_char: str) -> bool:
    return True


def _digit(char: str) -> bool:
    return "0" <= char <= "9"


def _hexadecimal(char: str) -> bool:
    return char in "0123456789abcdefABCDEF"


def _exactly(wanted: str) -> Accepts:
    return lambda char: char == wanted


class _Automaton(msgspec.Struct):
    """States from 0; the last one made accepts. `free` holds moves that take no character."""

    steps: list[list[_Step]]
    free: list[list[int]]

    def state(self) -> int:
        self.steps.append([])
        self.free.append([])
        return len(self.steps) - 1

    def one(self, begin: int, accepts: Accepts) -> int:
        end = self.state()
        self.steps[begin].append((accepts, end))
        return end

    def many(self, begin: int, accepts: Accepts, *, least_one: bool) -> int:
        end = self.one(begin, accepts) if least_one else self.state()
        self.steps[end].append((accepts, end))
        if not least_one:
            self.free[begin].append(end)
        return end

    def converter(self, begin: int, name: str) -> int:
        if name == "str":
            return self.many(begin, _not_slash, least_one=True)
        if name == "path":
            return self.many(begin, _anything, least_one=False)
        whole = self.many(begin, _digit, least_one=True) if name in ("int", "float") else begin
        if name == "int":
            return whole
        if name == "float":
            fraction = self.many(self.one(whole, _exactly(".")), _digit, least_one=True)
            end = self.state()
            self.free[whole].append(end)
            self.free[fraction].append(end)
            return end
        return self._uuid(begin)

    def _uuid(self, at: int) -> int:
        for index, length in enumerate((8, 4, 4, 4, 12)):
            if index:
                behind = self.state()
                self.free[at].append(behind)
                self.steps[at].append((_exactly("-"), behind))
                at = behind
            for _ in range(length):
                at = self.one(at, _hexadecimal)
        return at

    def closed(self, states: Iterable[int]) -> frozenset[int]:
        found = set(states)
        queue = list(found)
        while queue:
            for following in self.free[queue.pop()]:
                if following not in found:
                    found.add(following)
                    queue.append(following)
        return frozenset(found)

    def after(self, states: frozenset[int], char: str) -> frozenset[int]:
        return self.closed(end for state in states for accepts, end in self.steps[state] if accepts(char))


CONVERTERS = frozenset({"str", "path", "int", "float", "uuid"})


class PathLanguage(msgspec.Struct, frozen=True, dict=True):
    """The paths that a template matches.

    Attributes:
        template: as written, with every prefix.
        parts: literal texts and (name, converter) pairs in order.
    """

    template: str
    parts: tuple[str | tuple[str, str], ...]

    @property
    def shape(self) -> tuple[str, ...]:
        """The template without the names of its parameters: equal shapes match the same paths."""
        return tuple(part if isinstance(part, str) else f"{{:{part[1]}}}" for part in self.parts)

    @property
    def has_parameters(self) -> bool:
        """It matches more than one path."""
        return any(not isinstance(part, str) for part in self.parts)

    def covers(self, other: PathLanguage) -> bool:
        """Every path that `other` matches is matched by this one."""
        if self.segments is not None and other.segments is not None:
            return len(self.segments) == len(other.segments) and all(
                mine == theirs or (mine is None and theirs != "")
                for mine, theirs in zip(self.segments, other.segments, strict=True)
            )
        return _compared(self, other)[0]

    def meets(self, other: PathLanguage) -> bool:
        """Some path is matched by both."""
        return _compared(self, other)[1]

    @cached_property
    def segments(self) -> tuple[str | None, ...] | None:
        """The path's segments, None for a parameter that takes any text; None when one is more than that."""
        parameters = [part for part in self.parts if not isinstance(part, str)]
        if any(converter != "str" for _, converter in parameters):
            return None
        found: list[str | None] = []
        for segment in self.template.split("/"):
            if "{" not in segment and "}" not in segment:
                found.append(segment)
            elif segment.startswith("{") and segment.find("}") == len(segment) - 1:
                found.append(None)
            else:
                return None
        return tuple(found) if found.count(None) == len(parameters) else None

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The expression that Starlette compiles the template to."""
        texts = (
            re.escape(part) if isinstance(part, str) else f"(?:{_PATTERNS[part[1]]})" for part in self.parts
        )
        return re.compile("".join(texts))

    @cached_property
    def witness(self) -> str:
        """A path that it matches and that a template matches which covers it; most others do not."""
        values = {"str": "\1w", "path": "\1w/\1x", "int": "7", "float": "7.5", "uuid": "0" * 32}
        return "".join(part if isinstance(part, str) else values[part[1]] for part in self.parts)

    def example(self, taken: str = "me") -> str:
        """A path that it matches; `taken` stands for free text."""
        values = {"str": taken, "path": taken, "int": "7", "float": "7", "uuid": "0" * 32}
        return "".join(part if isinstance(part, str) else values[part[1]] for part in self.parts)

    def values_in(self, other: PathLanguage) -> dict[str, str]:
        """What this template's parameters hold when `other`'s template is requested: name to text."""
        pattern = "".join(
            re.escape(part) if isinstance(part, str) else f"(?P<{part[0]}>{_PATTERNS[part[1]]})"
            for part in self.parts
        )
        match = re.fullmatch(pattern, other.template)
        return match.groupdict() if match is not None else {}


_PATTERNS = {
    "str": "[^/]+",
    "path": ".*",
    "int": "[0-9]+",
    "float": r"[0-9]+(\.[0-9]+)?",
    "uuid": "[0-9a-fA-F-]+",
}


@lru_cache(maxsize=4096)
def language(template: str) -> PathLanguage | None:
    """The language of a template; None when a part or a converter of it is not known."""
    if UNKNOWN_PART in template:
        return None
    parts: list[str | tuple[str, str]] = []
    at = 0
    for match in _PARAMETER.finditer(template):
        converter = match[2] or "str"
        if converter not in CONVERTERS:
            return None
        if match.start() > at:
            parts.append(template[at : match.start()])
        parts.append((match[1], converter))
        at = match.end()
    if at < len(template):
        parts.append(template[at:])
    return PathLanguage(template, tuple(parts))


def below(prefix: str) -> PathLanguage | None:
    """What a mount under `prefix` takes: everything behind its slash."""
    return language(prefix.rstrip("/") + "/{path:path}")


@lru_cache(maxsize=1024)
def _automaton(of: PathLanguage) -> _Automaton:
    made = _Automaton([], [])
    at = made.state()
    for part in of.parts:
        if isinstance(part, str):
            for char in part:
                at = made.one(at, _exactly(char))
        else:
            at = made.converter(at, part[1])
    if at != len(made.steps) - 1:
        end = made.state()
        made.free[at].append(end)
    return made


def _literals(of: PathLanguage) -> set[str]:
    return {char for part in of.parts if isinstance(part, str) for char in part}


@lru_cache(maxsize=4096)
def _compared(left: PathLanguage, right: PathLanguage) -> tuple[bool, bool]:
    """(left matches all that right matches, some path is matched by both), by walking both automata at once.

    One character stands for all that no template names, so that the alphabet is small and the answer exact.
    """
    first, second = _automaton(left), _automaton(right)
    alphabet = sorted(_literals(left) | _literals(right) | set("0123456789abcdefABCDEF/.-\0"))
    last_of_first, last_of_second = len(first.steps) - 1, len(second.steps) - 1
    begin = (first.closed({0}), second.closed({0}))
    seen = {begin}
    queue = [begin]
    covers, meets = True, False
    while queue:
        mine, theirs = queue.pop()
        if last_of_second in theirs:
            covers = covers and last_of_first in mine
            meets = meets or last_of_first in mine
        if len(seen) > _MAX_PAIRS:
            return False, True
        if not covers and (meets or not mine):
            continue
        for char in alphabet:
            following = (first.after(mine, char), second.after(theirs, char))
            if following[1] and following not in seen:
                seen.add(following)
                queue.append(following)
    return covers, meets
