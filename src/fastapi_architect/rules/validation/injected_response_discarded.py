"""Cookies or headers are set on the injected response, and another response is returned.

FastAPI copies what was set on the `response` parameter into the answer that it builds from a returned
value. A handler that returns a `Response` of its own has built the answer itself: the cookies, headers and
status on the parameter are thrown away without a word. The user who logs in gets no cookie, the one who
logs out keeps it. Injected background tasks are lost in the same way when the returned response has a
background task of its own.

Known limits: what helper functions set is followed through one call.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.concepts.http import ResponseCreation
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Finding,
    Function,
    Instance,
    PathOperation,
    Proof,
    Rule,
    Severity,
    Site,
    argument,
    ir,
    last_name,
    names_in,
    options,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "Cookies or headers are set on a response that is not returned",
    severity=Severity.IMPORTANT,
    cwe=440,
    references=(
        "https://fastapi.tiangolo.com/advanced/response-cookies/",
        "https://fastapi.tiangolo.com/advanced/response-headers/",
    ),
)

_RESPONSE = "starlette.responses.Response"
_SETTERS = frozenset({"set_cookie", "delete_cookie", "init_headers"})
_HEADER_SETTERS = frozenset({"append", "update", "setdefault", "add_vary_header", "__setitem__"})


@rule.check(per=PathOperation)
def response_parameter_that_is_not_returned(operation: PathOperation, graph: AppGraph) -> Iterator[Finding]:
    handler = operation.handler
    if handler is None or operation.kind != "http":
        return
    for parameter in operation.parameters:
        if parameter.kind == "response":
            yield from _lost_settings(operation, handler, parameter.name, graph)
        elif parameter.kind == "background":
            yield from _lost_tasks(operation, handler, parameter.name, graph)


def _lost_settings(
    operation: PathOperation, handler: Function, name: str, graph: AppGraph
) -> Iterator[Finding]:
    made = _other_responses(handler, name, graph)
    if not made or _is_carried_over(handler, name):
        return
    for site, what, sure in _settings(handler, name, graph):
        lost = next((r for r in made if _leads_to(site, r)), None)
        if lost is None:
            continue
        value = _value(lost)
        shown = last_name(value.func) if isinstance(value, ir.Call) else ""
        yield rule.at(
            site,
            f"`{handler.name}` sets {what} on `{name}` and returns another response "
            f"({handler.location(lost.node)}): the client never gets it.",
            f"Set it on the response that is returned:\n```python\nanswer = {shown or 'JSONResponse'}(...)\n"
            f"answer.{'set_cookie' if 'cookie' in what else 'headers.update'}(...)\nreturn answer\n```",
            reasoning=f"FastAPI merges `{name}` into an answer only when it builds the answer itself; a "
            "returned Response is "
            "sent as it is.",
            exploit=f"A client sends `{operation}`, and what is set on `{name}` is not in the answer.",
            confidence=Confidence.CERTAIN if sure else Confidence.FIRM,
            trace=steps((site, f"{what} on {name}"), (lost, "another response is returned")),
            routes=routes_of([operation]),
        )
        return


def _settings(handler: Function, name: str, graph: AppGraph) -> Iterator[tuple[Site, str, bool]]:
    """Places where something is set on the parameter: (place, what, done here)."""
    for site in handler.facts.calls:
        func = site.node.func
        if func.__class__ is ir.Attribute and _is(func.value, name) and func.attr in _SETTERS:
            yield site, "a cookie", True
        elif (
            func.__class__ is ir.Attribute and func.attr in _HEADER_SETTERS and _is_headers(func.value, name)
        ):
            yield site, "a header", True
        elif any(_is(a, name) for a in (*site.node.args, *(k.value for k in site.node.keywords))):
            for target in graph.program.calls.targets(site):
                inner = _name_inside(site.node, target, name)
                if inner and any(_settings(target, inner, graph)):
                    yield site, f"something through `{target.name}`", False
    for assigned in handler.facts.sites(ir.Assign):
        for target_ in assigned.node.targets:
            if target_.__class__ is ir.Subscript and _is_headers(target_.value, name):
                yield assigned, "a header", True
            elif (
                target_.__class__ is ir.Attribute
                and target_.attr == "status_code"
                and _is(target_.value, name)
            ):
                yield assigned, "the status", True


def _name_inside(call: ir.Call, target: Function, name: str) -> str:
    """What the called function calls the response that it is given."""
    parameters = target.parameters[1 if target.is_method else 0 :]
    for position, parameter in enumerate(parameters):
        given = argument(call, position, parameter.name)
        if given is not None and _is(given, name):
            return parameter.name
    return ""


def _is(expr: ir.Expr, name: str) -> bool:
    return expr.__class__ is ir.Name and expr.id == name


def _is_headers(expr: ir.Expr, name: str) -> bool:
    return (
        expr.__class__ is ir.Attribute and expr.attr in ("headers", "raw_headers") and _is(expr.value, name)
    )


def _value(returned: Site) -> ir.Expr:
    value: ir.Expr = returned.node.value
    return value.value if isinstance(value, ir.Await) else value


def _other_responses(handler: Function, name: str, graph: AppGraph) -> list[Site]:
    """Returns of a response object that is not the parameter."""
    found = []
    for site in handler.facts.sites(ir.Return):
        if site.node.value is None or name in set(names_in(site.node.value)):
            continue
        of = graph.program.inference.type_of(site.node.value, handler)
        kinds = list(options(of))
        if kinds and all(_is_response(kind, graph) for kind in kinds):
            found.append(site)
    return found


def _is_response(kind: object, graph: AppGraph) -> bool:
    if not isinstance(kind, Instance):
        return False
    return graph.program.inference.hierarchy.is_subclass(kind.cls, _RESPONSE)


def _is_carried_over(handler: Function, name: str) -> bool:
    """The parameter's headers are read somewhere, most likely to put them on the other response."""
    written = {id(s.node.func.value) for s in handler.facts.calls if s.node.func.__class__ is ir.Attribute}
    for site in handler.facts.sites(ir.Assign):
        written |= {id(t.value) for t in site.node.targets if t.__class__ is ir.Subscript}
    read = (s.node for s in handler.facts.sites(ir.Attribute) if id(s.node) not in written)
    return any(_is_headers(node, name) for node in read)


