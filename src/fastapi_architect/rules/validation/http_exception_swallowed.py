"""A broad `except` catches the HTTP error that was meant for the client.

`HTTPException` is an exception like any other. Raised inside a `try` with `except Exception`, the 404 or
403 never leaves: the client is told 500, or worse, 200 as if all had gone well. Exceptions of the project
that have a handler of their own are lost in the same way.

Known limits: what a called function raises is followed through two calls, and left out where it stands under a
parameter (`if expected:`) that the call leaves at None or False, where a validator of the model has raised under the same
test, or where the same call stands before the `try` and has raised there; a clause that only passes is fine where the code
behind it refuses with the same status, and a broad clause that ends in a fallback value around such a call is taken for
deliberate. A 4xx that is told as another 4xx is minor: the client is refused all the same.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from fastapi_architect.analyses.http_errors import (
    Swallowed,
    http_raises,
    status_code,
    swallowed,
    within_handler,
)
from fastapi_architect.analyses.refused_by_validators import is_refused_by_validator
from fastapi_architect.analyses.source_text import text_at
from fastapi_architect.concepts.http import ResponseCreation
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Edit,
    Finding,
    Fix,
    Function,
    Location,
    Proof,
    Rule,
    Scope,
    Severity,
    Site,
    dotted_name,
    first_route,
    ir,
    last_name,
    routes_of,
    steps,
    walk,
)

rule = Rule(
    __name__,
    "A broad except swallows the HTTP error meant for the client",
    severity=Severity.CRITICAL,
    cwe=755,
    references=(
        "https://fastapi.tiangolo.com/tutorial/handling-errors/",
        "https://docs.python.org/3/tutorial/errors.html#handling-exceptions",
    ),
)


#: Statuses that tell the client that the fault is theirs.
_REFUSALS = range(400, 500)


@rule.check(per=AppGraph)
def http_error_that_ends_in_a_broad_except(graph: AppGraph, _graph: AppGraph) -> Iterator[Finding]:
    by_clause: dict[int, list[Swallowed]] = {}
    for found in swallowed(graph):
        by_clause.setdefault(id(found.catch.handler), []).append(found)
    for together in by_clause.values():
        together.sort(key=lambda found: len(found.hops))
        finding = _judged(together, graph)
        if finding is not None:
            yield finding


def _judged(together: list[Swallowed], graph: AppGraph) -> Finding | None:
    catch = together[0].catch
    scope = catch.site.scope
    if not isinstance(scope, Function) or _passes_status_on(catch.handler, scope):
        return None
    outcome, status = _outcome(catch.handler, scope, graph)
    lost = [
        found
        for found in together
        if (found.raised.status is None or not _same(found.raised.status, status))
        and not _has_passed_before(found, graph)
        and not is_refused_by_validator(found.raised.site, graph)
        and not _is_tried_another_way(found, graph)
    ]
    if not lost:
        return None
    raises = bool(within_handler(catch.handler, scope, ir.Raise))
    told = raises and status is not None and status >= 500
    if lost[0].hops and not _is_refusal_told_as_failure(lost[0], told=told):
        return None
    first = lost[0]
    all_lost = [each for each in lost if not each.hops or _is_refusal_told_as_failure(each, told=told)]
    operations = graph.entries(scope)
    if not operations or all(o.is_websocket for o in operations):
        return None
    answers = bool(graph.operations_running(scope))
    raised = first.raised
    shown = f"{raised.status} " if raised.status else ""
    where = f" in `{raised.site.scope.name}`" if first.hops else ""
    found = rule.at(
        scope.location(catch.handler),
        f"The `{raised.name}` {shown}that is raised{where} "
        f"({_place(raised.site.scope, raised.site.node)}) ends in this "
        f"`except{_caught(catch.handler)}` of `{scope.name}`: {outcome}.",
        "Let HTTP errors pass before the broad clause, or catch only what you expect:\n"
        f"```python\ntry:\n    ...\nexcept {_class_name(first)}:\n    "
        f"raise\nexcept{_caught(catch.handler)}:\n    ...\n```",
        reasoning=f"`{raised.name}` inherits from Exception, no clause before this one catches it, and "
        "this one does not "
        "raise it again.",
        exploit=f"Where {first_route(operations, scope.name)} should be answered with {raised.status or 'an error'}, {outcome}.",
        confidence=_confidence(first, answers=answers, raises=raises),
        trace=steps(
            *((site, f"{site.scope.name} calls {dotted_name(site.node.func)}") for site in first.hops),
            (raised.site, f"{raised.name} {shown}is raised"),
            (scope.location(catch.handler), outcome),
        ),
        fix=_fix(all_lost, graph),
        routes=routes_of(operations),
        symbol=scope.full_name,
    )
    # An error that is told as another error is a smaller lie than one that is told as success.
    is_error = raises or (status is not None and status >= 400)
    if all(each.raised.status in _REFUSALS and status in _REFUSALS for each in lost):
        return replace(found, severity=Severity.MINOR)
    return replace(found, severity=Severity.IMPORTANT) if is_error else found


def _is_refusal_told_as_failure(found: Swallowed, *, told: bool) -> bool:
    """What a function further down refuses, the client is told as a fault of the server's."""
    return told and (found.raised.status or 500) < 500


