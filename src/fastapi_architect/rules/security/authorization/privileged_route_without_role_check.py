"""Everybody who is signed in may do what only some should.

A route for administrators, one that hands out roles, and one that changes or deletes other people's accounts ask
only who is calling, and not what that person may do.

Known limits: a route is privileged by its path or tag, by the columns it writes (role, permissions, is_admin), by
changing an account that its path names, because the other writes of its path ask for a role and the rows are nobody's own, or
because four in five of the router's other writes do. A comparison of the path's id with the caller's own is self-service; a test
of a role anywhere in the handler or what it calls counts as a check, unless it is of the client's own input alone, and so do a
dependency that is made with roles or permissions and middleware that looks for `/admin/` in the path. Where no table holds people, all
share one credential, and nothing is sure.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from fastapi_architect.analyses.class_schemas import schema_of
from fastapi_architect.analyses.effects import effects
from fastapi_architect.analyses.origins import Origins
from fastapi_architect.analyses.own_code import registered
from fastapi_architect.analyses.ownership import made_for_role
from fastapi_architect.analyses.principal import Story, story
from fastapi_architect.analyses.public_operations import guard_of, is_public_by_nature
from fastapi_architect.analyses.row_fills import row_fills
from fastapi_architect.analyses.row_owners import owners
from fastapi_architect.analyses.row_writes import models_changed_in
from fastapi_architect.analyses.seldom_operations import is_for_machines
from fastapi_architect.appgraph.parameters import Parameter
from fastapi_architect.rules.kit import (
    AccessLevel,
    AppGraph,
    Application,
    Class,
    Confidence,
    Context,
    Finding,
    Function,
    PathOperation,
    Proof,
    Rule,
    Severity,
    Site,
    ir,
    last_name,
    lazy_pattern,
    names_in,
    options,
    routes_of,
    steps,
    walk,
)

rule = Rule(
    __name__,
    "A privileged route asks who is calling and not what they may do",
    severity=Severity.CRITICAL,
    cwe=285,
    cvss="AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H",
    references=(
        "https://owasp.org/API-Security/editions/2023/en/0xa5-broken-function-level-authorization/",
        "https://fastapi.tiangolo.com/tutorial/dependencies/sub-dependencies/",
    ),
)

_ADMIN_PATH = lazy_pattern(
    r"(^|/)(admin|administration|superuser|superadmin|backoffice|internal)(/|$|[-_])", re.IGNORECASE
)
_ADMIN_TAG = lazy_pattern(r"^(admin|administration|superuser|back[- ]?office)$", re.IGNORECASE)
_SELF = lazy_pattern(r"(^|/)(me|self|own|my|mine|profile|current)(/|$|[-_])", re.IGNORECASE)
_PRIVILEGE = lazy_pattern(
    r"^(role|roles|role_id|role_ids|is_admin|is_superuser|is_staff|permissions|admin|superuser|privileges)$"
)
_ACCOUNT = lazy_pattern(r"(^|/)(users?|accounts?|members?|employees|staff)/{(\w+)(:\w+)?}$", re.IGNORECASE)
_ROLE_TEST = lazy_pattern(
    r"role|admin|superuser|permission|scope|is_staff|privileg|can_|allowed|authori[sz]|owner|policy|rbac|acl|forbid|grant",
    re.IGNORECASE,
)
_PERSON = lazy_pattern(r"user|account|member|person|people|employee|customer|staff|role|admin", re.IGNORECASE)
#: Decorators that register a route; their arguments describe it.
_REGISTERS = frozenset({"get", "post", "put", "patch", "delete", "head", "options", "api_route", "route"})
_FEWEST_SIBLINGS = 3
_FEWEST_WRITES = 2
_SHARE = 0.8


@rule.check(per=Application)
def signed_in_is_not_enough(application: Application, graph: AppGraph) -> Iterator[Finding]:
    found = list(_privileged_operations(application, graph))
    role_guard = guard_of(graph, application, AccessLevel.SCOPED) if found else ""
    for operation, why in found:
        yield _finding(operation, why, role_guard or 'require_role("admin")', graph)


def _privileged_operations(application: Application, graph: AppGraph) -> Iterator[tuple[PathOperation, _Why]]:
    """Operations that are for few and let in whoever is signed in."""
    outliers = _outliers(application, graph)
    for operation in application.operations:
        if operation.handler is None or operation.is_websocket or not _only_signed_in(operation, graph):
            continue
        given = _decorator_with_roles(operation, graph)
        if given is True:
            continue
        why = _privileged(operation, graph) or outliers.get(id(operation))
        if why is not None and given is False:
            why = (why[0], Confidence.TENTATIVE, why[2])
        if why is None or _checks_role(operation, graph) or _middleware_asks(operation, application, graph):
            continue
        if not _knows_people(graph):
            why = (why[0], Confidence.TENTATIVE, why[2])
        yield operation, why


def _only_signed_in(operation: PathOperation, graph: AppGraph) -> bool:
    access = graph.access(operation)
    if access.level != AccessLevel.USER or access.public_reason or _SELF.search(operation.path):
        return False
    return not (is_for_machines(operation, graph) or made_for_role(operation))


def _decorator_with_roles(operation: PathOperation, graph: AppGraph) -> bool | None:
    """`@allowed([Role.ADMIN])`: True when the decorator refuses, False when that is not known, None without any."""
    assert operation.handler is not None
    found: bool | None = None
    for decorator in operation.handler.node.decorators:
        if not isinstance(decorator, ir.Call) or last_name(decorator.func) in _REGISTERS:
            continue
        given = (*decorator.args, *(k.value for k in decorator.keywords))
        if any(_ROLE_TEST.search(text) for g in given for n in walk(g) for text in _texts(n)):
            guards = (g.name for g in graph.access(operation).guards if g.dependency is None)
            found = found or last_name(decorator.func) in {name.rpartition(".")[2] for name in guards}
    return found


def _texts(node: ir.Expr) -> tuple[str, ...]:
    if node.__class__ is ir.Constant and node.kind == "str":
        return (str(node.value),)
    return (last_name(node),) if node.__class__ in (ir.Name, ir.Attribute) else ()


# ── what makes it privileged ─────────────────────────────────────────────────────────────────────────────────


_Why = tuple[str, Confidence, list[tuple[object, str]]]


def _privileged(operation: PathOperation, graph: AppGraph) -> _Why | None:
    """Why an operation is for few, how sure that is, and the evidence; None when nothing says so."""
    if _ADMIN_PATH.search(operation.path) or any(_ADMIN_TAG.match(t) for t in operation.tags):
        if is_public_by_nature(operation):
            return None
        sure = Confidence.FIRM if operation.is_write else Confidence.TENTATIVE
        return "is a route for administrators by its path", sure, []
    if not operation.is_write:
        return None
    written = _writes_privilege(operation, graph)
    if written is not None:
        site, column = written
        return (
            f"writes `{column}`, which says what somebody may do",
            Confidence.FIRM,
            [(site, f"{column} is written")],
        )
    account = _ACCOUNT.search(operation.path)
    if (
        account
        and set(operation.methods) & {"DELETE", "PUT", "PATCH"}
        and not _is_own(operation, account[3], graph)
        and not _is_refused_before(operation, account[3], graph)
    ):
        done = effects(graph).of_handler(operation)
        if done.writes:
            what = "deletes" if "DELETE" in operation.methods else "changes"
            return (
                f"{what} any account that the path names",
                Confidence.FIRM,
                [(done.writes[0], "the change is made")],
            )
    return None


def _writes_privilege(operation: PathOperation, graph: AppGraph) -> tuple[Site, str] | None:
    """An assignment to a privilege of a stored account, of something that the request carries."""
    if not _carries_privilege(operation, graph):
        return None
    filled = _fills_privilege(operation, graph)
    if filled is not None or not operation.path_names:
        return filled
    for function in effects(graph).of_handler(operation).functions:
        for site in function.facts.sites(ir.Assign):
            for target in site.node.targets:
                named = target.__class__ is ir.Attribute and _PRIVILEGE.match(target.attr)
                if named and _is_row(target.value, function, graph):
                    return site, target.attr
        for site in function.facts.calls_named("values", "update", "update_one"):
            column = next((k.arg for k in site.node.keywords if k.arg and _PRIVILEGE.match(k.arg)), "")
            if column:
                return site, column
    return None


def _fills_privilege(operation: PathOperation, graph: AppGraph) -> tuple[Site, str] | None:
    """Every key of a body with a role becomes a column of the account that the same body, or the path, names."""
    told: Story | None = None
    for fill in row_fills(graph):
        if fill.operation is not operation or fill.kind != "update" or fill.schema is None:
            continue
        column = next((f.name for f in fill.schema.fields if _PRIVILEGE.match(f.name)), "")
        if not column or not fill.taken.allows(column) or column not in fill.model.by_attribute:
            continue
        told = told or story(graph, operation)
        if any(each.model is fill.model and _is_chosen(each.by) for _, each in told.lookups):
            return fill.site, column
    return None


def _is_chosen(by: Origins) -> bool:
    return bool(by) and all(origin[0] == "client" for origin in by)


def _carries_privilege(operation: PathOperation, graph: AppGraph) -> bool:
    return any(_names_privilege(p, graph) for p in operation.parameters if p.is_input)


def _names_privilege(parameter: Parameter, graph: AppGraph) -> bool:
    if _PRIVILEGE.match(parameter.name) or _PRIVILEGE.match(parameter.name.removeprefix("new_")):
        return True
    for of in options(parameter.type):
        cls = getattr(of, "cls", None)
        schema = schema_of(cls, graph) if isinstance(cls, Class) else None
        if schema is not None and any(_PRIVILEGE.match(f.name) for f in schema.fields):
            return True
    return False


def _is_row(expr: ir.Expr, function: Function, graph: AppGraph) -> bool:
    models = {id(m.cls) for m in graph.models}
    found = [getattr(of, "cls", None) for of in options(graph.program.inference.type_of(expr, function))]
    return any(id(cls) in models for cls in found)


def _is_own(operation: PathOperation, name: str, graph: AppGraph) -> bool:
    """The path's id is compared with something of the caller, in the handler, a dependency or what they call."""
    functions = [*operation.functions, *effects(graph).of_handler(operation).functions]
    for function in dict.fromkeys(functions):
        for site in function.facts.sites(ir.Compare):
            sides = [set(names_in(site.node.left)), set(names_in(site.node.comparators[0]))]
            ids = [bool(names & {name, "id", "user_id", "pk", "uuid"}) for names in sides]
            callers = [
                any(re.search("current|principal|caller|me$|auth|requester|actor|^user$", n) for n in names)
                for names in sides
            ]
            if any(callers) and all(i or c for i, c in zip(ids, callers, strict=True)):
                return True
    return False


