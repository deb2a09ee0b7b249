"""The function that checks the caller lets them in when the check fails.

A dependency keeps somebody out only by raising. An `HTTPException` that is made but not raised, one that is returned,
or an `except` that swallows the failure and gives None or a default user: in each case the operation runs.

Known limits: an optional user is fine where every receiver tests it; a value that is handed to a call or whose
attributes are read counts as tested. Who sends no credential and who sends a wrong one being given the same stand-in
(a guest, a service account) is an optional login, unless the stand-in is an administrator.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fastapi_architect.analyses.injected_values import is_looked_at, is_tested, receivers, with_parents
from fastapi_architect.analyses.public_operations import is_public_by_nature
from fastapi_architect.analyses.source_text import text_at
from fastapi_architect.concepts.identity import PasswordVerify, SignatureVerification, TokenDecode
from fastapi_architect.rules.kit import (
    UNKNOWN,
    AccessLevel,
    AppGraph,
    Confidence,
    Context,
    Edit,
    Finding,
    Fix,
    Function,
    Location,
    PathOperation,
    Proof,
    Rule,
    Severity,
    Site,
    argument,
    ir,
    last_name,
    lazy_pattern,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "A check of the caller lets everybody in when it fails",
    severity=Severity.CRITICAL,
    cwe=636,
    cvss="AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:N",
    references=(
        "https://cheatsheetseries.owasp.org/cheatsheets/Error_Handling_Cheat_Sheet.html",
        "https://fastapi.tiangolo.com/tutorial/dependencies/dependencies-with-yield/#dependencies-with-yield-and-httpexception",
    ),
)

_VERIFIES = lazy_pattern(
    r"(decode|verify|validate|check|parse|authenticate|introspect)\w*(token|jwt|session|api_?key|credential|id_token)",
    re.IGNORECASE,
)
_OPTIONAL = lazy_pattern(r"optional|maybe|anonymous|or_none|if_any|guest|try_", re.IGNORECASE)
_MIGHTY = lazy_pattern(r"admin|super_?user|root|staff", re.IGNORECASE)
_ERRORS = ("HTTPException", "JSONResponse", "Response", "PlainTextResponse", "ORJSONResponse")


@rule.check(per=AppGraph)
def failure_that_lets_pass(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    handlers = {id(o.handler) for o in graph.operations}
    functions = {id(f): f for o in graph.operations for f in o.functions}
    for function in functions.values():
        yield from _not_raised(graph, function)
        if id(function) not in handlers:
            yield from _returned(graph, function)
            yield from _swallowed(graph, function)


# ── an error that is made and dropped ────────────────────────────────────────────────────────────────────────────


def _not_raised(graph: AppGraph, function: Function) -> Iterator[Finding]:
    for site in function.facts.calls:
        if site.context.role != "statement-value" or site.statement.__class__ is not ir.ExprStmt:
            continue
        status = graph.guards.status_of(site.node, function)
        if status in (401, 403):
            place = site.scope.location(site.node)
            fix = Fix(
                "Raise the error",
                (Edit(Location(place.path, place.line, place.column), "raise "),),
            )
            what = f"makes `{last_name(site.node.func)}({status})` and does not raise it"
            yield _finding(graph, function, site, what, Confidence.CERTAIN, fix)


def _returned(graph: AppGraph, function: Function) -> Iterator[Finding]:
    for site in function.facts.sites(ir.Return):
        value = site.node.value
        if value.__class__ is not ir.Call or last_name(value.func) not in _ERRORS:
            continue
        status = graph.guards.status_of(value, function)
        if status is None:
            given = argument(value, None, "status_code")
            known = graph.program.constants.value(given, function) if given is not None else UNKNOWN
            status = known if isinstance(known, int) else None
        if status in (401, 403) and _is_dropped(graph, function):
            what = f"returns `{last_name(value.func)}({status})`; FastAPI hands it on as a value"
            yield _finding(graph, function, site, what, Confidence.CERTAIN, None)


def _is_dropped(graph: AppGraph, function: Function) -> bool:
    """At least one receiver never tests what it gets."""
    return any(
        each.function is None or not is_tested(graph, each.function, each.parameter)
        for each in receivers(graph, function)
    )


# ── an exception that is swallowed ───────────────────────────────────────────────────────────────────────────────


def _swallowed(graph: AppGraph, function: Function) -> Iterator[Finding]:
    if not function.facts.sites(ir.Try) or not _verifies(graph, function):
        return
    for site in function.facts.sites(ir.Handler):
        handler = site.node
        outer = next((t for t in function.facts.sites(ir.Try) if handler in t.node.handlers), None)
        if outer is None or not _guards_verification(graph, function, outer.node):
            continue
        end = handler.body[-1] if handler.body else None
        if _has_raise(function, handler):
            continue
        if end.__class__ is ir.Return:
            place = next((s for s in function.facts.sites(ir.Return) if s.node is end), site)
            yield from _judged(graph, function, place, end.value)
        elif _is_last(function, outer.node):
            yield from _judged(graph, function, site, None)


def _is_last(function: Function, node: ir.Try) -> bool:
    """Nothing runs behind this `try`."""
    return bool(function.body) and function.body[-1] is node and not node.orelse and not node.finalbody


def _has_raise(function: Function, handler: ir.Handler) -> bool:
    return any(context.node is handler for site in function.facts.sites(ir.Raise) for context in site.context)


def _verifies(graph: AppGraph, function: Function) -> bool:
    if any(
        graph.within(concept, function) for concept in (TokenDecode, PasswordVerify, SignatureVerification)
    ):
        return True
    return any(_VERIFIES.search(last_name(site.node.func)) for site in function.facts.calls)


def _guards_verification(graph: AppGraph, function: Function, node: ir.Try) -> bool:
    """The verification stands in the body of this `try`."""
    found = [
        concept.site
        for kind in (TokenDecode, PasswordVerify, SignatureVerification)
        for concept in graph.within(kind, function)
    ]
    found += [site for site in function.facts.calls if _VERIFIES.search(last_name(site.node.func))]
    return any(context.role == "try" and context.node is node for site in found for context in site.context)


def _judged(graph: AppGraph, function: Function, place: Site, value: ir.Expr | None) -> Iterator[Finding]:
    nothing = value is None or (value.__class__ is ir.Constant and value.kind == "none")
    if value is not None and not nothing and _gives_everybody(graph, function, value):
        return
    denial = value.__class__ is ir.Constant and value.value is False
    open_to = [
        each
        for each in receivers(graph, function)
        if each.function is None
        or not (is_looked_at if nothing else is_tested)(graph, each.function, each.parameter)
    ]
    if nothing:
        open_to = [each for each in open_to if not _asked_elsewhere(graph, each.operation, function)]
    if not open_to or (
        _OPTIONAL.search(function.name) and any(each.function is not None for each in open_to)
    ):
        return
    if nothing:
        what = "gives None when the verification fails"
    elif denial:
        what = "gives False when the verification fails, which stops nobody"
    else:
        what = "gives a value when the verification fails"
    receiver = open_to[0]
    who = (
        receiver.function.name
        if receiver.function is not None
        else f"`dependencies=[...]` of {receiver.operation}"
    )
    yield _finding(graph, function, place, f"{what}, and {who} never tests it", Confidence.FIRM, None)


def _gives_everybody(graph: AppGraph, function: Function, value: ir.Expr) -> bool:
    """Who sends no credential is given the very same: an optional login, and no check that fails."""
    stand_in = text_at(graph, function.location(value)).split()
    return not _MIGHTY.search(" ".join(stand_in)) and any(
        site.node.value is not None
        and site.node.value is not value
        and all(context.role not in ("try", "handler") for context in site.context)
        and text_at(graph, function.location(site.node.value)).split() == stand_in
        for site in function.facts.sites(ir.Return)
    )


def _asked_elsewhere(graph: AppGraph, operation: PathOperation, function: Function) -> bool:
    """Another dependency of the operation refuses strangers, so that this one only denies more, or it is for strangers."""
    return is_public_by_nature(operation) or any(
        guard.level >= AccessLevel.USER
        and guard.dependency is not None
        and all(each.function is not function for each, _ in with_parents(guard.dependency, None))
        for guard in graph.access(operation).guards
    )


def _finding(
    graph: AppGraph, function: Function, place: Site, what: str, confidence: Confidence, fix: Fix | None
) -> Finding:
    operations = graph.operations_running(function)
    route = str(operations[0]) if operations else "the operation"
    return rule.at(
        place,
        f"`{function.name}` {what}: the request goes on.",
        "Raise on every way on which the caller is not known:\n"
        "```python\n"
        'raise HTTPException(status_code=401, headers={"WWW-Authenticate": "Bearer"})\n'
        "```",
        reasoning="FastAPI stops a request only when a dependency raises; whatever it returns is handed to the operation.",
        exploit=f"Send `{route}` with an invalid credential: it is answered.",
        confidence=confidence,
        trace=steps((function, f"{function.name} checks the caller"), (place, what)),
        fix=fix,
        routes=routes_of(operations),
        context=Context(access="none"),
    )


rule.bad = """
    from typing import Annotated

    from fastapi import Depends, FastAPI, Header, HTTPException

    KEYS = {"k-17": "shop"}
    app = FastAPI()

    def require_key(x_key: Annotated[str, Header()] = "") -> None:
        if x_key not in KEYS:
            HTTPException(status_code=401, detail="Unknown key")  # finding: auth-dependency-fails-open

    @app.get("/orders", dependencies=[Depends(require_key)])
    def list_orders() -> list[str]:
        return ["three books for Alice"]
"""

rule.good = """
    from typing import Annotated

    from fastapi import Depends, FastAPI, Header, HTTPException

    KEYS = {"k-17": "shop"}
    app = FastAPI()

    def require_key(x_key: Annotated[str, Header()] = "") -> None:
        if x_key not in KEYS:
            raise HTTPException(status_code=401, detail="Unknown key")

    @app.get("/orders", dependencies=[Depends(require_key)])
    def list_orders() -> list[str]:
        return ["three books for Alice"]
"""


@rule.exploit
def orders_with_a_wrong_key(proof: Proof) -> None:
    """A request with a key that does not exist is answered with everybody's orders."""
    answer = proof.client.get("/orders", headers={"X-Key": "made-up"})
    assert answer.status_code == 200
    assert answer.json() == ["three books for Alice"]