def _leads_to(setting: Site, returned: Site) -> bool:
    """The return comes behind the setting, and not in the other branch of one `if`."""
    if returned.node.span < setting.node.span:
        return False
    around = {id(c.node): c.role for c in setting.context if c.node is not None}
    if any(c.role == "handler" and id(c.node) not in around for c in returned.context):
        return False  # what failed is answered in another way, on purpose
    if any(
        c.role in ("else", "handler", "case") and around.get(id(c.node), c.role) != c.role
        for c in returned.context
    ):
        return False
    branches = [c for c in setting.context if c.role in ("if", "else", "case", "handler")]
    for branch in branches:
        inside = any(c.node is branch.node and c.role == branch.role for c in returned.context)
        if not inside and _ends(branch.node):
            return False
    return True


def _ends(node: ir.Node | None) -> bool:
    """A branch whose last statement leaves the function."""
    body = getattr(node, "body", None)
    return bool(body) and isinstance(body, list) and body[-1].__class__ in (ir.Return, ir.Raise)


def _lost_tasks(operation: PathOperation, handler: Function, name: str, graph: AppGraph) -> Iterator[Finding]:
    added = [s for s in handler.facts.calls_named("add_task") if s.node.func.__class__ is ir.Attribute]
    added = [s for s in added if _is(s.node.func.value, name)]
    for response in graph.within(ResponseCreation, handler):
        given = response.background
        if not added or given is None or name in set(names_in(given)):
            continue
        if getattr(given, "kind", "") == "none" or response.site.statement.__class__ is not ir.Return:
            continue
        if added[0].node.span < response.node.span:
            yield rule.at(
                added[0],
                f"`{handler.name}` adds a task to `{name}` and returns a response with a background task "
                "of its own "
                f"({response.location}): the added task never runs.",
                "Hand all tasks to one of the two:\n```python\nreturn JSONResponse(..., "
                f"background={name})\n```",
                reasoning="FastAPI attaches the injected tasks only to a response that has none.",
                exploit=f"A client sends `{operation}`, and the task that is added here has not run when everything is done.",
                confidence=Confidence.CERTAIN,
                trace=steps((added[0], "the task is added"), (response, "the response has its own")),
                routes=routes_of([operation]),
            )
            return


rule.bad = """
    from fastapi import FastAPI, Response
    from fastapi.responses import JSONResponse

    app = FastAPI()


    @app.post("/logout")
    def log_out(response: Response) -> JSONResponse:
        response.delete_cookie("session")  # finding: injected-response-discarded
        return JSONResponse({"status": "logged out"})
"""

rule.good = """
    from fastapi import FastAPI
    from fastapi.responses import JSONResponse

    app = FastAPI()


    @app.post("/logout")
    def log_out() -> JSONResponse:
        answer = JSONResponse({"status": "logged out"})
        answer.delete_cookie("session")
        return answer
"""


@rule.symptom
def the_cookie_is_never_taken_back(proof: Proof) -> None:
    """The answer to a logout carries no Set-Cookie header: the browser stays logged in."""
    answer = proof.client.post("/logout")
    assert answer.json() == {"status": "logged out"}
    assert "set-cookie" not in answer.headers