def _is_refused_before(operation: PathOperation, name: str, graph: AppGraph) -> bool:
    """A dependency takes the path's id and refuses: it looks the account up and asks whose it is."""
    return any(
        function is not operation.handler
        and function.parameter(name) is not None
        and graph.guards.refuses(function)
        for function in operation.functions
    )


def _middleware_asks(operation: PathOperation, application: Application, graph: AppGraph) -> bool:
    """Middleware that refuses looks for the administrators' part of the path: `if "/admin/" in request.url.path`."""
    for middleware in application.middleware:
        if middleware.function is None or not graph.guards.refuses(middleware.function):
            continue
        reached, _ = effects(graph).reached([middleware.function])
        if any(_asks_for_path(function, operation.path, graph) for function in reached):
            return True
    return False


def _asks_for_path(function: Function, path: str, graph: AppGraph) -> bool:
    for site in function.facts.sites(ir.If):
        for node in walk(site.node.test):
            if not isinstance(node, ir.Constant | ir.Name):
                continue
            value = graph.program.constants.value(node, function)
            if isinstance(value, str) and _ADMIN_PATH.search(value) and value in path:
                return True
    return False


def _knows_people(graph: AppGraph) -> bool:
    """Some table holds people, or something asks for a role; else everybody signs in with the same credential."""
    if any(_PERSON.search(model.name) for model in graph.models):
        return True
    return not graph.models or any(
        graph.access(o).level >= AccessLevel.SCOPED for a in graph.applications for o in a.operations
    )


