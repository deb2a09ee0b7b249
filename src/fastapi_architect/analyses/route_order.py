"""Which operations never answer, because one that is tried earlier matches every request for them.

Starlette tries routes in the order in which they were added and takes the first that fits. The order of two
operations is only told where one body registers or includes both: across functions and modules, imports
decide.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from fastapi_architect.analyses.path_language import PathLanguage, below, language
from fastapi_architect.appgraph.applications import Application
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.path_operations import PathOperation
from fastapi_architect.appgraph.path_texts import UNKNOWN_PART
from fastapi_architect.appgraph.question import question
from fastapi_architect.appgraph.router_walk import Mount
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.definitions import Scope, last_name
from fastapi_architect.syntax import ir


class Shadow(msgspec.Struct, frozen=True, eq=False):
    """`later` is not reached, because `earlier` takes its requests.

    Attributes:
        application: whose routes they are.
        earlier: what is tried first.
        later: what is not reached.
        methods: the methods that are taken.
        equal: both match the same paths: one operation, registered twice.
        ordered: one body shows which comes first.
    """

    application: Application
    earlier: PathOperation | Mount
    later: PathOperation
    methods: tuple[str, ...]
    equal: bool
    ordered: bool

    @property
    def complete(self) -> bool:
        """No method of `later` is left."""
        return set(self.methods) >= set(self.later.methods)


class _Tried:
    """Languages that are tried before a route: plain ones in a tree of their segments, others by the number of these."""

    def __init__(self) -> None:
        self._tree: dict[str | None, Any] = {}
        self._others: dict[int, list[_Earlier]] = {}
        self._catching: list[_Earlier] = []
        self._count = 0

    def add(self, operation: PathOperation, of: PathLanguage) -> None:
        earlier = (self._count, operation, of)
        self._count += 1
        if of.segments is not None:
            node = self._tree
            for segment in of.segments:
                node = node.setdefault(segment, {})
            node.setdefault(_LEAF, []).append(earlier)
        elif any(not isinstance(part, str) and part[1] == "path" for part in of.parts):
            self._catching.append(earlier)
        else:
            self._others.setdefault(of.template.count("/"), []).append(earlier)

    def before(self, of: PathLanguage) -> Iterator[tuple[PathOperation, PathLanguage]]:
        witness = of.witness
        nodes = [self._tree]
        for segment in witness.split("/"):
            nodes = [n[key] for n in nodes for key in ((segment, None) if segment else ("",)) if key in n]
        plain = [earlier for node in nodes for earlier in node.get(_LEAF, ())]
        plain += [e for e in self._others.get(of.template.count("/"), ()) if _matches(e[2], witness)]
        plain.sort(key=lambda earlier: earlier[0])
        for _, operation, earlier in (*plain, *(e for e in self._catching if _matches(e[2], witness))):
            yield operation, earlier


#: Order of registration, and a route that is tried.
_Earlier = tuple[int, PathOperation, PathLanguage]
#: Key of the routes that end in a node; no segment holds a slash.
_LEAF = "/"


def _matches(of: PathLanguage, path: str) -> bool:
    return of.pattern.fullmatch(path) is not None


def _find(application: Application) -> Iterator[Shadow]:
    tried = _Tried()
    for later in sorted(application.operations, key=lambda o: o.registered_order):
        of = language(later.path.replace(UNKNOWN_PART, "?"))
        if of is None or "?" in later.methods or later.floating:
            continue
        shadow = next(_shadows_of(application, later, of, tried), None)
        if shadow is not None:
            yield shadow
        tried.add(later, of)
    for mount in application.mounts:
        yield from _below(application, mount)


def _shadows_of(
    application: Application, later: PathOperation, of: PathLanguage, tried: _Tried
) -> Iterator[Shadow]:
    for earlier, mine in tried.before(of):
        methods = tuple(sorted(_methods(earlier) & set(later.methods)))
        if not methods or not mine.covers(of):
            continue
        shared = _shared(earlier, later)
        if not _same_unknowns(earlier, later, shared) or _is_conditional(earlier, shared):
            continue
        first, second = _call_at(earlier, shared), _call_at(later, shared)
        if first[0] is second[0]:
            continue  # one call in a wrapper or loop: its rounds are not told apart
        ordered = first[1] is second[1]
        yield Shadow(application, earlier, later, methods, mine.shape == of.shape, ordered)


def _below(application: Application, mount: Mount) -> Iterator[Shadow]:
    """Operations added to the application itself, behind the mount in the same body."""
    taken = below(mount.path)
    if taken is None or last_name(mount.call.func) != "mount" or _is_in_branch(mount):
        return
    for later in application.operations:
        call, scope = _call_at(later, 0)
        of = language(later.path)
        if of is None or scope is not mount.scope or call.span <= mount.call.span or not taken.covers(of):
            continue
        yield Shadow(application, mount, later, later.methods, equal=False, ordered=True)


def _is_in_branch(mount: Mount) -> bool:
    """A condition decides whether it is mounted, or its place in the file does not tell when."""
    if mount.application is not None and mount.application.scope is mount.scope and mount.path in ("", "/"):
        return False
    site = next((s for s in mount.scope.facts.calls if s.node is mount.call), None)
    return site is None or site.context.inside("if", "else", "case", "loop", "try", "handler") is not None


def _methods(operation: PathOperation) -> set[str]:
    found = set(operation.methods)
    if operation.kind == "plain" and "GET" in found:
        found.add("HEAD")  # a Starlette route answers HEAD too, a FastAPI one does not
    return found


def _shared(earlier: PathOperation, later: PathOperation) -> int:
    """How many inclusions both have in common, from the application inwards."""
    shared = 0
    for mine, theirs in zip(earlier.inclusions, later.inclusions, strict=False):
        if mine is not theirs:  # one wrapper's call stands for many inclusions; each of them is an object
            break
        shared += 1
    return shared


def _call_at(operation: PathOperation, depth: int) -> tuple[ir.Call, Scope]:
    if depth < len(operation.inclusions):
        inclusion = operation.inclusions[depth]
        return inclusion.call, inclusion.scope
    return operation.registration


def _is_conditional(operation: PathOperation, shared: int) -> bool:
    """A condition that is not shared decides whether the operation exists."""
    if any(inclusion.conditional for inclusion in operation.inclusions[shared:]):
        return True
    return operation.conditional and not any(inclusion.conditional for inclusion in operation.inclusions)


def _same_unknowns(earlier: PathOperation, later: PathOperation, shared: int) -> bool:
    """Parts of the paths that are not known are the same text, because both got them on their shared way."""
    unknown = earlier.path.count(UNKNOWN_PART)
    if unknown != later.path.count(UNKNOWN_PART):
        return False
    if not unknown:
        return True
    if (
        shared == len(earlier.inclusions) == len(later.inclusions)
        and earlier.router_location == later.router_location
    ):
        written = (argument(each.registration[0], 0, "path") for each in (earlier, later))
        if any(path.__class__ is not ir.Constant for path in written):
            return False
        behind = earlier.path.rfind(UNKNOWN_PART)
        return earlier.path[:behind] == later.path[:behind]
    return unknown == sum((each.prefix or "").count(UNKNOWN_PART) for each in earlier.inclusions[:shared])


@question
def shadows(graph: AppGraph) -> tuple[Shadow, ...]:
    """Every operation that is not reached, with the first that takes its requests; kept by graph."""
    return tuple(shadow for application in graph.applications for shadow in _find(application))