def _is_tried_another_way(found: Swallowed, graph: AppGraph) -> bool:
    """The clause says nothing, and the code behind it refuses with the same status: a second way to sign in, say."""
    scope, catch = found.raised.site.scope, found.catch
    if found.hops or found.raised.status is None or len(catch.handler.body) != 1:
        return False
    only = catch.handler.body[0]
    if not isinstance(only, ir.Jump) or only.kind != "pass":
        return False
    end = scope.location(catch.handler).end_line
    return any(
        other.site.scope is scope
        and other.status == found.raised.status
        and scope.location(other.site.node).line > end
        for other in http_raises(graph)
    )


def _has_passed_before(found: Swallowed, graph: AppGraph) -> bool:
    """The same call stands before the `try`, on every way to it: it would have raised there."""
    if not found.hops:
        return False
    inside, scope = found.hops[0], found.hops[0].scope
    statement = found.catch.statement
    outer = _surroundings(inside, beyond=statement)
    text = _text(inside, graph)
    return any(
        site.node.span < statement.span
        and {id(each.node) for each in site.context if each.role not in _ALWAYS_RUN} <= outer
        and _text(site, graph) == text
        and not _changes(site.node, scope)
        for site in scope.facts.calls_named(last_name(inside.node.func))
    )


#: Surroundings that keep nothing from being run.
_ALWAYS_RUN = frozenset({"root", "await", "statement-value", "with", "with-item"})


def _surroundings(site: Site, beyond: ir.Node) -> set[int]:
    """Identities of what stands around a statement that a site stands in."""
    nodes = [context.node for context in site.context]
    at = next((index for index, node in enumerate(nodes) if node is beyond), len(nodes))
    return {id(node) for node in nodes[at + 1 :]}


def _text(site: Site, graph: AppGraph) -> str:
    return "".join(text_at(graph, site.scope.location(site.node)).split())


def _changes(call: ir.Call, scope: Scope) -> bool:
    """A name among the arguments is bound more than once: the second call may be about something else."""
    named = [node.id for node in walk(call) if isinstance(node, ir.Name)]
    return any(len(scope.facts.bindings.get(name, ())) > 1 for name in named)


def _confidence(found: Swallowed, *, answers: bool, raises: bool) -> Confidence:
    """A function between the route and the raise may use the exception for its own control flow."""
    if not answers and not raises:
        return Confidence.TENTATIVE
    return Confidence.FIRM if found.hops or not answers else Confidence.CERTAIN


def _same(raised: int, answered: int | None) -> bool:
    return answered is not None and (raised == answered or (raised >= 500 and answered >= 500))


def _place(scope: object, node: ir.Node) -> str:
    return str(scope.location(node))  # type: ignore[attr-defined]


