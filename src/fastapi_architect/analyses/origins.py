"""Of what is a value made? An algebra of origins that keeps fields apart.

A *value* says for itself and for its fields where they come from: `Service(session, user=user)` carries `user` in its field
`user`. Inside a function origins are its parameters; an operation puts the caller and the client's choices in their place.
"""

from __future__ import annotations

from collections.abc import Iterable

#: Fields of a value, outer first.
Path = tuple[str, ...]
#: `("in", parameter, *fields)`, `CALLER`, or what an operation calls its inputs: `("client", name, *fields)`.
Origin = tuple[str, ...]
Origins = frozenset[Origin]
#: Where a value and its fields come from.
Value = frozenset[tuple[Path, Origin]]

#: Whoever is signed in.
CALLER: Origin = ("caller",)
NOTHING: Value = frozenset()
NO_ORIGINS: Origins = frozenset()
_FIELDS = 2


def whole(origins: Iterable[Origin]) -> Value:
    """A value that is made of some origins throughout."""
    return frozenset([((), origin) for origin in origins])


def flat(value: Value) -> Origins:
    """Everything that a value or one of its fields is made of."""
    return frozenset([origin for _, origin in value]) if value else NO_ORIGINS


def field(value: Value, name: str) -> Value:
    """What `value.name` is made of."""
    if not value:
        return value
    found: list[tuple[Path, Origin]] = []
    for path, origin in value:
        if path:
            if path[0] == name:
                found.append((path[1:], origin))
        elif origin[0] == "caller" or len(origin) >= _FIELDS + 2:
            found.append(((), origin))
        else:
            found.append(((), (*origin, name)))
    return frozenset(found)


def within(value: Value, name: str) -> Value:
    """A value whose field `name` is `value`."""
    return frozenset(((name, *path)[:_FIELDS], origin) for path, origin in value)


def put_in(value: Value, arguments: dict[str, Value]) -> Value:
    """A value of a callee in terms of the caller: parameters replaced by what they are given."""
    if not value:
        return value
    found: set[tuple[Path, Origin]] = set()
    for path, origin in value:
        if origin[0] != "in":
            found.add((path, origin))
            continue
        given = arguments.get(origin[1])
        if not given:
            continue
        for name in origin[2:]:
            given = field(given, name)
        if path:
            found.update([((*path, *inner)[:_FIELDS], each) for inner, each in given])
        else:
            found |= given
    return frozenset(found)


class InCaller:
    """Origins of a callee in terms of one caller: a function's tests and lookups share most of theirs."""

    def __init__(self, arguments: dict[str, Value]) -> None:
        self._arguments = arguments
        self._known: dict[Origin, Origins] = {}

    def of(self, origins: Origins) -> Origins:
        """With arguments in place of parameters."""
        if not origins:
            return origins
        known = self._known
        return NO_ORIGINS.union(*[known[each] if each in known else self._of_one(each) for each in origins])

    def _of_one(self, origin: Origin) -> Origins:
        if origin[0] != "in":
            found = frozenset([origin])
        else:
            given = self._arguments.get(origin[1]) or NOTHING
            for name in origin[2:]:
                given = field(given, name)
            found = flat(given)
        self._known[origin] = found
        return found
