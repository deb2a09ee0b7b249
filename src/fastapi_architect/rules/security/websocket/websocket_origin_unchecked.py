"""Pages of other sites open this WebSocket with the visitor's cookie.

Browsers send cookies with a WebSocket handshake from any page, and the same-origin policy does not hold for it.
CORSMiddleware and BaseHTTPMiddleware never see WebSockets, so only a comparison of the Origin header helps.

Known limits: a socket that is authenticated by a token in its query, subprotocol or first message is not reported,
for a foreign page does not have that token.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.own_code import definition
from fastapi_architect.analyses.websocket_callers import compares_origin, reads_cookie
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Context,
    Finding,
    PathOperation,
    Proof,
    Rule,
    Severity,
    last_name,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "A WebSocket trusts a cookie and not the page that opens it",
    severity=Severity.IMPORTANT,
    cwe=1385,
    cvss="AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:N",
    references=(
        "https://cheatsheetseries.owasp.org/cheatsheets/WebSocket_Security_Cheat_Sheet.html#validate-the-origin-header",
        "https://portswigger.net/web-security/websockets/cross-site-websocket-hijacking",
    ),
)


@rule.check(per=PathOperation)
def cookie_without_origin(operation: PathOperation, graph: AppGraph) -> Iterator[Finding]:
    if not operation.is_websocket or operation.handler is None:
        return
    cookie = reads_cookie(operation, graph)
    if not cookie or compares_origin(operation, graph):
        return
    handler = operation.handler
    socket = next(
        (p.name for p in handler.parameters if p.annotation and last_name(p.annotation) == "WebSocket"),
        "websocket",
    )
    body = (
        f'if {socket}.headers.get("origin") not in ALLOWED_ORIGINS:\n'
        "    raise WebSocketException(code=status.WS_1008_POLICY_VIOLATION)"
    )
    yield rule.at(
        handler,
        f"`{operation}` ({handler.name}) is opened by {cookie}, and no code compares the Origin header: a page of any "
        f"site opens it in the visitor's name.",
        "Compare the Origin before the handshake is accepted:\n"
        "```python\n"
        f"{definition(graph, handler, body)}\n```",
        reasoning=f"A browser sends {cookie} with a handshake from any page; CORS does not apply to WebSockets.",
        exploit=f"https://evil.example opens `{operation.path}` in a visitor's browser, and reads and writes in the visitor's name.",
        confidence=Confidence.FIRM,
        trace=steps((handler, f"{operation} is authenticated by {cookie}")),
        routes=routes_of([operation]),
        context=Context(access="none"),
    )


rule.bad = """
    from fastapi import FastAPI, WebSocket, WebSocketException, status

    SESSIONS = {"s3cret": "alice"}

    app = FastAPI()

    @app.websocket("/inbox")
    async def stream_inbox(websocket: WebSocket) -> None:  # finding: websocket-origin-unchecked
        user = SESSIONS.get(websocket.cookies.get("session", ""))
        if user is None:
            raise WebSocketException(code=status.WS_1008_POLICY_VIOLATION)
        await websocket.accept()
        await websocket.send_text(f"mail of {user}")
        await websocket.close()
"""

rule.good = """
    from fastapi import FastAPI, WebSocket, WebSocketException, status

    SESSIONS = {"s3cret": "alice"}
    ALLOWED_ORIGINS = {"https://mail.example.com"}

    app = FastAPI()

    @app.websocket("/inbox")
    async def stream_inbox(websocket: WebSocket) -> None:
        if websocket.headers.get("origin") not in ALLOWED_ORIGINS:
            raise WebSocketException(code=status.WS_1008_POLICY_VIOLATION)
        user = SESSIONS.get(websocket.cookies.get("session", ""))
        if user is None:
            raise WebSocketException(code=status.WS_1008_POLICY_VIOLATION)
        await websocket.accept()
        await websocket.send_text(f"mail of {user}")
        await websocket.close()
"""


@rule.exploit
def another_site_reads_the_inbox(proof: Proof) -> None:
    """A handshake from https://evil.example with the visitor's cookie is accepted, and the mail is sent."""
    from starlette.websockets import WebSocketDisconnect

    headers = {"Origin": "https://evil.example", "Cookie": "session=s3cret"}
    heard = ""
    try:
        with proof.client.websocket_connect("/inbox", headers=headers) as socket:
            heard = socket.receive_text()
    except WebSocketDisconnect:
        heard = "refused"
    assert heard == "mail of alice"
