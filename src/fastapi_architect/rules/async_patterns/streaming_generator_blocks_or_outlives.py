"""A response that is streamed blocks the loop, reads through a closed session, or never tidies up.

The generator of a `StreamingResponse` runs after the handler has returned, for as long as the client listens. An `async`
generator that loops over a synchronous stream stops every other request for each chunk. A session that the handler opened
is closed by then; one of a dependency is closed on FastAPI 0.106 to 0.117 and with `scope="function"`, and holds its
connection for the whole stream on others. When the client leaves, the generator is ended where it waits: what stands behind
its loop is never run, unless it is in a `finally`.

Known limits: generators that travel through other objects are not followed. A plain `def` generator runs on a thread, and
may block.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.dependency_exit import early_exit, ends_before_tasks
from fastapi_architect.analyses.effects import effects
from fastapi_architect.analyses.request_session import RequestSession, request_sessions
from fastapi_architect.analyses.session_use import SessionUse, session_uses
from fastapi_architect.concepts.concept import Concept
from fastapi_architect.concepts.http import ResponseCreation
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Finding,
    Function,
    Proof,
    Rule,
    Severity,
    Site,
    dotted_name,
    first_route,
    ir,
    last_name,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "A streamed response blocks, uses a closed session or leaves something behind",
    severity=Severity.IMPORTANT,
    cwe=772,
    references=(
        "https://fastapi.tiangolo.com/advanced/advanced-dependencies/#dependencies-with-yield-and-streamingresponse-technical-details",
        "https://www.starlette.io/responses/#streamingresponse",
    ),
)

#: Methods that give a synchronous iterator over the network.
_STREAMS = frozenset({"iter_content", "iter_lines", "iter_bytes", "iter_raw", "iter_text", "iter_chunks"})
_REGISTERS = ("append", "add", "subscribe", "register")


@rule.check(per=ResponseCreation)
def streamed(response: ResponseCreation, graph: AppGraph) -> Iterator[Finding]:
    if response.kind not in ("streaming", "events") or response.scope.module.kind != "source":
        return
    call = _generator_call(response)
    if call is None or response.function is None:
        return
    for site in response.function.facts.calls_named(last_name(call.func)):
        if site.node is call:
            for generator in graph.program.calls.targets(site):
                if generator.is_generator:
                    yield from _in_generator(response, call, generator, graph)


def _generator_call(response: ResponseCreation) -> ir.Call | None:
    """The call that makes the generator: the content itself, or what its name was assigned."""
    content = response.content
    if isinstance(content, ir.Name) and response.function is not None:
        bindings = response.function.facts.bindings.get(content.id, ())
        content = bindings[0].value if len(bindings) == 1 and bindings[0].kind == "assign" else None
    return content if isinstance(content, ir.Call) else None


def _in_generator(
    response: ResponseCreation, call: ir.Call, generator: Function, graph: AppGraph
) -> Iterator[Finding]:
    session = _session(response, call, generator, graph)
    if session is not None:
        yield session
    if generator.is_async:
        for loop in generator.facts.sites(ir.For):
            if not loop.node.is_async and _waits_for_each(loop.node.iter, generator):
                yield _blocking(response, generator, loop, graph)
                break
        registered = _left_behind(generator)
        if registered is not None:
            yield _unregistered(response, generator, registered, graph)


# ── sessions


def _session(
    response: ResponseCreation, call: ir.Call, generator: Function, graph: AppGraph
) -> Finding | None:
    assert response.function is not None
    for use in session_uses(graph).of_call(call, response.function):
        for source in request_sessions(graph, use.scope, use.steps):
            if source.block is not None:
                if (
                    any(c.node is source.block for c in response.site.context)
                    and not source.holder.is_generator
                ):
                    return _closed(
                        response,
                        generator,
                        use,
                        "the handler's own `with` closes it when it returns",
                        source,
                        graph,
                    )
            elif ends_before_tasks(graph, source.lifetime):
                version = early_exit(graph)
                why = f"FastAPI {version} leaves" if version is not None else 'scope="function" leaves'
                return _closed(
                    response,
                    generator,
                    use,
                    f"{why} the dependency before the response is sent",
                    source,
                    graph,
                )
            else:
                slow = _slow(generator, graph)
                if slow is not None:
                    return _pinned(response, generator, use, slow, graph)
    return None


def _slow(generator: Function, graph: AppGraph) -> Concept | None:
    """Something that each chunk waits for, other than the database."""
    return next(iter(effects(graph).of_functions([generator]).outbound), None)


def _closed(
    response: ResponseCreation,
    generator: Function,
    use: SessionUse,
    why: str,
    source: RequestSession,
    graph: AppGraph,
) -> Finding:
    name = generator.name
    opened = source.provider.function if source.provider is not None else source.holder
    return rule.at(
        response,
        f"`{name}` is streamed after `{use.written}` was closed: {why}.",
        _own_session(generator),
        reasoning="The body is produced after the handler has returned; a closed session opens a connection again that nobody "
        "gives back.",
        exploit=f"Each stream of {_route(response, graph)} reads on a connection that is never returned, until the pool is empty.",
        confidence=Confidence.CERTAIN if use.sure and len(use.steps) == 1 else Confidence.FIRM,
        trace=steps(
            (opened, "opens the session"),
            (response, f"{name} is streamed"),
            (use.call.location, "and uses it here"),
        ),
        routes=_routes(response, graph),
    )


def _pinned(
    response: ResponseCreation, generator: Function, use: SessionUse, slow: Concept, graph: AppGraph
) -> Finding:
    name = generator.name
    return rule.at(
        response,
        f"`{name}` streams as slowly as another host answers, and holds the connection of `{use.written}` all the while.",
        _own_session(generator),
        reasoning="The dependency is left when the last chunk has been sent, so the connection stays checked out until then.",
        exploit=f"As many clients of {_route(response, graph)} as the pool has connections: every other request waits for one.",
        confidence=Confidence.FIRM,
        trace=steps(
            (response, f"{name} is streamed"),
            (use.call.location, "uses the session"),
            (slow, "waits for another host"),
        ),
        routes=_routes(response, graph),
    )


def _own_session(generator: Function) -> str:
    word = "async " if generator.is_async else ""
    return (
        "Open a session inside the generator, only for as long as it reads:\n```python\n"
        f"{word}def {generator.name}():\n    {word}with session_factory() as session:\n        rows = ...  # read\n"
        "    for row in rows:\n        yield row\n```"
    )


# ── the loop


def _waits_for_each(expr: ir.Expr, function: Function) -> bool:
    """A synchronous stream of another host or process."""
    if isinstance(expr, ir.Name):
        bindings = function.facts.bindings.get(expr.id, ())
        expr = bindings[0].value if len(bindings) == 1 and bindings[0].value is not None else expr
    if isinstance(expr, ir.Call):
        if last_name(expr.func) in _STREAMS:
            return True
        given = {k.arg: k.value for k in expr.keywords}.get("stream")
        return (
            isinstance(given, ir.Constant)
            and given.value is True
            and last_name(expr.func) in ("create", "completion", "chat")
        )
    return isinstance(expr, ir.Attribute) and expr.attr in ("stdout", "stderr")


def _blocking(response: ResponseCreation, generator: Function, loop: Site, graph: AppGraph) -> Finding:
    name = generator.name
    stream = dotted_name(getattr(loop.node.iter, "func", loop.node.iter)) or "the stream"
    return rule.at(
        loop,
        f"`{name}` is an async generator and waits for each chunk of `{stream}` on the event loop.",
        f"Declare it with `def`: Starlette then runs it on a thread.\n```python\ndef {name}():\n    for chunk in ...:\n"
        "        yield chunk\n```\nOr read with a client for asyncio, and `async for`.",
        reasoning=f"`{stream}` is a synchronous iterator: between two chunks it holds the loop's thread.",
        exploit=f"While {_route(response, graph)} is streamed from a slow host, no other request of this worker makes progress.",
        confidence=Confidence.FIRM,
        trace=steps((response, f"{name} is streamed"), (loop, "each round waits for the next chunk")),
        routes=_routes(response, graph),
    )


# ── what is left behind


def _left_behind(generator: Function) -> Site | None:
    """It registers something of its own with somebody else, then loops for ever, and no `finally` takes it back."""
    facts = generator.facts
    loops = [
        s.node for s in facts.sites(ir.While) if isinstance(s.node.test, ir.Constant) and s.node.test.value
    ]
    if any(s.node.finalbody for s in facts.sites(ir.Try)):
        return None
    endless = [
        loop for loop in loops if any(any(c.node is loop for c in y.context) for y in facts.sites(ir.Yield))
    ]
    for site in facts.calls_named(*_REGISTERS):
        func = site.node.func
        root = dotted_name(func).partition(".")[0] if isinstance(func, ir.Attribute) else ""
        bindings = facts.bindings.get(root, ())
        own = any(binding.kind != "parameter" for binding in bindings)
        given = [a for a in site.node.args if isinstance(a, ir.Name) and _is_made_here(a.id, generator)]
        if root and not own and given and any(site.node.span < loop.span for loop in endless):
            return site
    return None


def _is_made_here(name: str, function: Function) -> bool:
    bindings = function.facts.bindings.get(name, ())
    return bool(bindings) and all(isinstance(binding.value, ir.Call) for binding in bindings)


def _unregistered(
    response: ResponseCreation, generator: Function, registered: Site, graph: AppGraph
) -> Finding:
    name = generator.name
    where = dotted_name(registered.node.func).rpartition(".")[0]
    what = next((last_name(a) for a in registered.node.args if isinstance(a, ir.Name)), "it")
    return rule.at(
        registered,
        f"`{name}` adds `{what}` to `{where}` and never takes it out: when the client leaves, the generator ends in its loop.",
        f"Take it out whatever happens:\n```python\n{where}.append({what})\ntry:\n    while True:\n        yield ...\n"
        f"finally:\n    {where}.remove({what})\n```",
        reasoning="A client that disconnects cancels the generator where it waits; only a `finally` still runs.",
        exploit=f"Open and close {_route(response, graph)} again and again: `{where}` grows with each one, and whoever sends to "
        "all of it works ever longer.",
        confidence=Confidence.FIRM,
        trace=steps((response, f"{name} is streamed"), (registered, f"{what} is added to {where}")),
        routes=_routes(response, graph),
    )


def _route(response: ResponseCreation, graph: AppGraph) -> str:
    assert response.function is not None
    return first_route(graph.entries(response.function), response.function.name)


def _routes(response: ResponseCreation, graph: AppGraph) -> tuple[str, ...]:
    return routes_of(graph.entries(response.function)) if response.function is not None else ()


rule.bad = """
    import asyncio
    from collections.abc import AsyncIterator

    from fastapi import FastAPI
    from fastapi.responses import StreamingResponse

    app = FastAPI()
    listeners: list[asyncio.Queue[str]] = []


    async def events() -> AsyncIterator[str]:
        queue: asyncio.Queue[str] = asyncio.Queue()
        listeners.append(queue)  # finding: streaming-generator-blocks-or-outlives
        yield "welcome"
        while True:
            yield await queue.get()


    @app.get("/events")
    async def stream() -> StreamingResponse:
        return StreamingResponse(events(), media_type="text/event-stream")
"""

rule.good = """
    import asyncio
    from collections.abc import AsyncIterator

    from fastapi import FastAPI
    from fastapi.responses import StreamingResponse

    app = FastAPI()
    listeners: list[asyncio.Queue[str]] = []


    async def events() -> AsyncIterator[str]:
        queue: asyncio.Queue[str] = asyncio.Queue()
        listeners.append(queue)
        try:
            yield "welcome"
            while True:
                yield await queue.get()
        finally:
            listeners.remove(queue)


    @app.get("/events")
    async def stream() -> StreamingResponse:
        return StreamingResponse(events(), media_type="text/event-stream")
"""


@rule.symptom
def a_listener_stays_when_its_client_has_left(proof: Proof) -> None:
    """A client disconnects after the first event; its queue stays in the list for good."""
    import asyncio

    async def listen_and_leave() -> None:
        answered = asyncio.Event()

        async def receive() -> dict[str, str]:
            await answered.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, object]) -> None:
            if message.get("body"):
                answered.set()

        scope = {"type": "http", "method": "GET", "path": "/events", "headers": [], "query_string": b""}
        await proof.app(scope, receive, send)

    asyncio.run(asyncio.wait_for(listen_and_leave(), 5))
    assert len(proof.module().listeners) == 1
