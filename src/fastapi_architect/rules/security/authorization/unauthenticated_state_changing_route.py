"""Anybody may call an operation that changes data.

Application, includes, router, route, parameters and middleware are composed as FastAPI composes them; nothing
among them refuses an anonymous request, and the handler goes on to write rows, files or messages.

Known limits: an operation that strangers have to reach (login, registration, reset, webhook) is recognised by its path and
name, or because its handler verifies a password, a token or a signature. Anything else that is public on purpose is
declared with a reason in `[tool.fastapi-architect.project]`. In an application without any authentication there is one
finding for all of its operations. What only a comment calls public, and a registration (a name and a password of one's own,
nothing that says what the account may do), is tentative. A router that is included only where a setting says `local`, `dev`
or `test`, and does not say so by default, is no part of production, and neither is a route that a class such as
`NoAuthBackend` registers: who chooses that mode lets everybody in.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.effects import Effects, effects
from fastapi_architect.analyses.own_code import registered
from fastapi_architect.analyses.public_operations import (
    callers_of,
    guard_of,
    is_public_by_nature,
    seems_meant_for_strangers,
)
from fastapi_architect.concepts.concept import Concept
from fastapi_architect.concepts.database import Commit
from fastapi_architect.concepts.http import PaidApiCall
from fastapi_architect.rules.kit import (
    AccessLevel,
    AppGraph,
    Application,
    Confidence,
    Context,
    Finding,
    Function,
    PathOperation,
    Proof,
    Rule,
    Severity,
    last_name,
    lazy_pattern,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "A route that changes data lets everybody in",
    severity=Severity.CRITICAL,
    cwe=306,
    cvss="AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:H/A:H",
    references=(
        "https://fastapi.tiangolo.com/tutorial/security/get-current-user/",
        "https://owasp.org/API-Security/editions/2023/en/0xa2-broken-authentication/",
        "https://owasp.org/API-Security/editions/2023/en/0xa5-broken-function-level-authorization/",
    ),
)

#: With fewer guarded operations than one in so many, the whole application lacks authentication.
_FEW = 5
_LISTED = 8

#: Providers of a mode in which everybody is let in: `NoAuthIdentityManager`, `AuthDisabledBackend`.
_NO_AUTHENTICATION = lazy_pattern(r"^(No|Without|Disabled)Auth|(?<=[a-z])NoAuth(?![a-z])|AuthDisabled")


@rule.check(per=Application)
def writes_without_authentication(application: Application, graph: AppGraph) -> Iterator[Finding]:
    open_operations = [
        (o, what) for o in application.operations if (what := _open_write(o, application, graph))
    ]
    if not open_operations:
        return
    guarded = [o for o in application.operations if graph.access(o).authenticated]
    if len(guarded) * _FEW < len(open_operations):
        yield _of_application(application, [o for o, _ in open_operations], bool(guarded))
        return
    guard = guard_of(graph, application) or "get_current_user"
    for operation, what in open_operations:
        yield _of_operation(operation, what, guard, graph)


def _open_write(operation: PathOperation, application: Application, graph: AppGraph) -> Concept | None:
    """What an operation changes although nobody asks who is calling; None when somebody does or nothing changes."""
    if operation.kind == "websocket" or not operation.is_write or operation.handler is None:
        return None
    access = graph.access(operation)
    if access.level > AccessLevel.NONE or access.public_reason or is_public_by_nature(operation):
        return None
    if _is_of_a_mode_without_authentication(operation):
        return None
    callers = callers_of(graph)
    if callers.proof_in_body(operation) or callers.guarded_elsewhere(operation, application):
        return None
    if callers.refuses_strangers(operation):
        return None
    return _change(effects(graph).of_handler(operation), graph)


def _is_of_a_mode_without_authentication(operation: PathOperation) -> bool:
    """Registered by a method of a class that stands for `noauth`: a setting chooses it, and nobody is asked there at all."""
    scope = operation.registration[1]
    while isinstance(scope, Function):
        if scope.owner is not None and _NO_AUTHENTICATION.search(scope.owner.name):
            return True
        scope = scope.parent or scope.module
    return False


def _change(done: Effects, graph: AppGraph) -> Concept | None:
    """The first thing that leaves a trace: a row, a file, a message, a charge, a request to elsewhere."""
    found: list[Concept] = [*done.writes, *done.messages, *done.files]
    if not found:
        found = [c for function in done.functions for c in graph.within(Commit, function)]
    return next(iter([*found, *done.outbound]), None)


def _confidence(operation: PathOperation, what: Concept, graph: AppGraph) -> Confidence:
    reads_elsewhere = type(what).__name__ == "OutboundRequest" and not isinstance(what, PaidApiCall)
    meant = seems_meant_for_strangers(operation, graph)
    if operation.conditional or reads_elsewhere or not what.sure or meant:
        return Confidence.TENTATIVE
    return Confidence.FIRM


def _of_operation(operation: PathOperation, what: Concept, guard: str, graph: AppGraph) -> Finding:
    assert operation.handler is not None
    name = operation.handler.name
    call = last_name(what.node.func) or "a call"
    return rule.at(
        operation.handler,
        f"`{operation}` ({name}) changes data and lets everybody in: nothing on the way asks who is calling.",
        f"Require `{guard}` on the router, so that no later route can forget it, or here; public routes belong "
        f"on a router of their own.\n"
        f"```python\n{registered(graph, operation, keywords={'dependencies': f'[Depends({guard})]'})}\n```",
        reasoning=f"No dependency of {name}, of its router, of the includes on the way or of the application, "
        f"and no middleware, refuses an anonymous request, and {name} reaches {call}(...).",
        exploit=f"An anonymous client sends `{operation}`, and the change is made.",
        confidence=_confidence(operation, what, graph),
        trace=steps(
            (operation.handler, f"{operation} runs for everybody"), (what, f"{call}(...) makes the change")
        ),
        routes=routes_of([operation]),
        context=Context(access="none", writes=True),
    )


def _of_application(application: Application, found: list[PathOperation], some: bool) -> Finding:
    listed = ", ".join(f"`{o}`" for o in found[:_LISTED]) + (" ..." if len(found) > _LISTED else "")
    count = f"{len(found)} operations" if len(found) > 1 else "1 operation"
    share = "hardly an operation of" if some else "no operation of"
    return rule.at(
        application,
        f"{count} of `{application.name}` that change data let everybody in ({listed}): {share} the application "
        f"asks who is calling.",
        "Require authentication for the whole application and keep what is public on a router of its own; name a "
        "gateway that authenticates in `[tool.fastapi-architect.project]`.\n"
        f"```python\n{application.name} = FastAPI(dependencies=[Depends(get_current_user)])\n```",
        reasoning="No dependency and no middleware of the application refuses an anonymous request.",
        exploit=f"An anonymous client sends `{found[0]}`, and the change is made.",
        confidence=Confidence.TENTATIVE,
        trace=steps(
            *((o.handler, f"{o} runs for everybody") for o in found[:_LISTED] if o.handler is not None)
        ),
        routes=routes_of(found),
        context=Context(access="none", writes=True),
    )


rule.bad = """
    from pathlib import Path
    from typing import Annotated

    from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException

    NOTES = Path("notes")

    def current_user(authorization: Annotated[str | None, Header()] = None) -> str:
        if authorization != "Bearer alice":
            raise HTTPException(401)
        return "alice"

    router = APIRouter(prefix="/notes")

    @router.get("", dependencies=[Depends(current_user)])
    def list_notes() -> list[str]:
        return sorted(path.name for path in NOTES.glob("*"))

    @router.post("/{note_id}")
    def write_note(note_id: int, text: str) -> str:  # finding: unauthenticated-state-changing-route
        NOTES.mkdir(exist_ok=True)
        (NOTES / str(note_id)).write_text(text)
        return "written"

    app = FastAPI()
    app.include_router(router)
"""

rule.good = """
    from pathlib import Path
    from typing import Annotated

    from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException

    NOTES = Path("notes")

    def current_user(authorization: Annotated[str | None, Header()] = None) -> str:
        if authorization != "Bearer alice":
            raise HTTPException(401)
        return "alice"

    router = APIRouter(prefix="/notes", dependencies=[Depends(current_user)])

    @router.get("")
    def list_notes() -> list[str]:
        return sorted(path.name for path in NOTES.glob("*"))

    @router.post("/{note_id}")
    def write_note(note_id: int, text: str) -> str:
        NOTES.mkdir(exist_ok=True)
        (NOTES / str(note_id)).write_text(text)
        return "written"

    app = FastAPI()
    app.include_router(router)
"""


@rule.exploit
def a_stranger_writes_a_note(proof: Proof) -> None:
    """An anonymous POST leaves a note behind although reading the notes needs a token."""
    assert proof.client.post("/notes/1", params={"text": "bought by nobody"}).status_code == 200
    listed = proof.client.get("/notes", headers={"Authorization": "Bearer alice"})
    assert listed.json() == ["1"]
