"""Which other sites' pages may read an application's answers: every CORS middleware with its options as values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from fastapi_architect.appgraph.applications import Application
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.middleware import Middleware
from fastapi_architect.concepts.http import CookieSet
from fastapi_architect.program.definitions import Scope, last_name
from fastapi_architect.syntax import ir

_CORS = "CORSMiddleware"
_AMBIENT_SCHEMES = frozenset({"APIKeyCookie", "HTTPBasic", "CookieTransport"})


class CorsPolicy(msgspec.Struct, frozen=True, eq=False):
    """One CORS middleware.

    Attributes:
        middleware: where and how it was added.
        origins: listed origins, as far as they are known; a default of the environment counts.
        regex: `allow_origin_regex`, None when absent or not known.
        credentials: `allow_credentials`, None when not known.
        written: origins and credentials stand at the call or in a constant, no setting can change them.
    """

    middleware: Middleware
    origins: tuple[str, ...]
    regex: str | None
    credentials: bool | None
    written: bool

    @property
    def any_origin(self) -> bool:
        """Every site is allowed."""
        return "*" in self.origins or self.regex in (".*", ".+", "^.*$", "^.+$", "https?://.*", "https?://.+")


def cors_policies(application: Application, graph: AppGraph) -> Iterator[CorsPolicy]:
    """The CORS middleware of an application, outermost first."""
    for middleware in application.middleware:
        if middleware.name.rpartition(".")[2] != _CORS:
            continue
        given = middleware.keywords
        origins = _values(given.get("allow_origins"), middleware.scope, graph)
        credentials = graph.program.constants.value(given.get("allow_credentials"), middleware.scope)
        if "allow_credentials" not in given:
            credentials = False
        yield CorsPolicy(
            middleware,
            tuple(origins),
            graph.program.constants.string(given.get("allow_origin_regex"), middleware.scope),
            credentials if isinstance(credentials, bool) else None,
            all(
                _is_written(given.get(n))
                for n in ("allow_origins", "allow_credentials", "allow_origin_regex")
            ),
        )


def _values(expr: ir.Expr | None, scope: Scope, graph: AppGraph, depth: int = 0) -> list[str]:
    """Strings of a list; of a default that is split: `os.getenv("ORIGINS", "*").split(",")`."""
    constants = graph.program.constants
    value: Any = constants.value(expr, scope)
    if isinstance(value, str):
        return [part.strip() for part in value.strip("[]").replace('"', "").split(",")]
    if isinstance(value, list | tuple):
        return [v for v in value if isinstance(v, str)]
    if expr is None or depth > 4:
        return []
    if expr.__class__ is ir.Call and last_name(expr.func) == "split" and expr.func.__class__ is ir.Attribute:
        return _values(expr.func.value, scope, graph, depth + 1)
    if expr.__class__ is ir.Sequence:
        each = [constants.value(e, scope) for e in expr.elts]
        return [v for v in each if isinstance(v, str)]
    if expr.__class__ is ir.BoolOp:
        return _values(expr.values[-1], scope, graph, depth + 1)
    expanded, where = graph.program.inference.expand(expr, scope)
    return _values(expanded, where, graph, depth + 1) if expanded is not expr else []


def _is_written(expr: ir.Expr | None) -> bool:
    """A literal, or nothing at all."""
    if expr is None or expr.__class__ is ir.Constant:
        return True
    return expr.__class__ is ir.Sequence and all(_is_written(e) for e in expr.elts)


def ambient_credential(application: Application, graph: AppGraph) -> str:
    """What a browser sends along by itself (a cookie, a session, basic authentication); "" when nothing is known."""
    for middleware in application.middleware:
        if middleware.name.rpartition(".")[2] in ("SessionMiddleware", "RedisSessionMiddleware"):
            return "the session cookie"
    for operation in application.operations:
        for parameter in operation.all_parameters():
            if parameter.kind == "cookie":
                return f"the cookie {parameter.alias}"
        for dependency in operation.all_dependencies():
            last = (dependency.instance_of or dependency.name).rpartition(".")[2]
            if last in _AMBIENT_SCHEMES:
                return "a cookie" if last != "HTTPBasic" else "basic authentication"
    for cookie in graph.facts(CookieSet):
        if cookie.scope.module.kind == "source":
            name = graph.program.constants.string(cookie.key, cookie.scope)
            return f"the cookie {name}" if name else "a cookie"
    if graph.program.mentioning("CookieTransport", "SessionMiddleware"):
        return "a cookie"
    return ""
