"""What a project has already that a component would do a second time."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.program.definitions import Module
from fastapi_architect.source.location import Location

#: Component to packages that do the same.
PACKAGES = {
    "rate_limiting": ("slowapi", "fastapi_limiter", "fastapi_throttle", "ratelimit", "pyrate_limiter"),
    "structured_logging": (
        "structlog",
        "pythonjsonlogger",
        "asgi_correlation_id",
        "loguru",
        "ecs_logging",
        "json_logging",
    ),
    "cache": ("fastapi_cache", "aiocache", "cashews", "fastapi_redis_cache"),
    "metrics": ("prometheus_fastapi_instrumentator", "starlette_prometheus", "starlette_exporter"),
    "celery_tasks": ("celery", "arq", "taskiq", "dramatiq", "rq"),
    "idempotency": ("asgi_idempotency_header",),
    "redis_pool": ("redis", "aioredis"),
    "mail": ("fastapi_mail", "aiosmtplib"),
    "accounts": ("fastapi_users",),
    "oidc_login": ("authlib", "fastapi_sso"),
}
#: Component to calls that do a part of it; the one that is made last wins.
CALLS = {"structured_logging": ("dictConfig", "fileConfig", "basicConfig")}
#: Component to words in the name of a middleware that does the same.
MIDDLEWARE = {
    "rate_limiting": ("ratelimit", "limiter", "throttl"),
    "structured_logging": ("correlationid",),
    "request_limits": ("bodysize", "contentsize", "maxsize"),
    "http_security": ("securityheaders", "secureheaders"),
    "metrics": ("prometheus", "metrics"),
    "idempotency": ("idempoten",),
}
#: Component to paths that it serves, or that mean the same.
PATHS = {
    "health_checks": (
        "/health",
        "/healthz",
        "/livez",
        "/readyz",
        "/live",
        "/ready",
        "/health/live",
        "/health/ready",
    ),
    "metrics": ("/metrics",),
}
#: Components that serve one of the paths above themselves; others are merely alike.
_OWN_PATHS: dict[str, tuple[str, ...]] = {
    "health_checks": ("/livez", "/readyz", "/health/live", "/health/ready"),
    "metrics": ("/metrics",),
}


class Equivalent(msgspec.Struct, frozen=True, order=True):
    """Something of the kind.

    Attributes:
        what: in the project's own names.
        location: where.
        collides: both cannot be there.
    """

    what: str
    location: Location
    collides: bool = True


def equivalents(graph: AppGraph, component: str, application: Module) -> list[Equivalent]:
    """What the project has of a component's kind, the first place of each.

    Args:
        graph: the project.
        component: its name.
        application: the file that is wired; scripts and services in other packages are not asked.
    """
    found = [
        *_packages(graph, component, application),
        *_middleware(graph, component),
        *_paths(graph, component),
        *_calls(graph, component, application),
    ]
    return list({each.what: each for each in sorted(found, reverse=True)}.values())[::-1]


def _packages(graph: AppGraph, component: str, application: Module) -> Iterator[Equivalent]:
    packages = PACKAGES.get(component, ())
    for module in graph.program.modules.values():
        if not packages or not _beside(module, application):
            continue
        for bindings in module.facts.bindings.values():
            for binding in bindings:
                top = binding.target.partition(".")[0] if binding.kind in ("import", "from") else ""
                if top in packages:
                    yield Equivalent(top, module.location(binding.node), component != "redis_pool")


def _beside(module: Module, application: Module) -> bool:
    """Both are of one service."""
    if module.kind not in ("source", "generated") or module.root != application.root:
        return False
    alone = "." not in application.name
    return alone or module.name.partition(".")[0] == application.name.partition(".")[0]


def _middleware(graph: AppGraph, component: str) -> Iterator[Equivalent]:
    for application in graph.applications:
        for middleware in application.middleware:
            name = middleware.name.rpartition(".")[2]
            if any(word in name.lower().replace("_", "") for word in MIDDLEWARE.get(component, ())):
                yield Equivalent(name, middleware.location)


def _calls(graph: AppGraph, component: str, application: Module) -> Iterator[Equivalent]:
    for name in CALLS.get(component, ()):
        for site in graph.program.call_sites_named(name):
            if _beside(site.scope.module, application):
                yield Equivalent(f"{name}()", site.scope.location(site.node), collides=False)


def _paths(graph: AppGraph, component: str) -> Iterator[Equivalent]:
    own = _OWN_PATHS.get(component, ())
    for operation in graph.operations:
        path = operation.path.rstrip("/")
        if path in PATHS.get(component, ()):
            yield Equivalent(f"{operation.methods[0]} {operation.path}", operation.location, path in own)