def _checks_role(operation: PathOperation, graph: AppGraph) -> bool:
    """Some condition in the handler, or in what it calls, is about roles, or the handler refuses by itself."""
    handler = operation.handler
    assert handler is not None
    asked = _asked_of_the_client(operation, graph)
    if _refuses(handler, asked, graph):
        return True
    for function in effects(graph).of_handler(operation).functions:
        for kind in (ir.If, ir.IfExp):
            for site in function.facts.sites(kind):
                if id(site.node) not in asked and any(_ROLE_TEST.search(n) for n in names_in(site.node.test)):
                    return True
        if any(
            _ROLE_TEST.search(last_name(s.node.func)) and _is_check(last_name(s.node.func))
            for s in function.facts.calls
        ):
            return True
    return False


def _asked_of_the_client(operation: PathOperation, graph: AppGraph) -> set[int]:
    """Tests (by identity) of nothing but what the client sends: `if payload.role == "owner": raise` says nothing of the caller."""
    told = story(graph, operation)
    checks = [c for f in told.frames if f.function is operation.handler for c in f.digest.checks]
    known = {id(c.site.node) for c in checks if not _is_chosen(c.about)}
    return {id(c.site.node) for c in checks} - known


def _refuses(handler: Function, asked: set[int], graph: AppGraph) -> bool:
    """The handler itself refuses, for another reason than what the client sends."""
    if not graph.guards.refuses(handler):
        return False
    raised = [s for s in handler.facts.sites(ir.Raise) if graph.guards.is_refusal(s)]
    return not raised or not all(
        any(around.role == "if" and id(around.node) in asked for around in site.context) for site in raised
    )


