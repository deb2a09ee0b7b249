"""Whose are the rows of a model, and which operations look rows up without asking that?

A model has an owner when a foreign key, or a chain of them, leads to the model of the principal. That rows are private is learned
from the program: some operation filters them by whoever is signed in, or compares their owner with the caller. Where none
does, everybody may be meant to see them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec

from fastapi_architect.analyses.body_events import Check, Lookup
from fastapi_architect.analyses.check_words import ROLE
from fastapi_architect.analyses.digests import compares_any_id
from fastapi_architect.analyses.effects import effects
from fastapi_architect.analyses.origins import CALLER, Origin, Origins
from fastapi_architect.analyses.principal import Frame, Story, story
from fastapi_architect.analyses.query_predicates import statements, statements_of
from fastapi_architect.analyses.row_owners import Owner, owners
from fastapi_architect.analyses.row_uses import is_used
from fastapi_architect.analyses.row_writes import models_of, models_read_by
from fastapi_architect.analyses.seldom_operations import is_for_administrators, is_for_machines
from fastapi_architect.appgraph.dependencies import Dependency
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.path_operations import PathOperation
from fastapi_architect.appgraph.question import question, question_about
from fastapi_architect.appgraph.security import AccessLevel
from fastapi_architect.concepts.database import QueryStep, SessionGet
from fastapi_architect.program.definitions import Function, last_name
from fastapi_architect.program.facts import Site
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.syntax import ir
from fastapi_architect.syntax.walking import walk

#: Inputs that prove something by themselves: who has them may use them.
_CAPABILITY = lazy_pattern(
    r"token|secret|signature|api_?key|password|credential|session_?key|^code$|otp|nonce|state$|slug|hash"
)
#: Decorators that register a route; their arguments describe it.
_REGISTERS = frozenset({"get", "post", "put", "patch", "delete", "head", "options", "api_route", "route"})
#: Roles that whoever signs up gets.
_EVERYBODY = lazy_pattern(
    r"^(customer|user|member|client|patient|student|buyer|subscriber|guest)s?$", re.IGNORECASE
)
_ADMINISTRATOR = lazy_pattern(r"admin|superuser|role|permission")
_CHOSEN = frozenset({"path", "query", "body", "form"})


# ── who asks for the owner ───────────────────────────────────────────────────────────────────────────────────


class Scoped(msgspec.Struct, frozen=True, eq=False):
    """A place that keeps to the caller's own rows, and the operation that gets there."""

    site: Site
    operation: PathOperation
    text: str


@question
def scoping(graph: AppGraph) -> dict[int, list[Scoped]]:
    """Model (by identity) to the places that filter its rows by the caller, or compare their owner with the caller."""
    found: dict[int, dict[int, Scoped]] = {}
    owned = owners(graph)
    for operation in graph.operations:
        if not graph.access(operation).authenticated or not _may_look_up(operation, graph):
            continue
        told = story(graph, operation)
        for _, lookup in told.lookups:
            owner = owned.get(id(lookup.model))
            if owner is None or lookup.column is None or CALLER not in lookup.by:
                continue
            if any(lookup.column.attribute == c.attribute for c in owner.columns):
                scoped = Scoped(
                    lookup.site, operation, f"{operation} filters by {owner.columns[0].attribute}"
                )
                _note(found.setdefault(id(lookup.model), {}), scoped)
        for lookup, check in _compared_owners(told, owned):
            scoped = Scoped(check.site, operation, f"{operation} compares the owner with the caller")
            _note(found.setdefault(id(lookup.model), {}), scoped)
    return {key: list(places.values()) for key, places in found.items()}


def _may_look_up(operation: PathOperation, graph: AppGraph) -> bool:
    """Something that it runs looks rows of an owned model up: the story of the others need not be told."""
    reached, complete = effects(graph).reached(operation.functions)
    asking = _asking(graph)
    return not complete or any(id(function) in asking for function in reached)


