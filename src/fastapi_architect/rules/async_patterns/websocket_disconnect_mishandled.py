"""A client that goes away is not noticed, or takes the others with it.

A registry of sockets that forgets to remove one grows with every visitor. A broadcast that does not expect a
send to fail stops at the first client that is gone, and nobody behind it in the list gets the message.

Known limits: sockets are recognised by their types; a handler that is called by a framework on top of FastAPI
is not followed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi_architect.analyses.caught_around import is_caught, managers_around, tries_around
from fastapi_architect.analyses.own_code import definition, written
from fastapi_architect.concepts.http import WebSocketReceive, WebSocketSend
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Context,
    Finding,
    Function,
    Proof,
    Rule,
    Severity,
    Site,
    dotted_name,
    ir,
    last_name,
    names_in,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "A closed WebSocket stays registered or ends a broadcast",
    severity=Severity.IMPORTANT,
    cwe=772,
    cvss="AV:N/AC:L/PR:L/UI:N/S:U/C:N/I:N/A:L",
    references=(
        "https://fastapi.tiangolo.com/advanced/websockets/#handling-disconnections-and-multiple-clients",
        "https://www.starlette.io/websockets/",
    ),
)

_ADDS = frozenset({"append", "add", "connect", "register", "join", "subscribe", "setdefault"})
_CAUGHT = frozenset({"WebSocketDisconnect", "Exception", "BaseException", "RuntimeError"})


@rule.check(per=WebSocketReceive)
def socket_stays_registered(receive: WebSocketReceive, graph: AppGraph) -> Iterator[Finding]:
    function = receive.function
    if function is None or not receive.site.loops or receive.kind == "iterate":
        return
    if receive is not next(r for r in graph.within(WebSocketReceive, function) if r.site.loops):
        return
    if function.module.kind != "source" or _is_guarded(receive.site) or receive.socket is None:
        return
    added = _registration(function, dotted_name(receive.socket), receive.site)
    if added is not None:
        yield _stays(receive, added, function, graph)


def _is_guarded(site: Site) -> bool:
    """The end of the connection is handled, or something is done whatever happens."""
    if is_caught(site, _CAUGHT) or any(statement.finalbody for statement in tries_around(site)):
        return True
    return any(_is_manager(expr) for expr in managers_around(site))


def _is_manager(expr: ir.Expr) -> bool:
    """A context manager that is called, with the socket or not, may well remove it at its end."""
    return isinstance(expr, ir.Call) and last_name(expr.func) not in ("timeout", "suppress", "open")


def _registration(function: Function, socket: str, receive: Site) -> Site | None:
    """The call or statement before the loop that puts the socket into something that outlives it."""
    before = receive.node.span
    for site in function.facts.calls:
        func, args = site.node.func, site.node.args
        adds = isinstance(func, ir.Attribute) and func.attr in _ADDS
        if adds and site.node.span < before and any(dotted_name(given) == socket for given in args):
            return site
    for site in function.facts.sites(ir.Assign):
        statement: Any = site.node
        stored = any(t.__class__ is ir.Subscript for t in statement.targets)
        if stored and dotted_name(statement.value) == socket and statement.span < before:
            return site
    return None


def _stays(receive: WebSocketReceive, added: Site, function: Function, graph: AppGraph) -> Finding:
    socket = dotted_name(receive.socket) if receive.socket is not None else "socket"
    node = added.node
    into = dotted_name(node.func).rpartition(".")[0] if isinstance(node, ir.Call) else ""
    into = into or "the registry"
    body = (
        f"try:\n    while True:\n        message = await {dotted_name(receive.node.func)}()\n"
        f"except WebSocketDisconnect:\n    pass\nfinally:\n    {_removal(added, into, socket)}"
    )
    return rule.at(
        receive,
        f"`{function.name}` registers `{socket}` in `{into}` and does not expect "
        f"`{dotted_name(receive.node.func)}` to fail: when "
        "the client goes away, the socket stays registered for ever.",
        f"Remove it whatever ends the loop:\n```python\n{definition(graph, function, body)}\n```",
        reasoning="Receiving from a closed socket raises WebSocketDisconnect; no `try` around the loop "
        "catches it or cleans up.",
        exploit=f"A client opens connections and drops them; each leaves an entry in `{into}` behind, and every broadcast "
        "tries them all.",
        confidence=Confidence.CERTAIN if receive.sure else Confidence.FIRM,
        trace=steps(
            (added, f"{socket} is registered"), (receive, "the end of the connection is raised here")
        ),
        routes=routes_of(graph.entries(function)),
        context=Context(stops_process=False),
    )


def _removal(added: Site, into: str, socket: str) -> str:
    if not isinstance(added.node, ir.Call) or " " in into:
        return "registry.pop(key, None)"
    method = {"append": "remove", "add": "discard", "connect": "disconnect"}.get(
        last_name(added.node.func), "remove"
    )
    return f"{into}.{method}({socket})"


@rule.check(per=WebSocketSend)
def one_dead_client_ends_the_broadcast(send: WebSocketSend, graph: AppGraph) -> Iterator[Finding]:
    function = send.function
    if function is None or function.module.kind != "source" or send.socket is None:
        return
    loop = _loop_over_sockets(send)
    if loop is not None and not _fails_alone(send.site, loop):
        yield _aborts(send, loop, function, graph)


def _loop_over_sockets(send: WebSocketSend) -> ir.For | None:
    """The loop whose variable is the socket."""
    name = dotted_name(send.socket).partition(".")[0] if send.socket is not None else ""
    for context in send.site.context:
        loop = context.node
        if (
            context.role == "loop"
            and isinstance(loop, ir.For)
            and name
            and name in set(names_in(loop.target))
        ):
            return loop
    return None


def _fails_alone(site: Site, loop: ir.For) -> bool:
    """Inside the loop, a failed send is caught."""
    if is_caught(site, _CAUGHT, loop):
        return True
    return any(
        isinstance(e, ir.Call) and last_name(e.func) == "suppress" for e in managers_around(site, loop)
    )


def _aborts(send: WebSocketSend, loop: ir.For, function: Function, graph: AppGraph) -> Finding:
    over = written(graph, function, loop.iter)
    name = dotted_name(send.node.func)
    variable = written(graph, function, loop.target)
    body = (
        f"for {variable} in list({over}):\n    try:\n        await {written(graph, function, send.node)}\n"
        f"    except (WebSocketDisconnect, RuntimeError):\n        ...  # take `{variable}` out of the sockets"
    )
    return rule.at(
        send,
        f"`{function.name}` sends to one socket after the other of `{over}`: the first that is closed raises "
        f"in `{name}`, and "
        "those behind it get nothing.",
        "Go through a copy, and let each send fail for itself:\n```python\n"
        f"{definition(graph, function, body)}\n```",
        reasoning="Sending to a closed socket raises; no `try` inside the loop catches it. While a send is "
        "awaited, others may "
        "change the collection that is looped over.",
        exploit=f"One client connects and drops its connection; from then on nobody behind it in `{over}` gets what "
        f"`{function.name}` sends.",
        confidence=Confidence.CERTAIN if send.sure else Confidence.FIRM,
        trace=steps((send, f"an exception here ends the loop over {over}")),
        routes=routes_of(graph.entries(function)),
        context=Context(stops_process=False),
    )


rule.bad = """
    from fastapi import FastAPI, WebSocket

    app = FastAPI()
    sockets: list[WebSocket] = []


    @app.websocket("/chat")
    async def chat(socket: WebSocket) -> None:
        await socket.accept()
        sockets.append(socket)
        while True:
            text = await socket.receive_text()  # finding: websocket-disconnect-mishandled
            for each in sockets:
                await each.send_text(text)  # finding: websocket-disconnect-mishandled


    @app.get("/visitors")
    def count_visitors() -> int:
        return len(sockets)
"""

rule.good = """
    from fastapi import FastAPI, WebSocket, WebSocketDisconnect

    app = FastAPI()
    sockets: list[WebSocket] = []


    async def send(socket: WebSocket, text: str) -> None:
        try:
            await socket.send_text(text)
        except (WebSocketDisconnect, RuntimeError):
            sockets.remove(socket)


    @app.websocket("/chat")
    async def chat(socket: WebSocket) -> None:
        await socket.accept()
        sockets.append(socket)
        try:
            while True:
                text = await socket.receive_text()
                for each in list(sockets):
                    await send(each, text)
        except WebSocketDisconnect:
            sockets.remove(socket)


    @app.get("/visitors")
    def count_visitors() -> int:
        return len(sockets)
"""


@rule.symptom
def visitors_never_leave(proof: Proof) -> None:
    """A visitor has left, and the service still counts one."""
    from starlette.websockets import WebSocketDisconnect

    try:
        with proof.client.websocket_connect("/chat") as socket:
            socket.send_text("hello")
            assert socket.receive_text() == "hello"
    except WebSocketDisconnect:
        pass
    assert proof.client.get("/visitors").json() == 1