def _is_check(name: str) -> bool:
    return bool(
        re.match(
            r"_?(check|require|ensure|verify|assert|has|is|can|authori[sz]e|validate|enforce|guard)", name
        )
    )


# ── siblings ─────────────────────────────────────────────────────────────────────────────────────────────────


def _outliers(application: Application, graph: AppGraph) -> dict[int, _Why]:
    """Writes of a router that ask for no role although four in five of its writes do."""
    families: dict[object, list[PathOperation]] = defaultdict(list)
    for operation in application.operations:
        if operation.is_write and operation.handler is not None and not _SELF.search(operation.path):
            families[operation.router_location, tuple(i.location for i in operation.inclusions)].append(
                operation
            )
    found: dict[int, _Why] = {}
    for siblings in families.values():
        scoped = [o for o in siblings if graph.access(o).level >= AccessLevel.SCOPED]
        if len(scoped) < _FEWEST_SIBLINGS or len(scoped) < _SHARE * len(siblings):
            continue
        evidence: list[tuple[object, str]] = [(o.handler, f"{o} asks for a role") for o in scoped[:5]]
        text = f"asks for no role, as {len(scoped)} of the {len(siblings)} writes of this router do"
        asking = {id(o) for o in scoped}
        for operation in siblings:
            if id(operation) not in asking:
                found[id(operation)] = (text, Confidence.TENTATIVE, evidence)
    return found | _alone_of_its_resource(application, graph)