@question
def _asking(graph: AppGraph) -> frozenset[int]:
    """Functions (by identity) that look rows of an owned model up, or of a model that only a caller knows."""
    owned = owners(graph)
    found = {id(step.function) for step in graph.facts(QueryStep) if compares_any_id(step)}
    for get in graph.facts(SessionGet):
        models = models_of(get.model, get.scope, graph, cls=True)
        if isinstance(get.model, ir.Name) or len(models) != 1 or id(models[0]) in owned:
            found.add(id(get.function))
    for statement in statements(graph):
        if any(id(each.model) in owned for each in statement.predicates):
            found.add(id(statement.function))
    return frozenset(found)


@question
def kept_apart(graph: AppGraph) -> dict[int, list[Scoped]]:
    """Models (by identity) that name their tenant, to the places that keep to the caller's."""
    owned = owners(graph)
    return {
        key: places for key, places in scoping(graph).items() if owned[key].tenant and owned[key].via is None
    }


def asks_for_caller(graph: AppGraph, operation: PathOperation) -> bool:
    """The handler, or what it calls, looks something up or tests something by whoever is signed in."""
    told = story(graph, operation)
    if not told.frames or told.frames[-1].function is not operation.handler:
        return False
    digest = told.frames[-1].digest
    return any(CALLER in lookup.every for lookup in digest.lookups) or any(
        CALLER in check.about for check in digest.checks
    )


def _note(places: dict[int, Scoped], scoped: Scoped) -> None:
    """Each place once, with an operation that reads where there is one."""
    known = places.get(id(scoped.site.node))
    if known is None or known.operation.is_write:
        places[id(scoped.site.node)] = scoped


@question
def made_for_callers(graph: AppGraph) -> dict[int, list[Scoped]]:
    """Model (by identity) to the places that make its rows for whoever is signed in."""
    found: dict[int, dict[int, Scoped]] = {}
    owned = owners(graph)
    for operation in graph.operations:
        if operation.is_write and graph.access(operation).authenticated:
            for _, made in story(graph, operation).creations:
                owner = owned.get(id(made.model))
                names = {column.attribute for column in owner.columns} if owner is not None else set[str]()
                if any(path and path[0] in names and origin == CALLER for path, origin in made.given):
                    scoped = Scoped(made.site, operation, f"{operation} makes it for the caller")
                    found.setdefault(id(made.model), {})[id(made.site.node)] = scoped
    return {key: list(places.values()) for key, places in found.items()}


def _compared_owners(told: Story, owned: dict[int, Owner]) -> Iterator[tuple[Lookup, Check]]:
    """Checks of an owner column of a row that was looked up by what the client chose."""
    checks = [check for check in told.checks if CALLER in check.about]
    #: Last name of an origin to the checks (by position) that are about it: a story has hundreds, few of an owner.
    named: dict[str, list[tuple[int, Origin]]] = {}
    for position, check in enumerate(checks):
        for origin in check.about:
            named.setdefault(origin[-1], []).append((position, origin))
    for _, lookup in told.lookups if checks else ():
        owner = owned.get(id(lookup.model))
        if owner is None:
            continue
        names = {column.attribute for column in owner.columns}
        names |= {r.attribute for r in owner.model.relationships}
        about = {
            position
            for name in names
            for position, origin in named.get(name, ())
            if any(_begins(origin, by) for by in lookup.by)
        }
        for position in sorted(about):
            yield lookup, checks[position]


@question
def listed(graph: AppGraph) -> frozenset[int]:
    """Models (by identity) of which anybody who is signed in, or nobody in particular, is given rows without asking for one.

    A route that its author hides from the documentation says nothing of what everybody may see.
    """
    found: set[int] = set()
    for operation in graph.operations:
        if operation.methods != ("GET",) or operation.path_names or is_for_administrators(operation, graph):
            continue
        if not operation.in_schema and not graph.access(operation).authenticated:
            continue
        if graph.access(operation).level > AccessLevel.USER or operation.handler is None:
            continue
        told = story(graph, operation)
        kept = {id(lookup.model) for _, lookup in told.lookups if CALLER in lookup.every}
        for function in effects(graph).of_handler(operation).functions:
            read = {id(model) for model in models_read_by(function, graph)}
            if read:
                every = (p for s in statements_of([function], graph) for p in s.predicates)
                found |= read - kept - {id(p.model) for p in every if p.operator in ("==", "in")}
    return frozenset(found)


# ── what is not asked ────────────────────────────────────────────────────────────────────────────────────────


