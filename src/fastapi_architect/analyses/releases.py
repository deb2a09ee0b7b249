"""May an old release still run while the migrations of a new one do?"""

from __future__ import annotations

import re

from fastapi_architect.analyses.callers import Callers
from fastapi_architect.appgraph.declarations import origin
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.question import question
from fastapi_architect.program.definitions import Function, Scope
from fastapi_architect.program.facts import Site
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.syntax import ir

_MAX_FUNCTIONS = 200
_UPGRADES = lazy_pattern(r"\balembic\b[^\n;&|]*\bupgrade\b")
_DEPLOYMENT = lazy_pattern(r"^\s*kind:\s*['\"]?(Deployment|Rollout|DeploymentConfig)\b", re.MULTILINE)
_STOPS_FIRST = lazy_pattern(r"^\s*type:\s*['\"]?Recreate\b", re.MULTILINE)


@question
def one_release_at_a_time(graph: AppGraph) -> bool:
    """Nothing says that two releases run side by side, and something says that they do not.

    That is: one copy of the server is declared wherever it is started, or the server migrates in its own start,
    so that the old one is stopped by then. A rolling deployment, or several copies, speaks against both.
    """
    return not _rolls(graph) and (_is_single(graph) or _migrates_at_start(graph))


def _copies(graph: AppGraph) -> list[int | None]:
    """How many copies of a server each compose service declares."""
    services = [s for compose in graph.deployment.compose_files for s in compose.services]
    return [s.replicas for s in services if any(c.is_server for c in s.commands)]


def _is_single(graph: AppGraph) -> bool:
    copies = _copies(graph)
    return bool(copies) and all(number == 1 for number in copies)


def runs_several_copies(graph: AppGraph) -> bool:
    """More than one copy of the server is declared: they are not all exchanged in one moment."""
    return any(number is not None and number > 1 for number in _copies(graph))


def _rolls(graph: AppGraph) -> bool:
    """Several copies, or a Kubernetes Deployment that starts the new pod before it ends the old one, as is its default."""
    if runs_several_copies(graph):
        return True
    return any(
        _DEPLOYMENT.search(text) is not None and _STOPS_FIRST.search(text) is None
        for path, text in graph.files.texts.items()
        if path.endswith((".yaml", ".yml"))
    )


def _migrates_at_start(graph: AppGraph) -> bool:
    return _in_the_entry_command(graph) or any(
        _is_before_serving(site.scope, graph)
        for name in ("upgrade", "main", "run", "check_call")
        for site in graph.program.call_sites_named(name)
        if site.scope.module.kind == "source" and _is_upgrade(site, graph)
    )


def _in_the_entry_command(graph: AppGraph) -> bool:
    """`alembic upgrade head && uvicorn app.main:app`, as one command or in one script."""
    if any(d.commands and _UPGRADES.search(d.start) for d in graph.deployment.dockerfiles):
        return True
    scripts = {c.location.path for c in graph.deployment.servers if c.source == "script" and not c.reloads}
    return any(_UPGRADES.search(graph.files.texts.get(path, "")) is not None for path in scripts)


def _is_upgrade(site: Site, graph: AppGraph) -> bool:
    """`command.upgrade(config, "head")`, `alembic.config.main(argv=["upgrade", ...])`, `run(["alembic", "upgrade", ...])`."""
    of = origin(graph.program, site.node.func, site.scope)
    if of.package == "alembic":
        return of.name == "upgrade" or (of.name == "main" and "upgrade" in _words(site.node))
    return of.package == "subprocess" and {"alembic", "upgrade"} <= set(_words(site.node))


def _words(call: ir.Call) -> list[str]:
    """Words of the texts among the arguments, those of a list too."""
    given = [*call.args, *(k.value for k in call.keywords)]
    given += [inner for each in given if isinstance(each, ir.Sequence) for inner in each.elts]
    return [word for each in given if isinstance(each, ir.Constant) for word in str(each.value).split()]


def _is_before_serving(scope: Scope, graph: AppGraph) -> bool:
    """The start of an application, or a body that also starts a server, gets there."""
    starters = {
        id(function)
        for application in graph.applications
        for function in (application.lifespan.function, *(f for f, _ in application.lifespan.startup))
    }
    callers = Callers(graph)
    pending, seen = [scope], {id(scope)}
    while pending and len(seen) < _MAX_FUNCTIONS:
        current = pending.pop()
        if id(current) in starters or _starts_a_server(current, graph):
            return True
        if isinstance(current, Function):
            above = [s.scope for s in callers.sites(current) if s.scope.module.kind == "source"]
            pending += [each for each in above if id(each) not in seen]
            seen.update(id(each) for each in above)
    return False


def _starts_a_server(scope: Scope, graph: AppGraph) -> bool:
    """`uvicorn.run(app)` stands here; one that reloads is a developer's."""
    return any(
        origin(graph.program, site.node.func, scope).package in ("uvicorn", "hypercorn", "granian")
        and all(k.arg != "reload" for k in site.node.keywords)
        for site in scope.facts.calls_named("run", "Server", "serve")
    )