def _alone_of_its_resource(application: Application, graph: AppGraph) -> dict[int, _Why]:
    """`DELETE /menu/{id}` asks for no role although `POST /menu` and `PUT /menu/{id}` do, and the rows are nobody's own."""
    resources: dict[str, list[PathOperation]] = defaultdict(list)
    for operation in application.operations:
        if operation.is_write and operation.handler is not None and not operation.floating:
            resources[operation.path.partition("/{")[0].rstrip("/")].append(operation)
    found: dict[int, _Why] = {}
    for path, siblings in resources.items():
        scoped = [o for o in siblings if graph.access(o).level >= AccessLevel.SCOPED]
        others = [o for o in siblings if graph.access(o).level < AccessLevel.SCOPED]
        if len(others) != 1 or len(scoped) < _FEWEST_WRITES or _is_action(others[0], path):
            continue
        changed = _changed(others[0], graph)
        if changed and all(changed & _changed(o, graph) for o in scoped) and not changed & set(owners(graph)):
            evidence: list[tuple[object, str]] = [(o.handler, f"{o} asks for a role") for o in scoped]
            text = f"asks for no role, as the other {len(scoped)} that change `{path}` do"
            found[id(others[0])] = (text, Confidence.FIRM, evidence)
    return found


def _is_action(operation: PathOperation, path: str) -> bool:
    """`POST /polls/{id}/vote` is for everybody; what replaces or removes the thing itself is not."""
    rest = operation.path.removeprefix(path).strip("/")
    return bool(rest) and not re.fullmatch(r"{[^/]*}", rest)


def _changed(operation: PathOperation, graph: AppGraph) -> set[int]:
    """Models (by identity) of which an operation changes rows."""
    changed = models_changed_in(graph)
    functions = effects(graph).of_handler(operation).functions
    return set[int]().union(*(changed.get(id(function), ()) for function in functions))


def _finding(operation: PathOperation, why: _Why, guard: str, graph: AppGraph) -> Finding:
    assert operation.handler is not None
    text, sure, evidence = why
    name = operation.handler.name
    return rule.at(
        operation.handler,
        f"`{operation}` ({name}) {text}, and lets in whoever is signed in.",
        f"Ask for the role, on the router or here:\n"
        f"```python\n{registered(graph, operation, keywords={'dependencies': f'[Depends({guard})]'})}\n```",
        reasoning=f"The guards of `{operation}` ask who is calling; none of them, and no condition in {name}, asks for a role.",
        exploit=f"An ordinary user sends `{operation}` with their own token and is obeyed.",
        confidence=Confidence.TENTATIVE if operation.conditional else sure,
        trace=steps((operation.handler, f"{operation} asks for no role"), *evidence),  # type: ignore[arg-type]
        routes=routes_of([operation]),
        context=Context(access="user", writes=operation.is_write, missing_check=True),
    )


rule.bad = """
    from typing import Annotated

    from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException

    USERS = {"alice": "admin", "mallory": "customer"}

    def current_user(x_token: Annotated[str | None, Header()] = None) -> str:
        if x_token not in USERS:
            raise HTTPException(401)
        return x_token

    admin = APIRouter(prefix="/admin", dependencies=[Depends(current_user)])

    @admin.delete("/users/{name}")
    def delete_user(name: str) -> str:  # finding: privileged-route-without-role-check
        USERS.pop(name, None)
        return f"{name} is gone"

    app = FastAPI()
    app.include_router(admin)
"""

rule.good = """
    from typing import Annotated

    from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException

    USERS = {"alice": "admin", "mallory": "customer"}

    def current_user(x_token: Annotated[str | None, Header()] = None) -> str:
        if x_token not in USERS:
            raise HTTPException(401)
        return x_token

    def require_admin(user: Annotated[str, Depends(current_user)]) -> str:
        role = USERS[user]
        if role != "admin":
            raise HTTPException(403)
        return user

    admin = APIRouter(prefix="/admin", dependencies=[Depends(require_admin)])

    @admin.delete("/users/{name}")
    def delete_user(name: str) -> str:
        USERS.pop(name, None)
        return f"{name} is gone"

    app = FastAPI()
    app.include_router(admin)
"""


@rule.exploit
def a_customer_deletes_the_administrator(proof: Proof) -> None:
    """Mallory, a customer, deletes the administrator alice with her own token."""
    answer = proof.client.delete("/admin/users/alice", headers={"X-Token": "mallory"})
    assert answer.status_code == 200
    assert answer.json() == "alice is gone"
