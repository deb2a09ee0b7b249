"""The guard of the application does not reach what is mounted into it.

`FastAPI(dependencies=[...])` and guards of routers hold for the routes of that application and router. A mounted
application, a route added by `add_route`, `/docs` and `/openapi.json` answer without them.

Known limits: a mounted application counts as guarded by its own dependencies and middleware and by middleware of
the application around it. Mounted static files and applications of libraries are not reported unless the guard
stands on the whole application; what a library's application does itself is not known, so they are tentative.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fastapi_architect.analyses.public_operations import guard_of, is_public_by_nature
from fastapi_architect.appgraph.router_walk import Mount
from fastapi_architect.rules.kit import (
    AppGraph,
    Application,
    Confidence,
    Context,
    Finding,
    PathOperation,
    Proof,
    Rule,
    Severity,
    lazy_pattern,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "A mounted application answers without the guard around it",
    severity=Severity.CRITICAL,
    cwe=862,
    cvss="AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:N",
    references=(
        "https://fastapi.tiangolo.com/tutorial/dependencies/global-dependencies/",
        "https://fastapi.tiangolo.com/advanced/sub-applications/",
    ),
)

_PUBLIC = lazy_pattern(
    r"static|asset|public|media|favicon|metrics|health|docs|mcp|socket\.io|ws$|\.well-known", re.IGNORECASE
)


@rule.check(per=Application)
def mounted_without_guard(application: Application, graph: AppGraph) -> Iterator[Finding]:
    guarded = [o for o in application.operations if graph.access(o).authenticated]
    if not guarded:
        return
    everywhere = _global_guard(application, graph)
    guard = everywhere or guard_of(graph, application) or "the guard"
    for mount in application.mounts:
        if _covered_by_middleware(application, mount.path, graph):
            continue
        yield from _unguarded_mount(application, mount, guard, bool(everywhere), graph)
    if everywhere:
        for operation in application.operations:
            if operation.kind == "plain" and not graph.access(operation).authenticated:
                yield from _plain_route(operation, everywhere)


def _global_guard(application: Application, graph: AppGraph) -> str:
    """The guard that `FastAPI(dependencies=[...])` puts before every route; "" when there is none."""
    for operation in application.operations:
        for dependency in operation.dependencies:
            guard = graph.guards.of_dependency(dependency) if dependency.level == "application" else None
            if guard is not None and guard.level.value > 1:
                return guard.name.rpartition(".")[2]
    return ""


def _covered_by_middleware(application: Application, path: str, graph: AppGraph) -> bool:
    return any(
        graph.guards.of_middleware(m) is not None and graph.guards.passage(m, f"{path}/x").kind == "checked"
        for m in application.middleware
    )


def _unguarded_mount(
    application: Application, mount: Mount, guard: str, everywhere: bool, graph: AppGraph
) -> Iterator[Finding]:
    inner = _mounted(mount, graph)
    if inner is not None:
        open_ones = [o for o in inner.operations if _is_open(o, graph)]
        if any(graph.guards.of_middleware(m) is not None for m in inner.middleware) or not open_ones:
            return
        sure = Confidence.CERTAIN if everywhere else Confidence.FIRM
        if _PUBLIC.search(mount.path):
            sure = Confidence.TENTATIVE
        yield _finding(application, mount, guard, sure, open_ones)
    elif everywhere and not _PUBLIC.search(mount.path) and mount.kind != "static":
        yield _finding(application, mount, guard, Confidence.TENTATIVE, [])


def _is_open(operation: PathOperation, graph: AppGraph) -> bool:
    access = graph.access(operation)
    return not access.authenticated and not access.public_reason and not is_public_by_nature(operation)


def _mounted(mount: Mount, graph: AppGraph) -> Application | None:
    if mount.application is None:
        return None
    creation = mount.application.creation
    return next((a for a in graph.applications if a.object.creation is creation), None)


def _finding(
    application: Application, mount: Mount, guard: str, sure: Confidence, found: list[PathOperation]
) -> Finding:
    name = mount.application.name if mount.application is not None else "the mounted application"
    shown = ", ".join(f"`{o.methods[0]} {mount.path}{o.path}`" for o in found[:5])
    answered = f" ({shown})" if shown else ""
    where = f"{mount.path}{found[0].path}" if found else f"{mount.path}/"
    return rule.at(
        mount,
        f"`{name}`, mounted at {mount.path}, answers without `{guard}`{answered}: dependencies of "
        f"`{application.name}` do not reach a mounted application.",
        f"Give the mounted application the guard itself, or put it into ASGI middleware of `{application.name}`:\n"
        f"```python\n{name if name.isidentifier() else 'mounted_app'} = FastAPI(dependencies=[Depends({guard})])\n```",
        reasoning=f"`{guard}` is a dependency of the routes of `{application.name}`; a mount is passed by before them.",
        exploit=f"A stranger requests {where} and is answered.",
        confidence=sure,
        trace=steps(
            (application, f"{guard} guards routes of {application.name}"),
            (mount, f"mounted at {mount.path}"),
            *((o.handler, f"{o} has no guard") for o in found[:3] if o.handler is not None),
        ),
        routes=routes_of(found),
        context=Context(access="none"),
    )


def _plain_route(operation: PathOperation, guard: str) -> Iterator[Finding]:
    if is_public_by_nature(operation) or operation.handler is None:
        return
    call, scope = operation.registration
    yield rule.at(
        scope.location(call),
        f"`{operation}` ({operation.handler.name}) is a plain Starlette route and answers without `{guard}`.",
        f"Register it as a FastAPI route:\n"
        f'```python\napp.add_api_route("{operation.path}", {operation.handler.name})\n```',
        reasoning="Dependencies are FastAPI's; a route added by add_route runs none.",
        exploit=f"A stranger requests `{operation.path}` and is answered.",
        confidence=Confidence.FIRM,
        routes=routes_of([operation]),
        context=Context(access="none"),
    )


rule.bad = """
    from typing import Annotated

    from fastapi import Depends, FastAPI, Header, HTTPException

    def require_token(authorization: Annotated[str | None, Header()] = None) -> None:
        if authorization != "Bearer alice":
            raise HTTPException(401)

    app = FastAPI(dependencies=[Depends(require_token)])
    reports = FastAPI()

    @app.get("/orders")
    def list_orders() -> list[str]:
        return ["books"]

    @reports.get("/revenue")
    def read_revenue() -> int:
        return 1200

    app.mount("/reports", reports)  # finding: mounted-app-outside-global-auth
"""

rule.good = """
    from typing import Annotated

    from fastapi import Depends, FastAPI, Header, HTTPException

    def require_token(authorization: Annotated[str | None, Header()] = None) -> None:
        if authorization != "Bearer alice":
            raise HTTPException(401)

    app = FastAPI(dependencies=[Depends(require_token)])
    reports = FastAPI(dependencies=[Depends(require_token)])

    @app.get("/orders")
    def list_orders() -> list[str]:
        return ["books"]

    @reports.get("/revenue")
    def read_revenue() -> int:
        return 1200

    app.mount("/reports", reports)
"""


@rule.exploit
def a_stranger_reads_the_revenue(proof: Proof) -> None:
    """Without a token /orders answers 401, and /reports/revenue of the mounted application answers 200."""
    assert proof.client.get("/orders").status_code == 401
    assert proof.client.get("/reports/revenue").json() == 1200
