"""Anybody may open this WebSocket, although the routes beside it ask who is calling.

A WebSocket has no login of its own, and a client id in its path is a claim: whoever connects as
`/ws/{client_id}` is that client.

Known limits: a caller is asked by a guard, by middleware that sees WebSockets, or in the handler by verifying a
token, ticket or first message. A feed that is public on purpose is declared with a reason in
`[tool.fastapi-architect.project]`. An application without any authentication is not reported here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fastapi_architect.analyses.own_code import definition
from fastapi_architect.analyses.public_operations import callers_of, guard_of
from fastapi_architect.analyses.websocket_callers import asks_for_caller, identity_in_path
from fastapi_architect.concepts.http import WebSocketAccept, WebSocketReceive, WebSocketSend
from fastapi_architect.rules.kit import (
    AccessLevel,
    AppGraph,
    Confidence,
    Context,
    Finding,
    PathOperation,
    Proof,
    Rule,
    Severity,
    lazy_pattern,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "A WebSocket lets everybody in",
    severity=Severity.CRITICAL,
    cwe=306,
    cvss="AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:N",
    references=(
        "https://fastapi.tiangolo.com/advanced/websockets/#using-depends-and-others",
        "https://cheatsheetseries.owasp.org/cheatsheets/WebSocket_Security_Cheat_Sheet.html",
    ),
)

_PUBLIC = lazy_pattern(r"public|health|status|ping|echo|clock|time|price|ticker|demo|test", re.IGNORECASE)


@rule.check(per=PathOperation)
def socket_for_everybody(operation: PathOperation, graph: AppGraph) -> Iterator[Finding]:
    if not operation.is_websocket or operation.handler is None:
        return
    access = graph.access(operation)
    if access.level > AccessLevel.OPTIONAL or access.public_reason:
        return
    application = graph.application_of(operation)
    if not any(graph.access(o).authenticated for o in application.operations if not o.is_websocket):
        return
    if asks_for_caller(operation, graph) or callers_of(graph).guarded_elsewhere(operation, application):
        return
    yield _finding(operation, graph, guard_of(graph, application) or "get_current_user")


def _finding(operation: PathOperation, graph: AppGraph, guard: str) -> Finding:
    handler = operation.handler
    assert handler is not None
    claimed = identity_in_path(operation)
    caller = {"caller_id": ("Annotated[int, Depends(ticket_holder)]", "")}
    whose = f"the stream of any `{claimed}`" if claimed else "the stream"
    served = [
        *graph.within(WebSocketAccept, handler),
        *graph.within(WebSocketReceive, handler),
        *graph.within(WebSocketSend, handler),
    ]
    public = _PUBLIC.search(operation.path) or _PUBLIC.search(handler.name)
    return rule.at(
        handler,
        f"`{operation}` ({handler.name}) serves whoever connects"
        + (
            f": `{claimed}` in its path is a claim that nobody verifies."
            if claimed
            else " and never asks who that is."
        ),
        "Verify a ticket before the handshake is accepted, and close with 1008 without one:\n"
        "```python\n"
        "async def ticket_holder(ticket: Annotated[str, Query()]) -> int:\n"
        "    caller_id = await redeem_ticket(ticket)\n"
        "    if caller_id is None:\n"
        "        raise WebSocketException(code=status.WS_1008_POLICY_VIOLATION)\n"
        "    return caller_id\n\n\n"
        f"{definition(graph, handler, parameters=caller)}\n```\n"
        f"A route behind `{guard}` hands the ticket out.",
        reasoning=f"No dependency and no middleware refuses the connection, and {handler.name} verifies nothing itself.",
        exploit=f"A stranger connects to `{operation.path}`, reads {whose} and writes into it.",
        confidence=Confidence.TENTATIVE if public or operation.conditional else Confidence.FIRM,
        trace=steps((handler, f"{operation} runs for everybody"), *((s, "it is served") for s in served[:2])),
        routes=routes_of([operation]),
        context=Context(access="none"),
    )


rule.bad = """
    from typing import Annotated

    from fastapi import Depends, FastAPI, Header, HTTPException, WebSocket

    MESSAGES = {"alice": "your card was charged"}

    def current_user(authorization: Annotated[str | None, Header()] = None) -> str:
        if authorization != "Bearer alice":
            raise HTTPException(401)
        return "alice"

    app = FastAPI()

    @app.get("/messages")
    def read_messages(user: Annotated[str, Depends(current_user)]) -> str:
        return MESSAGES[user]

    @app.websocket("/ws/{client_id}")
    async def stream(websocket: WebSocket, client_id: str) -> None:  # finding: websocket-without-authentication
        await websocket.accept()
        await websocket.send_text(MESSAGES.get(client_id, ""))
        await websocket.close()
"""

rule.good = """
    from typing import Annotated

    from fastapi import Depends, FastAPI, Header, HTTPException, Query, WebSocket, WebSocketException, status

    MESSAGES = {"alice": "your card was charged"}
    TICKETS = {"Zp4hD0sYk": "alice"}

    def current_user(authorization: Annotated[str | None, Header()] = None) -> str:
        if authorization != "Bearer alice":
            raise HTTPException(401)
        return "alice"

    def ticket_holder(ticket: Annotated[str, Query()] = "") -> str:
        if ticket not in TICKETS:
            raise WebSocketException(code=status.WS_1008_POLICY_VIOLATION)
        return TICKETS.pop(ticket)

    app = FastAPI()

    @app.get("/messages")
    def read_messages(user: Annotated[str, Depends(current_user)]) -> str:
        return MESSAGES[user]

    @app.websocket("/ws/{client_id}")
    async def stream(websocket: WebSocket, user: Annotated[str, Depends(ticket_holder)]) -> None:
        await websocket.accept()
        await websocket.send_text(MESSAGES.get(user, ""))
        await websocket.close()
"""


@rule.exploit
def a_stranger_listens_to_alice(proof: Proof) -> None:
    """Whoever connects to /ws/alice reads what is meant for alice, without any credential."""
    from starlette.websockets import WebSocketDisconnect

    heard = ""
    try:
        with proof.client.websocket_connect("/ws/alice") as socket:
            heard = socket.receive_text()
    except WebSocketDisconnect:
        heard = "refused"
    assert heard == "your card was charged"
