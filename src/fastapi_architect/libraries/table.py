"""Descriptions that need no code: which calls mean which concept, with fields taken from their arguments.

In Python: `describe(library, RandomValue, ["secrets.token_hex"], secure=True, size=Argument(0, "nbytes"))`.
In
`tables/*.toml`, where one file describes a library that only has names:

    packages = ["markdown"]

    [[calls]]
    concept = "BlockingCall"
    names = ["markdown.markdown"]
    kind = "cpu"

A field's text that begins with `@` is taken from the call: `@0 url` (the argument at position 0 or named
url), `@:url` (by name
only), `@?:url` (whether it is written down), `@receiver`, `@args`, `@keywords`.
"""

from __future__ import annotations

import importlib
import pkgutil
import tomllib
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from fastapi_architect import concepts
from fastapi_architect.concepts.concept import Concept
from fastapi_architect.libraries.library import Library, RecognisedCall
from fastapi_architect.program.types import Coroutine, Instance


class Argument(msgspec.Struct, frozen=True):
    """A field that is an argument of the call."""

    position: int | None = None
    keyword: str | None = None


class Given(msgspec.Struct, frozen=True):
    """A field that is True when the argument is written down."""

    position: int | None = None
    keyword: str | None = None


class Part(msgspec.Struct, frozen=True):
    """A field that is another part of the call: receiver, args, keywords or managed."""

    name: str


RECEIVER = Part("receiver")
ARGS = Part("args")
KEYWORDS = Part("keywords")
MANAGED = Part("managed")

_PARTS: dict[str, Callable[[RecognisedCall], object]] = {
    "receiver": lambda call: call.receiver,
    "args": lambda call: tuple(call.node.args),
    "keywords": lambda call: tuple(call.node.keywords),
    "managed": lambda call: call.managed,
    "method": lambda call: call.method,
}


def _field(call: RecognisedCall, value: object) -> object:
    if isinstance(value, Argument):
        return call.argument(value.position, value.keyword)
    if isinstance(value, Given):
        return call.argument(value.position, value.keyword) is not None
    if isinstance(value, Part):
        return _PARTS[value.name](call)
    return value


def describe(
    library: Library,
    concept: type[Concept],
    names: Iterable[str] | str,
    /,
    *,
    owner: str = "",
    duck: dict[str, tuple[str, ...]] | None = None,
    **fields: object,
) -> None:
    """Calls of `names` mean `concept`.

    Args:
        library: where to register it.
        concept: the class of the concept.
        names: dotted names; one string with spaces is split.
        owner: prefix of every name, without the dot.
        duck: as for `Library.recognise`.
        fields: the concept's fields: constants, `Argument`, `Given` or `Part`.
    """
    listed = names.split() if isinstance(names, str) else list(names)
    prefix = f"{owner}." if owner else ""
    dynamic = {key: value for key, value in fields.items() if isinstance(value, Argument | Given | Part)}
    constant: dict[str, Any] = {key: value for key, value in fields.items() if key not in dynamic}

    def recognise(call: RecognisedCall) -> list[Concept]:
        taken = {key: _field(call, value) for key, value in dynamic.items()}
        return [concept(*call.place, **(constant | taken))]

    library.recognise(concept, names=[f"{prefix}{name}" for name in listed], duck=duck)(recognise)


def describe_each(
    library: Library, concept: type[Concept], table: Mapping[str, Mapping[str, object]]
) -> None:
    """Calls mean `concept` with constant fields that differ by name: `{"time.sleep": {"kind": "sleep"}}`."""

    def recognise(call: RecognisedCall) -> list[Concept]:
        fields: dict[str, Any] = {key: _field(call, value) for key, value in table[call.name].items()}
        return [concept(*call.place, **fields)]

    library.recognise(concept, names=table)(recognise)


@cache
def _concepts() -> dict[str, type[Concept]]:
    found: dict[str, type[Concept]] = {}
    for info in pkgutil.iter_modules(concepts.__path__):
        module = importlib.import_module(f"{concepts.__name__}.{info.name}")
        made = {n: v for n, v in vars(module).items() if isinstance(v, type) and issubclass(v, Concept)}
        found.update(made)
    return found


def _parsed(value: object) -> object:
    if not isinstance(value, str) or not value.startswith("@"):
        return value
    if value[1:] in _PARTS:
        return Part(value[1:])
    given = value.startswith("@?")
    position, _, keyword = value[2 if given else 1 :].replace(":", " ").partition(" ")
    return (Given if given else Argument)(int(position) if position else None, keyword.strip() or None)


def library_of(table: Mapping[str, Any]) -> Library:
    """A library from one parsed table. Raises KeyError for a concept that does not exist."""
    library = Library(
        packages=tuple(table["packages"]),
        aliases=dict(table.get("aliases", {})),
        classes=set(table.get("classes", ())),
        functions=set(table.get("functions", ())),
        bases={name: tuple(bases) for name, bases in table.get("bases", {}).items()},
    )
    for name in table.get("coroutines", ()):
        library.calls[name] = Coroutine(None)
    for name, of in table.get("results", {}).items():
        library.calls[name] = Instance(of)
    for entry in table.get("calls", ()):
        fields = {
            key: _parsed(value) for key, value in entry.items() if key not in ("concept", "names", "owner")
        }
        describe(
            library,
            _concepts()[entry["concept"]],
            entry["names"],
            owner=entry.get("owner", ""),
            **fields,  # type: ignore[arg-type]
        )
    return library


def read_tables() -> list[Library]:
    """The libraries described in `tables/*.toml`, in order of file names."""
    folder = Path(__file__).parent / "tables"
    return [library_of(tomllib.loads(path.read_text("utf-8"))) for path in sorted(folder.glob("*.toml"))]