class Unscoped(msgspec.Struct, frozen=True, eq=False):
    """A lookup of an owned model by what the client chose, with nothing that asks for its owner.

    Attributes:
        operation: the operation.
        frame: the function of the operation that begins it.
        lookup: the lookup.
        owner: how the row leads to its owner.
        chosen: what the client chose.
    """

    operation: PathOperation
    frame: Frame
    lookup: Lookup
    owner: Owner
    chosen: Origin


@question
def _suspects(graph: AppGraph) -> frozenset[int]:
    """Functions (by identity) that look owned rows up with no condition on the owner, or rows of any model."""
    owned = owners(graph)
    found: set[int] = set()
    for get in graph.facts(SessionGet):
        models = models_of(get.model, get.scope, graph, cls=True)
        if len(models) != 1 or id(models[0]) in owned:
            found.add(id(get.scope))
    for statement in statements(graph):
        for each in statement.predicates:
            owner = owned.get(id(each.model))
            if owner is None or each.operator not in ("==", "in"):
                continue
            names = {c.attribute for c in owner.columns} if owner.via is None else set[str]()
            identity = each.column.primary_key or any(
                each.column.attribute == c.attribute for c in owner.columns
            )
            if identity and not any(
                p.model is each.model and p.column.attribute in names for p in statement.predicates
            ):
                found.add(id(statement.scope))
    found.update(
        id(step.scope) for step in graph.facts(QueryStep) if step.kind == "where" and compares_any_id(step)
    )
    return frozenset(found)


@question_about
def unscoped_lookups(graph: AppGraph, operation: PathOperation) -> tuple[Unscoped, ...]:
    """Rows that an operation looks up, and uses, without asking whose they are; one for each input and model."""
    if not serves_callers(graph, operation):
        return ()
    suspects = _suspects(graph)
    if not any(
        id(function) in suspects for function in effects(graph).reached(_chosen_by_client(operation))[0]
    ):
        return ()
    owned = owners(graph)
    told = story(graph, operation)
    candidates = [
        (frame, lookup, owner)
        for frame, lookup in told.lookups
        if (owner := owned.get(id(lookup.model))) is not None
        and CALLER not in lookup.every
        and _is_identity(lookup, owner)
    ]
    if not candidates or _asks_role(told):
        return ()
    covered = checked_inputs(told)
    found: dict[tuple[Origin, int], Unscoped] = {}
    for frame, lookup, owner in candidates:
        chosen = _chosen(lookup, told)
        if chosen is None or any(_touches(o, covered) for o in lookup.every if o[0] == "client"):
            continue
        if lookup.kind != "get" and owner.via is not None and _parent_is_checked(operation, covered):
            continue  # the child of a checked parent: that is `nested-resource-parent-mismatch`
        if (chosen, id(owner)) not in found and (
            lookup.kind in ("update", "delete") or is_used(graph, lookup)
        ):
            found[chosen, id(owner)] = Unscoped(operation, frame, lookup, owner, chosen)
    return tuple(found.values())


def _chosen_by_client(operation: PathOperation) -> tuple[Function, ...]:
    """The handler, and dependencies that read what the client chooses: what only authenticates is left out."""
    found = [
        dependency.function
        for dependency in operation.all_dependencies()
        if dependency.function is not None and any(p.kind in _CHOSEN for p in dependency.parameters)
    ]
    return tuple(dict.fromkeys([*found, *([operation.handler] if operation.handler is not None else [])]))


def serves_callers(graph: AppGraph, operation: PathOperation) -> bool:
    """People of different rights ask for it, one at a time, and nothing outside the program tells them apart."""
    access = graph.access(operation)
    if (
        not access.authenticated
        or access.public_reason
        or operation.handler is None
        or operation.is_websocket
    ):
        return False
    if (operation.floating and graph.applications) or "/.well-known/" in operation.path:
        return (
            False  # in a package that holds no application, a router's own guards are all that can be known
        )
    return not (
        is_for_administrators(operation, graph)
        or is_for_machines(operation, graph)
        or _decorated_with_role(operation.handler)
        or made_for_role(operation)
    )


def _parent_is_checked(operation: PathOperation, covered: set[Origin]) -> bool:
    return any(("client", name) in {origin[:2] for origin in covered} for name in operation.path_names)


