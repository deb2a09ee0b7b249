"""A route decides what a service should decide.

Prices, discounts and rules that live in a handler can be tested only through HTTP, and the task or command that needs
them next copies them. A handler that reads the request, calls one function and answers stays short enough to be checked
by eye for what matters there: who may do it, what comes in and what goes out.

Known limits: decisions are counted (branches and loops; an `except` that only turns an error into an answer is not one),
not understood. Handlers with a few distinct effects are reported only where other routes already call services or
repositories; a small project without such a layer is left alone.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from fastapi_architect.analyses.layers import layers
from fastapi_architect.analyses.own_code import registered
from fastapi_architect.concepts.concept import Concept
from fastapi_architect.concepts.database import BulkWrite, QueryStart, SessionAdd, SessionDelete, SessionGet
from fastapi_architect.concepts.http import OutboundRequest, PaidApiCall
from fastapi_architect.concepts.messaging import EmailSend, Enqueue
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Files,
    Finding,
    Function,
    PathOperation,
    Rule,
    Severity,
    dotted_name,
    ir,
    last_name,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "A route holds the business logic",
    severity=Severity.MINOR,
    cwe=1120,
    references=(
        "https://fastapi.tiangolo.com/tutorial/bigger-applications/",
        "https://en.wikipedia.org/wiki/Cyclomatic_complexity",
    ),
    no_proof="where logic stands changes nothing at run time",
)

_MOST_PATHS = 10
_MOST_STATEMENTS = 40
_MOST_EFFECTS = 2
#: A project with fewer operations and no services needs none yet.
_SMALL = 20
_SHOWN = 5

_BRANCHES = (ir.For, ir.While, ir.Case)
_EFFECTS: tuple[tuple[type[Concept], str], ...] = (
    (SessionAdd, "stores"),
    (SessionDelete, "deletes"),
    (BulkWrite, "writes rows of"),
    (OutboundRequest, "calls another host in"),
    (PaidApiCall, "calls a service in"),
    (Enqueue, "enqueues"),
    (EmailSend, "mails in"),
)


class _Size(msgspec.Struct, frozen=True):
    """What was counted in a handler's body."""

    paths: int
    statements: int


@rule.check(per=PathOperation)
def handler_with_logic(operation: PathOperation, graph: AppGraph) -> Iterator[Finding]:
    handler = operation.handler
    if handler is None or operation.is_websocket or graph.operations_running(handler)[0] is not operation:
        return
    delegating = any(o.handler is not handler for o in layers(graph).operations_by_layer)
    if not delegating and len(graph.operations) < _SMALL:
        return
    size = _size(handler)
    if size.paths > _MOST_PATHS or size.statements > _MOST_STATEMENTS:
        told = f"has {size.paths} ways through {size.statements} statements"
        yield _finding(operation, handler, graph, told, [])
        return
    effects = _distinct_effects(handler, graph) if delegating else []
    if len(effects) > _MOST_EFFECTS:
        shown = ", ".join(f"{verb} `{name}`" for _, verb, name in effects[:_SHOWN])
        yield _finding(operation, handler, graph, shown, effects)


def _size(handler: Function) -> _Size:
    facts = handler.facts
    paths = 1 + sum(len(facts.sites(kind)) for kind in _BRANCHES)
    paths += sum(1 + len(site.node.elifs) for site in facts.sites(ir.If))
    paths += sum(not _translates(site.node) for site in facts.sites(ir.Handler))
    kinds = (ir.ExprStmt, ir.Assign, ir.AnnAssign, ir.AugAssign, ir.Return, ir.Raise, ir.Delete, ir.Assert)
    plain = sum(len(facts.sites(kind)) for kind in kinds)
    blocks = (ir.If, ir.For, ir.While, ir.With, ir.Try)
    return _Size(paths, plain + sum(len(facts.sites(kind)) for kind in blocks))


def _translates(handler: ir.Handler) -> bool:
    """An `except` that only logs and turns the error into an answer: the route's own work."""
    return all(isinstance(each, ir.Raise | ir.Return | ir.ExprStmt | ir.Jump) for each in handler.body)


def _distinct_effects(handler: Function, graph: AppGraph) -> list[tuple[Concept, str, str]]:
    """What the handler itself reads, writes and sends, each thing once; none when it only reads."""
    found: dict[tuple[str, str], Concept] = {}
    for kind, verb in _EFFECTS:
        for each in graph.within(kind, handler):
            found.setdefault((verb, _thing(each)), each)
    for start in graph.within(QueryStart, handler):
        if start.kind in ("insert", "update", "delete"):
            found.setdefault((f"{start.kind}s", _thing(start)), start)
    if not found:
        return []
    for read in (*graph.within(QueryStart, handler), *graph.within(SessionGet, handler)):
        if not isinstance(read, QueryStart) or read.kind not in ("insert", "update", "delete"):
            found.setdefault(("reads", _thing(read)), read)
    return sorted(((each, verb, name) for (verb, name), each in found.items()), key=lambda e: e[0].node.span)


