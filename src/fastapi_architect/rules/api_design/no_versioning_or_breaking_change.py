"""Some operations carry a version and others do not, or an API with deprecated operations has none.

A version in the path promises that the address keeps its meaning. Operations beside it promise nothing: the
next change breaks their clients, or has to be made in place for ever. An API without versions that marks
operations as deprecated has no place for their successors.

Known limits: a version in a header or media type is recognised by a header parameter; two published
contracts are compared by `architect contract diff`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fastapi_architect.analyses.own_code import registered, registered_path, written
from fastapi_architect.appgraph.path_texts import UNKNOWN_PART
from fastapi_architect.rules.kit import (
    AppGraph,
    Application,
    Confidence,
    Finding,
    PathOperation,
    Rule,
    Severity,
    ir,
    lazy_pattern,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "Versioned and unversioned operations stand side by side",
    severity=Severity.MINOR,
    cwe=1059,
    references=(
        "https://opensource.zalando.com/restful-api-guidelines/#compatibility",
        "https://google.aip.dev/185",
    ),
    no_proof="nothing goes wrong while the service runs: clients break at its next change",
)

_VERSION = lazy_pattern(r"(^|/)v\d+([._-]?\w+)?(/|$)", re.IGNORECASE)
#: What belongs to the service, not to its contract.
_BESIDE = lazy_pattern(
    r"^/?$|health|ready|live|ping|metric|status|version|docs|openapi|redoc|favicon|robots|static|assets|media|well-known|"
    r"log[-_]?(in|out)|auth|token|oauth|sso|callback|hook|internal|admin|debug|config|test|index",
    re.IGNORECASE,
)
_FEWEST = 4


@rule.check(per=Application)
def operations_without_a_version(application: Application, graph: AppGraph) -> Iterator[Finding]:
    if application.mounted or graph.project.exposure == "internal":
        return
    operations = [o for o in application.operations if o.kind == "http" and o.in_schema and not o.floating]
    if any(UNKNOWN_PART in o.path for o in operations) or _by_header(operations):
        return
    versioned = [o for o in operations if _VERSION.search(o.path)]
    others = [o for o in operations if not _VERSION.search(o.path) and not _BESIDE.search(o.path)]
    others = [o for o in others if ":path}" not in o.path]  # pages of a front end
    deprecated = [o for o in operations if o.deprecated]
    if len(versioned) >= _FEWEST and others and len(others) < len(versioned):
        yield _mixed(application, versioned, others, graph)
    elif not versioned and deprecated and len(operations) > len(deprecated):
        yield _without(application, deprecated, graph)


def _by_header(operations: list[PathOperation]) -> bool:
    names = (p.alias.lower() for o in operations for p in o.all_parameters() if p.kind == "header")
    return any("version" in name for name in names)


def _mixed(
    application: Application, versioned: list[PathOperation], others: list[PathOperation], graph: AppGraph
) -> Finding:
    found = _VERSION.search(versioned[0].path)
    prefix = versioned[0].path[: found.end()].rstrip("/") if found is not None else "/v1"
    return rule.at(
        application.location,
        f"{len(versioned)} operations of `{application.name}` carry a version, {_shown(others)} "
        f"{'do' if len(others) > 1 else 'does'} not.",
        f"Put them under the version:\n```python\n{_under(prefix, application, others[0], graph)}\n```",
        reasoning=f"`{versioned[0].path}` promises to keep its meaning; a change of `{others[0].path}` breaks its clients at once.",
        exploit=f"`{others[0]}` has to change: every client that calls it breaks on the day of the deployment.",
        confidence=Confidence.FIRM,
        trace=steps(*((o, f"{o} has no version") for o in others[:5])),
        routes=routes_of(others),
        symbol=application.scope.full_name,
    )


def _without(application: Application, deprecated: list[PathOperation], graph: AppGraph) -> Finding:
    return rule.at(
        application.location,
        f"{_shown(deprecated)} of `{application.name}` {'are' if len(deprecated) > 1 else 'is'} deprecated, and no path has a "
        "version under which a successor could stand.",
        "Give the API a version, under which the successors stand:\n"
        f"```python\n{_under('/v2', application, deprecated[0], graph)}\n```",
        reasoning="A deprecated operation is one whose contract changed; without a version the change has no address.",
        exploit=f"`{deprecated[0]}` has to go: its successor needs the same path, and clients of the old one break.",
        confidence=Confidence.TENTATIVE,
        trace=steps(*((o, f"{o} is deprecated") for o in deprecated[:5])),
        routes=routes_of(deprecated),
        symbol=application.scope.full_name,
    )


def _under(prefix: str, application: Application, operation: PathOperation, graph: AppGraph) -> str:
    """The inclusion of the operation's router, or its own registration, under a prefix."""
    call, scope = operation.registration
    router = written(graph, scope, call.func.value) if isinstance(call.func, ir.Attribute) else ""
    if operation.inclusions and router:
        return f'{application.name}.include_router({router}, prefix="{prefix}")'
    path = registered_path(graph, operation)
    quote = path[:1]
    if quote not in ("'", '"'):
        return f'{application.name}.include_router({router or "router"}, prefix="{prefix}")'
    return registered(graph, operation, path=f"{quote}{prefix}{path[1:]}")


def _shown(found: list[PathOperation]) -> str:
    return ", ".join(f"`{o}`" for o in found[:3]) + (f" and {len(found) - 3} more" if len(found) > 3 else "")


rule.bad = """
    from fastapi import APIRouter, FastAPI

    orders = APIRouter(prefix="/orders")
    reports = APIRouter(prefix="/reports")


    @orders.get("")
    def list_orders() -> list[int]:
        return []


    @orders.post("")
    def create_order() -> int:
        return 1


    @orders.get("/{number}")
    def read_order(number: int) -> int:
        return number


    @orders.delete("/{number}")
    def delete_order(number: int) -> int:
        return number


    @reports.get("")
    def list_reports() -> list[int]:
        return []


    app = FastAPI()  # finding: no-versioning-or-breaking-change
    app.include_router(orders, prefix="/api/v1")
    app.include_router(reports)
"""

rule.good = """
    from fastapi import APIRouter, FastAPI

    orders = APIRouter(prefix="/orders")
    reports = APIRouter(prefix="/reports")


    @orders.get("")
    def list_orders() -> list[int]:
        return []


    @orders.post("")
    def create_order() -> int:
        return 1


    @orders.get("/{number}")
    def read_order(number: int) -> int:
        return number


    @orders.delete("/{number}")
    def delete_order(number: int) -> int:
        return number


    @reports.get("")
    def list_reports() -> list[int]:
        return []


    app = FastAPI()
    app.include_router(orders, prefix="/api/v1")
    app.include_router(reports, prefix="/api/v1")
"""
