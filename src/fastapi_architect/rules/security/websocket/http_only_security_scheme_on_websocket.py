"""This WebSocket cannot be opened: its guard is written for HTTP requests only.

Up to FastAPI 0.142 the security schemes (OAuth2PasswordBearer, HTTPBearer, HTTPBasic, APIKeyHeader ...) and every
dependency with a `Request` parameter raise a TypeError during a WebSocket handshake. The guard is then often taken
away to make the socket work.

Known limits: reported only where a manifest or lock file names a FastAPI before 0.143; where a manifest gives only
the oldest version allowed, the finding is tentative.
"""

from __future__ import annotations

from collections.abc import Iterator

from packaging.version import Version

from fastapi_architect.analyses.own_code import definition, written
from fastapi_architect.appgraph.dependencies import Dependency
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Context,
    Files,
    Finding,
    PathOperation,
    Proof,
    Rule,
    Severity,
    options,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "A WebSocket is guarded by a scheme that works for HTTP only",
    severity=Severity.IMPORTANT,
    cwe=755,
    cvss="AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L",
    references=(
        "https://fastapi.tiangolo.com/advanced/websockets/#using-depends-and-others",
        "https://www.starlette.io/requests/",
    ),
    versions={"fastapi": "<0.143"},
)

_WORKS_FROM = Version("0.143")


@rule.check(per=PathOperation)
def scheme_that_needs_a_request(operation: PathOperation, graph: AppGraph) -> Iterator[Finding]:
    if not operation.is_websocket or operation.handler is None:
        return
    installed = graph.deployment.version_of("fastapi")
    if installed is None or installed.version >= _WORKS_FROM:
        return
    for dependency in operation.all_dependencies():
        needs = _needs_request(dependency, graph)
        if needs:
            sure = Confidence.FIRM if installed.is_exact else Confidence.TENTATIVE
            yield _finding(operation, dependency, needs, str(installed.version), sure, graph)
            return


def _needs_request(dependency: Dependency, graph: AppGraph) -> str:
    """What of a dependency fails without an HTTP request; "" when nothing does."""
    last = (dependency.instance_of or dependency.name).rpartition(".")[2]
    if graph.guards.is_scheme(dependency):
        own = dependency.function
        if own is None or own.module.kind != "source":
            return last
    for parameter in dependency.parameters:
        if (
            parameter.kind == "request"
            and parameter.default is None
            and any(getattr(of, "name", "").rpartition(".")[2] == "Request" for of in options(parameter.type))
        ):
            return f"{last}({parameter.name}: Request)"
    return ""


def _finding(
    operation: PathOperation,
    dependency: Dependency,
    needs: str,
    version: str,
    sure: Confidence,
    graph: AppGraph,
) -> Finding:
    assert operation.handler is not None
    name = operation.handler.name
    given = written(graph, operation.handler, dependency.provider) if dependency.provider is not None else ""
    needing = next(
        (
            p.name
            for p in operation.handler.parameters
            if given and f"({given}" in written(graph, operation.handler, p.annotation or p.default)
        ),
        "token",
    )
    token = {needing: ("Annotated[str, Depends(bearer_token)]", "")}
    return rule.at(
        operation.handler,
        f"`{operation}` ({name}) depends on `{needs}`, which raises a TypeError during a handshake with FastAPI {version}: "
        f"nobody can open it.",
        "Read the credential from the connection, which HTTP requests and WebSockets share, or use FastAPI 0.144 or "
        "later:\n"
        "```python\n"
        "def bearer_token(connection: HTTPConnection) -> str:\n"
        '    scheme, _, token = connection.headers.get("Authorization", "").partition(" ")\n'
        '    if scheme.lower() != "bearer":\n'
        "        raise WebSocketException(code=status.WS_1008_POLICY_VIOLATION)\n"
        "    return token\n\n\n"
        f"{definition(graph, operation.handler, parameters=token)}\n```",
        reasoning=f"FastAPI {version} passes a WebSocket where `{needs}` takes a Request.",
        exploit=f"Every handshake with `{operation.path}` ends in a TypeError; the service that it offers is not there.",
        confidence=sure,
        trace=steps((operation.handler, f"{operation}"), (dependency, f"{needs} needs a Request")),
        routes=routes_of([operation]),
        context=Context(access="none"),
    )


rule.bad = Files(
    {
        "requirements.txt": "fastapi==0.115.14\n",
        "main.py": """
        from typing import Annotated

        from fastapi import Depends, FastAPI, WebSocket
        from fastapi.security import HTTPBearer
        from fastapi.security.http import HTTPAuthorizationCredentials

        bearer = HTTPBearer()
        app = FastAPI()

        @app.websocket("/feed")
        async def stream_feed(  # finding: http-only-security-scheme-on-websocket
            websocket: WebSocket, credentials: Annotated[HTTPAuthorizationCredentials, Depends(bearer)]
        ) -> None:
            await websocket.accept()
            await websocket.send_text(credentials.credentials)
            await websocket.close()
    """,
    }
)

rule.good = Files(
    {
        "requirements.txt": "fastapi==0.115.14\n",
        "main.py": """
        from typing import Annotated

        from fastapi import Depends, FastAPI, WebSocket, WebSocketException, status
        from starlette.requests import HTTPConnection

        def bearer_token(connection: HTTPConnection) -> str:
            scheme, _, token = connection.headers.get("Authorization", "").partition(" ")
            if scheme.lower() != "bearer":
                raise WebSocketException(code=status.WS_1008_POLICY_VIOLATION)
            return token

        app = FastAPI()

        @app.websocket("/feed")
        async def stream_feed(websocket: WebSocket, token: Annotated[str, Depends(bearer_token)]) -> None:
            await websocket.accept()
            await websocket.send_text(token)
            await websocket.close()
    """,
    }
)


@rule.exploit
def nobody_can_listen(proof: Proof) -> None:
    """A handshake with a valid token fails with a TypeError, so the socket serves nobody."""
    failed = ""
    try:
        with proof.client.websocket_connect("/feed", headers={"Authorization": "Bearer t"}) as socket:
            socket.receive_text()
    except TypeError as error:
        failed = str(error)
    assert "request" in failed