def _caught(handler: ir.Handler) -> str:
    name = dotted_name(handler.type) if handler.type is not None else ""
    return f" {name}" if name else ""


def _passes_status_on(handler: ir.Handler, scope: Function) -> bool:
    """The clause looks at the status of what it caught, or asks for its class."""
    for site in within_handler(handler, scope, ir.Attribute):
        if site.node.attr == "status_code" and getattr(site.node.value, "id", None) == handler.name:
            return True
    asked = (s for s in scope.facts.calls_named("isinstance", "getattr", "type"))
    return any(any(c.node is handler for c in site.context) for site in asked)


def _outcome(handler: ir.Handler, scope: Function, graph: AppGraph) -> tuple[str, int | None]:
    """What the client gets instead, and its status where it is known."""
    for raised in http_raises(graph):
        if raised.site.scope is scope and any(c.node is handler for c in raised.site.context):
            code = raised.status
            return f"the client is told {code or 'something else'} instead", code
    if within_handler(handler, scope, ir.Raise):
        return "the client is told 500 instead, or what the raised exception becomes", 500
    for response in graph.within(ResponseCreation, scope):
        if any(c.node is handler for c in response.site.context):
            code = status_code(graph, response.status, scope)
            return f"the client is told {code or 200} instead", code or 200
    returns = [s for s in within_handler(handler, scope, ir.Return) if s.node.value is not None]
    if returns:
        return "the client is told 200 instead", 200
    return "the request goes on as if nothing had happened", None


def _class_name(found: Swallowed) -> str:
    return dotted_name(found.raised.site.node.func) or found.raised.name


def _fix(lost: list[Swallowed], graph: AppGraph) -> Fix | None:
    """`except HTTPException: raise` before the broad clause, where the module has the names of all that is lost."""
    catch = lost[0].catch
    scope = catch.site.scope
    names = list(dict.fromkeys(_class_name(found) for found in lost))
    if any(found.raised.site.scope.module is not scope.module for found in lost) or any(
        graph.program.inference.lookup(name.partition(".")[0], scope) is None for name in names
    ):
        return None
    if not catch.statement.body:
        return None
    place = scope.location(catch.handler)
    indent = " " * place.column
    caught = names[0] if len(names) == 1 else f"({', '.join(names)})"
    text = f"except {caught}:\n{indent}    raise\n{indent}"
    at = Location(place.path, place.line, place.column)
    return Fix(f"Let {' and '.join(names)} pass", (Edit(at, text),), safe=True)


rule.bad = """
    import logging

    from fastapi import FastAPI, HTTPException

    app = FastAPI()
    logger = logging.getLogger(__name__)
    ORDERS = {1: "paid"}


    @app.post("/orders/{order_id}/cancellation")
    def cancel_order(order_id: int) -> str:
        try:
            if order_id not in ORDERS:
                raise HTTPException(status_code=404, detail="There is no such order.")
            return ORDERS.pop(order_id)
        except Exception as error:  # finding: http-exception-swallowed
            logger.exception("order %s was not cancelled", order_id)
            raise HTTPException(status_code=500, detail="The order was not cancelled.") from error
"""

rule.good = """
    import logging

    from fastapi import FastAPI, HTTPException

    app = FastAPI()
    logger = logging.getLogger(__name__)
    ORDERS = {1: "paid"}


    @app.post("/orders/{order_id}/cancellation")
    def cancel_order(order_id: int) -> str:
        try:
            if order_id not in ORDERS:
                raise HTTPException(status_code=404, detail="There is no such order.")
            return ORDERS.pop(order_id)
        except HTTPException:
            raise
        except Exception as error:
            logger.exception("order %s was not cancelled", order_id)
            raise HTTPException(status_code=500, detail="The order was not cancelled.") from error
"""


@rule.symptom
def a_missing_order_looks_like_a_broken_server(proof: Proof) -> None:
    """An order that does not exist is answered with 500 instead of 404."""
    assert proof.client.post("/orders/7/cancellation").status_code == 500
