"""Which other sites' pages may read an application's answers: every CORS middleware with its options as values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from fastapi_architect.appgraph.applications import Application
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.middleware import Middleware
from fastapi_architect.appgraph.path_operations import PathOperation
from fastapi_architect.concepts.http import CookieSet
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.definitions import Scope, last_name
from fastapi_architect.syntax import ir

_CORS = "CORSMiddleware"
_COOKIE_SCHEMES = frozenset({"APIKeyCookie", "CookieTransport"})


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
    """What a browser sends along to a page of another site (a cookie, basic authentication); "" when nothing is known.

    A cookie whose SameSite is strict or lax does not count: a browser leaves it out of what another site's page fetches.
    """
    for middleware in application.middleware:
        is_session = middleware.name.rpartition(".")[2] in ("SessionMiddleware", "RedisSessionMiddleware")
        if is_session and not _is_confined(middleware.keywords.get("same_site"), middleware.scope, graph):
            return "the session cookie"
    cookies = [c for c in graph.facts(CookieSet) if c.scope.module.kind == "source"]
    for operation in application.operations:
        sent = _sent_with(operation, cookies, graph)
        if sent:
            return sent
    for cookie in cookies:
        if not _is_confined(cookie.samesite, cookie.scope, graph):
            name = graph.program.constants.string(cookie.key, cookie.scope)
            return f"the cookie {name}" if name else "a cookie"
    return _of_transports(graph)


def _sent_with(operation: PathOperation, cookies: list[CookieSet], graph: AppGraph) -> str:
    """What the operation's parameters and schemes read that another site's page sends along."""
    for parameter in operation.all_parameters():
        if parameter.kind == "cookie" and not _all_confined(cookies, graph, parameter.alias):
            return f"the cookie {parameter.alias}"
    for dependency in operation.all_dependencies():
        last = (dependency.instance_of or dependency.name).rpartition(".")[2]
        if last == "HTTPBasic":
            return "basic authentication"
        if last in _COOKIE_SCHEMES and not _all_confined(cookies, graph) and not _transports_confine(graph):
            return "a cookie"
    return ""


def _all_confined(cookies: list[CookieSet], graph: AppGraph, name: str = "") -> bool:
    """The application sets the cookie itself (any cookie when no name is given), and never for other sites."""
    constants = graph.program.constants
    own = [c for c in cookies if not name or constants.string(c.key, c.scope) == name]
    return bool(own) and all(_is_confined(c.samesite, c.scope, graph) for c in own)


def _is_confined(same_site: ir.Expr | None, scope: Scope, graph: AppGraph) -> bool:
    """SameSite is strict or lax; lax is the default of Starlette and of fastapi-users."""
    if same_site is None:
        return True
    chosen, where = graph.program.inference.expand(same_site, scope)
    if chosen.__class__ is ir.IfExp:
        return all(_is_confined(each, where, graph) for each in (chosen.body, chosen.orelse))
    return (graph.program.constants.string(same_site, scope) or "").lower() in ("lax", "strict")


def _of_transports(graph: AppGraph) -> str:
    sites = graph.program.call_sites_named("CookieTransport")
    return "a cookie" if sites and not _transports_confine(graph) else ""


def _transports_confine(graph: AppGraph) -> bool:
    """fastapi-users sets the cookies, and all of them for its own site."""
    sites = graph.program.call_sites_named("CookieTransport")
    return bool(sites) and all(
        _is_confined(argument(site.node, None, "cookie_samesite"), site.scope, graph) for site in sites
    )