def _thing(effect: Concept) -> str:
    """What an effect is about: the model, the instance, or the function called."""
    if isinstance(effect, QueryStart):
        named = [dotted_name(e).partition(".")[0] for e in effect.entities]
        return next((n for n in named if n), "") or last_name(effect.node.func)
    for field in ("model", "instance"):
        expr = getattr(effect, field, None)
        if expr is not None and dotted_name(expr):
            return dotted_name(expr)
    return dotted_name(effect.node.func) or last_name(effect.node.func)


def _finding(
    operation: PathOperation,
    handler: Function,
    graph: AppGraph,
    told: str,
    effects: list[tuple[Concept, str, str]],
) -> Finding:
    name = handler.name
    example = next((o for o in layers(graph).operations_by_layer if o.handler is not handler), None)
    trace = steps(*((each, f"{name} {verb} {thing}") for each, verb, thing in effects[:_SHOWN]))
    if example is not None and example.handler is not None:
        trace += steps((example.handler, f"{example.handler.name} leaves this to a layer below"))
    names = ", ".join(
        p.name for p in handler.parameters if p.kind in ("normal", "kwonly") and p.name != "self"
    )
    keyword, call = ("async def", "await ") if handler.is_async else ("def", "")
    return rule.at(
        handler,
        f"`{name}` {told}: logic that only a request can run or test.",
        f"Consider moving it into a function of a service, with the handler left to take the input and give the answer:\n"
        f"```python\n# in the service\n{keyword} {name}({names}): ...\n\n\n"
        f"# in the route\n{registered(graph, operation, f'return {call}service.{name}({names})')}\n```",
        reasoning="A handler should say what comes in, who may ask and what goes out. What is decided in between is needed "
        "by tasks, commands and tests as well, and they have no request.",
        exploit=f"A task or a command that needs what `{name}` decides has to make a request, or copies it.",
        confidence=Confidence.FIRM,
        trace=trace,
        routes=routes_of([operation]),
    )


rule.bad = Files(
    {
        "services.py": """
            def country_names() -> list[str]:
                return ["CH", "DE"]
        """,
        "main.py": """
            import services
            from fastapi import FastAPI
            from pydantic import BaseModel

            app = FastAPI()


            class Basket(BaseModel):
                goods: int
                copies: int
                country: str
                express: bool = False
                gift: bool = False
                staff: bool = False


            @app.get("/countries")
            def list_countries() -> list[str]:
                return services.country_names()


            @app.post("/quotes")
            def quote(basket: Basket) -> dict[str, int]:  # finding: business-logic-in-route
                if basket.goods >= 200:
                    discount = basket.goods // 10
                elif basket.goods >= 100:
                    discount = basket.goods // 20
                elif basket.copies >= 5:
                    discount = basket.goods // 50
                else:
                    discount = 0
                if basket.staff:
                    discount = max(discount, basket.goods // 5)
                if basket.country == "CH":
                    shipping = 7
                elif basket.country == "DE":
                    shipping = 9
                else:
                    shipping = 12
                if basket.copies > 10:
                    shipping *= 2
                if basket.express:
                    shipping += 10
                if basket.gift:
                    shipping += 3 * basket.copies
                if basket.goods - discount >= 150 and not basket.express:
                    shipping = 0
                return {"total": basket.goods - discount + shipping}
        """,
    }
)

rule.good = Files(
    {
        "schemas.py": """
            from pydantic import BaseModel


            class Basket(BaseModel):
                goods: int
                copies: int
                country: str
                express: bool = False
                gift: bool = False
                staff: bool = False
        """,
        "services.py": """
            from schemas import Basket


            def country_names() -> list[str]:
                return ["CH", "DE"]


            def quote(basket: Basket) -> int:
                if basket.goods >= 200:
                    discount = basket.goods // 10
                elif basket.goods >= 100:
                    discount = basket.goods // 20
                elif basket.copies >= 5:
                    discount = basket.goods // 50
                else:
                    discount = 0
                if basket.staff:
                    discount = max(discount, basket.goods // 5)
                if basket.country == "CH":
                    shipping = 7
                elif basket.country == "DE":
                    shipping = 9
                else:
                    shipping = 12
                if basket.copies > 10:
                    shipping *= 2
                if basket.express:
                    shipping += 10
                if basket.gift:
                    shipping += 3 * basket.copies
                if basket.goods - discount >= 150 and not basket.express:
                    shipping = 0
                return basket.goods - discount + shipping
        """,
        "main.py": """
            import services
            from fastapi import FastAPI
            from schemas import Basket

            app = FastAPI()


            @app.get("/countries")
            def list_countries() -> list[str]:
                return services.country_names()


            @app.post("/quotes")
            def quote(basket: Basket) -> dict[str, int]:
                return {"total": services.quote(basket)}
        """,
    }
)
