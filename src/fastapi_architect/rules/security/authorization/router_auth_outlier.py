"""One route of a router lacks the guard that its siblings have.

A guard is easily forgotten on the route that was added last. When at least three siblings, and at least four in five of
them, are guarded by the same dependency, the one without it is reported and the siblings are shown.

A guard may be a call in the body, too: where two in three of a router's operations that run commands or code first call
`check_access(...)`, the one that runs its own without is reported.

Known limits: handlers that each ask in their own bodies share no guard, and nothing is said about the one that does not. Routes
that are public by their nature (login, health, webhooks with a signature) are recognised by their
path and name, a GET without inputs (or with members of an enumeration, or of a path such as `/{kind}/schema`) that
reads no database tells everybody the same, and a route that does nothing but refuse (410, 501), or that is not written
yet, gives nothing away. What a comment calls public, or looks like a registration, is tentative, and so are a
read where hardly another read is guarded, what pages show to everybody (plans, templates, pictures) and what refuses
somebody itself; anything else is
declared public with a reason in `[tool.fastapi-architect.project]`.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator

from fastapi_architect.analyses.called_checks import Unchecked, unchecked_operations
from fastapi_architect.analyses.effects import effects
from fastapi_architect.analyses.own_code import registered, written
from fastapi_architect.analyses.public_operations import (
    callers_of,
    is_public_by_nature,
    seems_meant_for_strangers,
)
from fastapi_architect.analyses.small_tables import stays_small
from fastapi_architect.appgraph.parameters import Parameter
from fastapi_architect.program.types import NONE
from fastapi_architect.rules.kit import (
    AccessLevel,
    AppGraph,
    Application,
    Confidence,
    Context,
    Finding,
    Function,
    Instance,
    PathOperation,
    Proof,
    Rule,
    Severity,
    ir,
    last_name,
    lazy_pattern,
    options,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "A route lacks the guard that its siblings have",
    severity=Severity.CRITICAL,
    cwe=862,
    cvss="AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:N",
    references=(
        "https://fastapi.tiangolo.com/tutorial/bigger-applications/#include-an-apirouter-with-a-custom-prefix-tags-responses-and-dependencies",
        "https://owasp.org/API-Security/editions/2023/en/0xa5-broken-function-level-authorization/",
    ),
)

_FEWEST_SIBLINGS = 3
_FEWEST_READS = 2
_SHARE = 0.8
_FIRST_ERROR = 400
#: Last parts of paths that answer with definitions, the same for everybody.
_DEFINITIONS = frozenset({
    "schema", "json-schema", "jsonschema", "schemas", "enum", "enums", "choices", "constants", "types", "formats",
})  # fmt: skip
#: What pages show to everybody, and browsers load without a token.
_SHOWN = lazy_pattern(
    r"(^|[/_-])(static|assets?|logos?|icons?|avatars?|thumbnails?|pictures?|images?|templates?|plans?|pricing|catalog(ue)?|"
    r"testimonials?|faqs?|blogs?|news|manifest)([/_-]|$)",
    re.IGNORECASE,
)
_CHOICES = frozenset({"typing.Literal", "builtins.bool"})
_STATUS = lazy_pattern(r"HTTP_(\d{3})_")


@rule.check(per=Application)
def route_without_the_guard_of_its_siblings(application: Application, graph: AppGraph) -> Iterator[Finding]:
    for siblings in _families(application):
        guards = {id(o): graph.access(o) for o in siblings}
        guarded = [o for o in siblings if guards[id(o)].authenticated]
        if len(guarded) < _FEWEST_SIBLINGS or len(guarded) < _SHARE * len(siblings):
            continue
        names = Counter(
            g.name
            for o in guarded
            for g in guards[id(o)].guards
            if g.level >= AccessLevel.USER and not _is_its_handler(g.name, o)
        )
        if not names:
            continue  # each asks in its own body: nothing that could have been forgotten here
        guard = names.most_common(1)[0][0].rpartition(".")[2]
        for operation in siblings:
            access = guards[id(operation)]
            if (
                not access.authenticated
                and not access.public_reason
                and not _is_harmless(operation, application, graph)
                and not _is_unfinished(operation, siblings)
            ):
                yield _finding(operation, guarded, guard, siblings, graph)


@rule.check(per=AppGraph)
def operation_without_the_check_of_its_siblings(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    for each in unchecked_operations(graph):
        operation = each.operation
        harmless = is_public_by_nature(operation) or callers_of(graph).proof_in_body(operation)
        if operation.handler is not None and not harmless and not graph.access(operation).public_reason:
            yield _unchecked(each, operation.handler, graph)


def _is_its_handler(guard: str, operation: PathOperation) -> bool:
    """The handler itself reads a credential and refuses: a check, but none that another route could require."""
    return operation.handler is not None and operation.handler.full_name == guard


def _unchecked(each: Unchecked, handler: Function, graph: AppGraph) -> Finding:
    operation, count = each.operation, len(each.siblings)
    first, call = each.siblings[0]
    return rule.at(
        handler,
        f"`{operation}` ({handler.name}) runs a command without `{each.check}(...)`, which {count} operations of this router that run "
        "one call first.",
        f"Call it before anything else, as `{first}` does; better, make it a dependency of the router, which nobody can forget:\n"
        f"```python\n{written(graph, call.scope, call.node)}\n```",
        reasoning=f"Neither {handler.name} nor a dependency on the way calls `{each.check}`, and nothing else asks who is calling.",
        exploit=f"A client whom `{each.check}` would refuse sends `{operation}`, and the command is run.",
        confidence=Confidence.FIRM,
        trace=steps(
            *((site, f"{o} calls {each.check} first") for o, site in each.siblings[:5]),
            (each.act, f"{operation} runs this without it"),
        ),
        routes=routes_of([operation]),
        context=Context(access="none", writes=True, data=None),
    )


def _families(application: Application) -> Iterator[list[PathOperation]]:
    """Operations of one router, included in one way."""
    families: dict[object, list[PathOperation]] = defaultdict(list)
    for operation in application.operations:
        if operation.kind == "http" and operation.handler is not None:
            families[operation.router_location, tuple(i.location for i in operation.inclusions)].append(
                operation
            )
    yield from families.values()


def _is_harmless(operation: PathOperation, application: Application, graph: AppGraph) -> bool:
    """It is meant for strangers, asks in its body, or tells everybody the same thing that no database holds."""
    questions = callers_of(graph)
    if operation.handler is not None and _only_refuses(operation.handler, graph):
        return True
    if operation.methods == ("OPTIONS",) or is_public_by_nature(operation):
        return True
    if questions.proof_in_body(operation) or questions.guarded_elsewhere(operation, application):
        return True
    if questions.refuses_strangers(operation):
        return True
    does = effects(graph).of_handler(operation)
    reads_nothing = not does.round_trips and not does.outbound and not does.redis
    asks_nothing = all(_is_choice(p, graph) for p in operation.parameters if p.is_input)
    asks_nothing = asks_nothing or _describes(operation)
    return not operation.is_write and asks_nothing and reads_nothing and does.changes_state is None


def _may_be_open(
    operation: PathOperation, guarded: list[PathOperation], siblings: list[PathOperation], graph: AppGraph
) -> bool:
    """A read among guarded writes, or of what is shown to everybody (plans, pictures); or it refuses somebody itself."""
    handler = operation.handler
    assert handler is not None
    if any(graph.guards.status_of(s.node, handler) in (401, 403) for s in handler.facts.calls):
        return True
    if operation.is_write:
        return False
    reads = [each for each in siblings if not each.is_write]
    guarded_reads = [each for each in guarded if not each.is_write]
    if len(guarded_reads) < _FEWEST_READS or len(guarded_reads) < _SHARE * len(reads):
        return True
    last = next((part for part in reversed(operation.path.split("/")) if part and "{" not in part), "")
    return stays_small(last) or any(_SHOWN.search(text) for text in (operation.path, handler.name))


def _is_choice(parameter: Parameter, graph: AppGraph) -> bool:
    """One of a few values that the code names: a literal, a member of an enumeration, yes or no."""
    hierarchy = graph.program.inference.hierarchy
    given = [each for each in options(parameter.type) if each != NONE]
    return bool(given) and all(
        isinstance(each, Instance) and (each.name in _CHOICES or hierarchy.is_subclass(each.cls, "enum.Enum"))
        for each in given
    )


def _is_unfinished(operation: PathOperation, siblings: list[PathOperation]) -> bool:
    """It calls nothing and answers a text or nothing, whatever is sent, beside siblings that do something."""
    handler = operation.handler
    if (
        handler is None
        or handler.facts.calls
        or not any(o.handler and o.handler.facts.calls for o in siblings)
    ):
        return False
    values = [site.node.value for site in handler.facts.sites(ir.Return)]
    return all(value is None or value.__class__ is ir.Constant for value in values)


def _describes(operation: PathOperation) -> bool:
    """The path ends in what code defines, whatever is asked about: `/{kind}/schema`, `/{field}/choices`."""
    return operation.path.rstrip("/").rpartition("/")[2].lower() in _DEFINITIONS


def _only_refuses(handler: Function, graph: AppGraph) -> bool:
    """Its body is one answer with an error status, or one exception: a route that is gone, or not yet there."""
    facts = handler.facts
    ends = [*facts.sites(ir.Return), *facts.sites(ir.Raise)]
    if len(ends) != 1 or facts.sites(ir.Assign) or facts.sites(ir.Delete):
        return False
    end = ends[0].node
    value = end.value if isinstance(end, ir.Return) else end.exc
    return (
        isinstance(value, ir.Call)
        and all(site.statement is end for site in facts.calls)
        and _status(value, handler, graph) >= _FIRST_ERROR
    )


def _status(call: ir.Call, scope: Function, graph: AppGraph) -> int:
    """The status of `JSONResponse(status_code=410)` or `HTTPException(501)`; 0 when it is not known."""
    for given in (*(k.value for k in call.keywords if k.arg == "status_code"), *call.args[:1]):
        value = graph.program.constants.value(given, scope)
        named = _STATUS.match(last_name(given))
        if isinstance(value, int) or named:
            return value if isinstance(value, int) else int(named[1]) if named else 0
    return 0


def _finding(
    operation: PathOperation,
    guarded: list[PathOperation],
    guard: str,
    siblings: list[PathOperation],
    graph: AppGraph,
) -> Finding:
    assert operation.handler is not None
    name = operation.handler.name
    shown = guarded[:5]
    doubtful = seems_meant_for_strangers(operation, graph) or _may_be_open(
        operation, guarded, siblings, graph
    )
    required = registered(graph, operation, keywords={"dependencies": f"[Depends({guard})]"})
    return rule.at(
        operation.handler,
        f"`{operation}` ({name}) runs without `{guard}`, which guards {len(guarded)} of the {len(siblings)} routes of this router.",
        f"Require `{guard}` on the router, so that no later route can forget it, or here:\n"
        f"```python\n{required}\n```",
        reasoning=f"No dependency of {name}, of its router, or of the includes on the way refuses an anonymous request.",
        exploit=f"An anonymous client sends `{operation}` and is answered as if it had signed in.",
        confidence=Confidence.TENTATIVE if doubtful else Confidence.FIRM,
        trace=steps(*((o.handler, f"{o} is guarded by {guard}") for o in shown if o.handler is not None)),
        routes=routes_of([operation]),
        context=Context(access="none", writes=operation.is_write, data=None),
    )


rule.bad = """
    from typing import Annotated

    from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException

    def current_user(authorization: Annotated[str | None, Header()] = None) -> str:
        if authorization != "Bearer alice":
            raise HTTPException(401)
        return "alice"

    router = APIRouter(prefix="/orders")

    @router.get("", dependencies=[Depends(current_user)])
    def list_orders() -> list[str]:
        return ["books"]

    @router.get("/{order_id}", dependencies=[Depends(current_user)])
    def read_order(order_id: int) -> str:
        return "books"

    @router.post("", dependencies=[Depends(current_user)])
    def create_order() -> str:
        return "created"

    @router.put("/{order_id}", dependencies=[Depends(current_user)])
    def replace_order(order_id: int) -> str:
        return "replaced"

    @router.delete("/{order_id}")
    def delete_order(order_id: int) -> str:  # finding: router-auth-outlier
        return "deleted"

    app = FastAPI()
    app.include_router(router)
"""

rule.good = """
    from typing import Annotated

    from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException

    def current_user(authorization: Annotated[str | None, Header()] = None) -> str:
        if authorization != "Bearer alice":
            raise HTTPException(401)
        return "alice"

    router = APIRouter(prefix="/orders", dependencies=[Depends(current_user)])

    @router.get("")
    def list_orders() -> list[str]:
        return ["books"]

    @router.get("/{order_id}")
    def read_order(order_id: int) -> str:
        return "books"

    @router.post("")
    def create_order() -> str:
        return "created"

    @router.put("/{order_id}")
    def replace_order(order_id: int) -> str:
        return "replaced"

    @router.delete("/{order_id}")
    def delete_order(order_id: int) -> str:
        return "deleted"

    app = FastAPI()
    app.include_router(router)
"""


@rule.exploit
def a_stranger_deletes_an_order(proof: Proof) -> None:
    """An anonymous DELETE is answered with 200 although every other route asks who is calling."""
    assert proof.client.get("/orders").status_code == 401
    assert proof.client.delete("/orders/7").status_code == 200
