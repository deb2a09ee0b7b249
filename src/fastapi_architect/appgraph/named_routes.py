"""Which operations does a person mean: "GET /orders/{id}", "/orders", a path that a client asked for, or a handler's name?"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator

import msgspec

from fastapi_architect.appgraph.applications import Application
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.path_operations import PathOperation
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.source.tree import printable

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT", "WEBSOCKET", "WS")
_ASKED = lazy_pattern(rf"(?:({'|'.join(_METHODS)})(?:\s*(?=/)|\s+))?(.*)", re.IGNORECASE | re.DOTALL)
_HOST = lazy_pattern(r"^[a-z][a-z0-9+.-]*://[^/?#]*", re.IGNORECASE)
_PARAMETER = lazy_pattern(r"{([^{}]*)}")
_VERSION = lazy_pattern(r"(?:/api|/v\d+(?:\.\d+)?)+", re.IGNORECASE)
#: Names in a message, and lines of the list below it.
_NEAR, _LISTED = 5, 40


class NoSuchRoute(Exception):
    """No operation is meant; the message names near ones and all there are.

    Attributes:
        near: the nearest, as "GET /orders/{id}".
    """

    def __init__(self, message: str, near: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.near = near


class NamedRoute(msgspec.Struct, frozen=True, eq=False):
    """One operation that is meant, in its application."""

    application: Application
    operation: PathOperation

    @property
    def path(self) -> str:
        """As a client asks for it: with the path at which the application is mounted."""
        return self.application.mount_path + self.operation.path

    @property
    def names(self) -> tuple[str, ...]:
        """ "GET /api/orders", one for each method."""
        return tuple(f"{method} {self.path}" for method in self.operation.methods)


def routes_named(graph: AppGraph, wanted: str, application: str = "") -> tuple[NamedRoute, ...]:
    """The operations that a person means, in order of applications and registration.

    A path is taken literally first, then with other names for its parameters, then as one that a client asks for (that is
    answered by the first operation of each method that matches, as the router chooses), then as what stands behind a prefix.
    A word without a slash is a handler's name. Without a method all methods are meant.

    Args:
        graph: the backend.
        wanted: as typed: "GET /orders/{id}", "/orders/17?full=1", "read_order".
        application: only this one: its name, its file, or "file:name"; "" for all.

    Raises:
        NoSuchRoute: nothing is meant.
    """
    known = _of_applications(graph, application)
    if not known:
        message = "no route was found here; pass the folder of your application, or see `architect map`"
        raise NoSuchRoute(message)
    asked = _ASKED.fullmatch(wanted.strip())
    method, text = (asked[1] or "", asked[2].strip()) if asked is not None else ("", wanted.strip())
    method = {"WS": "WEBSOCKET"}.get(method.upper(), method.upper())
    if "/" not in text:
        found = [each for each in known if text and _is_handler(each.operation, text)]
    else:
        found = _with_path(known, method, _path(text))
    found = [each for each in found if not method or method in each.operation.methods]
    if not found:
        raise _nothing(known, method, text, wanted)
    return tuple(found)


def _of_applications(graph: AppGraph, application: str) -> list[NamedRoute]:
    chosen = [each for each in graph.mapped if not application or application in _names_of(each)]
    if not chosen and application and graph.mapped:
        names = [_names_of(each)[0] for each in graph.mapped]
        message = f"there is no application {printable(application)!r}; there are: {', '.join(map(printable, names))}"
        raise NoSuchRoute(message)
    return [NamedRoute(each, operation) for each in chosen for operation in each.operations]


def _names_of(application: Application) -> tuple[str, ...]:
    return (
        f"{application.module_path}:{application.name}",
        f"{application.module_path.removesuffix('.py').replace('/', '.')}:{application.name}",
        application.name,
        application.module_path,
    )


def _is_handler(operation: PathOperation, name: str) -> bool:
    return operation.handler_name == name or operation.handler_name.endswith(f".{name}")


def _path(text: str) -> str:
    """The path of what may be a whole address."""
    path = re.split(r"[?#]", _HOST.sub("", text), maxsplit=1)[0]
    return path if path.startswith("/") else f"/{path}"


def _with_path(known: list[NamedRoute], method: str, path: str) -> list[NamedRoute]:
    return _at_path(known, method, path) or _behind_prefix(known, method, path)


def _at_path(known: list[NamedRoute], method: str, path: str) -> list[NamedRoute]:
    exact = [each for each in known if path in (each.path, each.operation.path)]
    if exact:
        return exact
    shape = _shape(path)
    same = [each for each in known if shape in (_shape(each.path), _shape(each.operation.path))]
    return same or list(_answering(known, method, path))


def _behind_prefix(known: list[NamedRoute], method: str, path: str) -> list[NamedRoute]:
    """What is asked for without the `/api/v1` before it, or else without the only prefix that there is."""
    versions = dict.fromkeys(found[0] for each in known if (found := _VERSION.match(each.path)))
    for prefix in versions:
        versioned = _at_path([e for e in known if e.path.startswith(f"{prefix}/")], method, prefix + path)
        if versioned:
            return versioned
    shape = _shape(path)
    ending = {
        each: _shape(each.path).removesuffix(shape) for each in known if _shape(each.path).endswith(shape)
    }
    return list(ending) if len(set(ending.values())) == 1 and shape != "/" else []


def _shape(path: str) -> str:
    """A path without the names of its parameters."""
    return _PARAMETER.sub("{}", path)


def _answering(known: list[NamedRoute], method: str, path: str) -> Iterator[NamedRoute]:
    """The first operation of each application and method whose template matches."""
    answered: set[tuple[int, str]] = set()
    for each in known:
        methods = [m for m in each.operation.methods if not method or m == method]
        new = [m for m in methods if (id(each.application), m) not in answered]
        if new and any(re.fullmatch(_expression(p), path) for p in (each.path, each.operation.path)):
            answered.update((id(each.application), m) for m in new)
            yield each


def _expression(template: str) -> str:
    pieces = []
    for number, piece in enumerate(_PARAMETER.split(template)):
        if number % 2 == 0:
            pieces.append(re.escape(piece))
        else:  # `{?}` is a part that the analysis does not know
            pieces.append(".*" if piece == "?" or piece.endswith(":path") else "[^/{}]+")
    return "".join(pieces)


def _nothing(known: list[NamedRoute], method: str, text: str, wanted: str) -> NoSuchRoute:
    names = list(dict.fromkeys(name for each in known for name in each.names))
    others = (
        [name for each in _with_path(known, "", _path(text)) for name in each.names] if "/" in text else []
    )
    handlers = {each.operation.handler_name.rpartition(".")[2]: each.names[0] for each in known}
    near = others or [
        *_close(f"{method or 'GET'} {_path(text)}", names),
        *(handlers[name] for name in _close(text, handlers)),
    ]
    near = list(dict.fromkeys(near))[:_NEAR]
    hint = f"; did you mean {' or '.join(map(repr, map(printable, near)))}?" if near else ""
    listed = "\n".join(f"  {printable(name)}" for name in names[:_LISTED])
    more = f"\n  ... and {len(names) - _LISTED} more: `architect map`" if len(names) > _LISTED else ""
    message = f"there is no route {printable(wanted.strip())!r}{hint}\nThere are:\n{listed}{more}"
    return NoSuchRoute(message, tuple(near))


def _close(text: str, names: Iterable[str]) -> list[str]:
    lowered = {name.lower(): name for name in names}
    return [lowered[each] for each in difflib.get_close_matches(text.lower(), lowered, n=3, cutoff=0.6)]
