"""Which features of a web package does the application use, and where first? An advisory often concerns just one.

What a package of the tree's requirements does by itself counts, too: an administration panel serves static files
and reads forms although no line of the application says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.question import question_about
from fastapi_architect.concepts.http import ResponseCreation
from fastapi_architect.concepts.identity import TokenDecode
from fastapi_architect.program.definitions import dotted_name, last_name
from fastapi_architect.source.location import Location

#: Packages with pages of their own, which they bring style sheets and forms along for.
_WITH_PAGES = (
    "sqladmin", "starlette-admin", "fastapi-amis-admin", "gradio", "nicegui", "chainlit", "fastapi-admin",
)  # fmt: skip
#: Calls that make routers with a login form.
_FORM_ROUTERS = ("get_auth_router", "get_oauth_router")


class FeatureUse(msgspec.Struct, frozen=True):
    """The first place where a feature is used.

    Attributes:
        what: in the reader's words, to stand behind "because": "`POST /login` reads a form".
        location: where.
    """

    what: str
    location: Location


@question_about
def use_of(graph: AppGraph, feature: str) -> FeatureUse | None:
    """The first use of a feature in code that is no test, None when nothing uses it.

    Args:
        graph: the backend.
        feature: forms (bodies of forms are parsed), static (a folder is served by StaticFiles), files (that, or
            FileResponse) or tokens (a signature of a token is checked).
    """
    return next(_READERS[feature](graph), None)


def _forms(graph: AppGraph) -> Iterator[FeatureUse]:
    for operation in graph.operations:
        if any(parameter.kind in ("form", "file") for parameter in operation.all_parameters()):
            yield FeatureUse(f"`{operation}` reads a form", operation.location)
    for site in graph.program.call_sites_named("form"):
        called = dotted_name(site.node.func)
        if site.scope.module.kind == "source" and called.lower().endswith(("request.form", "req.form")):
            yield FeatureUse(f"`{called}()` reads a form", site.scope.location(site.node))
    for name in _FORM_ROUTERS:
        for site in graph.program.call_sites_named(name):
            if site.scope.module.kind == "source":
                yield FeatureUse("the login's router reads a form", site.scope.location(site.node))
    yield from _pages(graph)


def _static(graph: AppGraph) -> Iterator[FeatureUse]:
    names = {"StaticFiles"}
    for module in graph.program.mentioning("StaticFiles"):
        names |= {c.name for c in module.classes if any(last_name(b) == "StaticFiles" for b in c.node.bases)}
    for name in sorted(names):
        for site in graph.program.call_sites_named(name):
            if site.scope.module.kind == "source":
                yield FeatureUse(f"`{name}` serves a folder", site.scope.location(site.node))
    yield from _pages(graph)


def _files(graph: AppGraph) -> Iterator[FeatureUse]:
    for made in graph.facts(ResponseCreation):
        if made.kind == "file" and made.scope.module.kind == "source":
            yield FeatureUse("`FileResponse` sends a file", made.location)
    for operation in graph.operations:
        answer = operation.keywords.get("response_class")
        if answer is not None and last_name(answer) == "FileResponse":
            yield FeatureUse(f"`{operation}` sends a file", operation.location)
    yield from _static(graph)


def _tokens(graph: AppGraph) -> Iterator[FeatureUse]:
    for decode in graph.facts(TokenDecode):
        if decode.verified and decode.scope.module.kind == "source":
            yield FeatureUse("a token is verified", decode.location)


def _pages(graph: AppGraph) -> Iterator[FeatureUse]:
    for package in _WITH_PAGES:
        found = graph.deployment.version_of(package)
        if found is not None and not found.requirement.group:
            yield FeatureUse(f"`{package}` has pages of its own", found.requirement.location)


_READERS: dict[str, Callable[[AppGraph], Iterator[FeatureUse]]] = {
    "forms": _forms,
    "static": _static,
    "files": _files,
    "tokens": _tokens,
}