def _decorated_with_role(handler: Function) -> bool:
    """`@allowed([Role.ADMIN])` between the route and the handler."""
    for decorator in handler.node.decorators:
        if isinstance(decorator, ir.Call) and last_name(decorator.func) not in _REGISTERS:
            given = [decorator.func, *decorator.args, *(k.value for k in decorator.keywords)]
            if any(ROLE.search(last_name(node).lower()) for each in given for node in walk(each)):
                return True
    return False


def asks_for_rank(graph: AppGraph, operation: PathOperation) -> bool:
    """A guard asks for a role or a permission that not everybody who signs up gets."""
    return any(
        guard.level > AccessLevel.USER
        and (guard.dependency is None or not _is_for_everybody(guard.dependency))
        for guard in graph.access(operation).guards
    )


def _is_for_everybody(dependency: Dependency) -> bool:
    """`Depends(RoleChecker([Role.CUSTOMER]))` tells customers from strangers and staff, not from each other."""
    given = dependency.creation[0].args if dependency.creation is not None else []
    roles = [each for arg in given for each in (arg.elts if isinstance(arg, ir.Sequence) else [arg])]
    names = [str(r.value) if isinstance(r, ir.Constant) else last_name(r) for r in roles]
    return bool(names) and all(_EVERYBODY.search(name) for name in names)


def made_for_role(operation: PathOperation) -> bool:
    """`Depends(current_user(required_permissions=["users.write"]))`, `Depends(GlobalAdmin())`."""
    for dependency in operation.all_dependencies():
        provider = dependency.provider
        if _is_for_everybody(dependency):
            continue
        if dependency.cls is not None and _ADMINISTRATOR.search(dependency.cls.name.lower()):
            return True
        given = provider.keywords if isinstance(provider, ir.Call) else []
        if any(k.arg and ROLE.search(k.arg.lower()) for k in given):
            return True
    return False


def _chosen(lookup: Lookup, told: Story) -> Origin | None:
    """The input by which a row is found; None where it comes from another row, or proves something by itself."""
    return chosen_identity(lookup.by, told, set())


def chosen_identity(origins: Iterable[Origin], told: Story, covered: set[Origin]) -> Origin | None:
    """The input that a value is, and nothing else; None where something covers it, it comes from a row, or proves itself."""
    found: Origin | None = None
    for origin in sorted(origins):
        if origin[0] != "client" or any(_CAPABILITY.search(part.lower()) for part in origin[1:]):
            return None
        if _touches(origin, covered):
            return None
        if found is None and len(origin) <= (3 if told.is_model(origin[1]) else 2):
            found = origin
    return found


def _is_identity(lookup: Lookup, owner: Owner) -> bool:
    """By the primary key, or by the key of the parent that has the owner."""
    column = lookup.column
    if column is None or (column.primary_key and column not in owner.columns):
        return True
    return owner.via is not None and any(column.attribute == c.attribute for c in owner.columns)


def _asks_role(told: Story) -> bool:
    """The handler, or what it calls, tests what the caller may do."""
    if not told.frames:
        return False
    return any(check.role and CALLER in check.about for check in told.frames[-1].digest.checks)


def checked_inputs(told: Story) -> set[Origin]:
    """What the client chose and something tests together with the caller, or looks up together with the caller."""
    covered = set(told.refused)
    together: list[Origins] = [check.about for check in told.checks]
    together += [lookup.every for _, lookup in told.lookups]
    for origins in together:
        if CALLER in origins:
            covered |= {o for o in origins if o[0] == "client"}
    return covered


def _touches(origin: Origin, covered: set[Origin]) -> bool:
    return any(_begins(origin, each) or _begins(each, origin) for each in covered)


def _begins(origin: Origin, start: Origin) -> bool:
    return origin[: len(start)] == start


@question_about
def asks_for_role(graph: AppGraph, operation: PathOperation) -> bool:
    """Not everybody may ask for it: a guard, a decorator, or a test in the handler or below it, is about roles."""
    if asks_for_rank(graph, operation) or operation.handler is None:
        return True
    if is_for_administrators(operation, graph) or is_for_machines(operation, graph):
        return True
    if _decorated_with_role(operation.handler) or made_for_role(operation):
        return True
    return _asks_role(story(graph, operation))
