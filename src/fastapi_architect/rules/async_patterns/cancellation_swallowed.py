"""A task that is told to stop does not.

A cancelled coroutine learns of it by a `CancelledError` at its `await`. `except:`, `except BaseException` and
`except CancelledError` without `raise` catch it and go on: a loop that does so outlives every shutdown and time limit, and
`asyncio.timeout` around it never ends.

Known limits: a clause whose `try` waits for a task that the same function has cancelled is left alone, as is one behind
which the coroutine ends: it was told to stop, and does.
A loop in a module that no application and no task imports is minor.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from fastapi_architect.analyses.http_errors import raises_again, within_handler
from fastapi_architect.analyses.interleaving import interleaving, suspends
from fastapi_architect.analyses.served_modules import is_served
from fastapi_architect.analyses.surroundings import nodes_in
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
    Severity,
    Site,
    ir,
    last_name,
    names_in,
    routes_of,
    steps,
    walk,
)

rule = Rule(
    __name__,
    "A coroutine catches its own cancellation and goes on",
    severity=Severity.IMPORTANT,
    cwe=755,
    references=("https://docs.python.org/3/library/asyncio-task.html#task-cancellation",),
)

_CAUGHT = frozenset({"BaseException", "CancelledError"})


@rule.check(per=AppGraph)
def swallowed(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    for function in graph.program.functions:
        if not function.is_async or function.module.kind != "source" or function.has_decorator("fixture"):
            continue
        for site in function.facts.sites(ir.Handler):
            found = _in_handler(site, function, graph)
            if found is not None:
                beside = bool(graph.applications) and not is_served(function, graph)
                yield replace(found, severity=Severity.MINOR) if beside else found


def _in_handler(site: Site, function: Function, graph: AppGraph) -> Finding | None:
    handler, statement = site.node, site.statement
    if not isinstance(statement, ir.Try) or not _catches(handler) or raises_again(handler, function):
        return None
    if _is_caught_before(statement, handler) or _cancels_itself(function, statement):
        return None
    awaiting = _awaits(statement, function, graph) if _goes_on_for_ever(site) else None
    if awaiting is None or within_handler(handler, function, ir.Raise) or _is_kept(handler):
        return None
    if not interleaving(graph, function).leads(site, awaiting):
        return None  # the loop is left behind the clause
    return _finding(site, function, awaiting, graph)


def _goes_on_for_ever(site: Site) -> bool:
    """A `while` or `async for` around it takes further rounds; one that waits for a task to be done is meant to."""
    around = site.context.inside("loop")
    loop = around.node if around is not None else None
    if isinstance(loop, ir.While):
        return not any(
            last_name(each.func) == "done" for each in walk(loop.test) if isinstance(each, ir.Call)
        )
    return isinstance(loop, ir.For) and loop.is_async


def _is_kept(handler: ir.Handler) -> bool:
    """The error is stored, to be raised later."""
    if handler.name is None:
        return False
    for node in nodes_in(handler.body):
        if isinstance(node, ir.Assign) and handler.name in names_in(node.value):
            return True
        if isinstance(node, ir.Call) and last_name(node.func) in ("append", "set_exception"):
            return any(handler.name in names_in(each) for each in node.args)
    return False


def _catches(handler: ir.Handler) -> bool:
    if handler.type is None:
        return True
    classes = handler.type.elts if isinstance(handler.type, ir.Sequence) else [handler.type]
    return any(last_name(each) in _CAUGHT for each in classes)


def _is_caught_before(statement: ir.Try, handler: ir.Handler) -> bool:
    """An earlier clause has taken cancellation."""
    for each in statement.handlers:
        if each is handler:
            return False
        if _catches(each):
            return True
    return False


def _cancels_itself(function: Function, statement: ir.Try) -> bool:
    """It waits for a task that it has told to stop: the error is that task's."""
    return any(
        site.node.span < statement.span or any(c.node is statement for c in site.context)
        for site in function.facts.calls_named("cancel")
    )


def _awaits(statement: ir.Try, function: Function, graph: AppGraph) -> Site | None:
    """The first place in the body at which cancellation arrives."""
    for site in function.facts.sites(ir.Await):
        around = next((c for c in site.context if c.role == "try" and c.node is statement), None)
        if around is not None and _is_its_own(site) and suspends(graph, site):
            return site
    return None


def _is_its_own(awaiting: Site) -> bool:
    """Not another task, whose cancellation arrives the same way, nor something that is shielded on purpose."""
    value = awaiting.node.value
    return isinstance(value, ir.Call) and last_name(value.func) not in ("shield", "gather", "wait")


def _finding(site: Site, function: Function, awaiting: Site, graph: AppGraph) -> Finding:
    handler = site.node
    caught = "except" if handler.type is None else f"except {last_name(handler.type) or '(...)'}"
    alone = handler.type is not None and last_name(handler.type) == "CancelledError"
    return rule.at(
        function.location(handler),
        f"`{function.name}` is told to stop by a CancelledError, and its `{caught}:` takes another round of the loop.",
        "Let cancellation through, before anything broader is caught:\n```python\ntry:\n    await work()\n"
        "except asyncio.CancelledError:\n    raise\nexcept Exception:\n    logger.exception('a round failed')\n```",
        reasoning="CancelledError is a BaseException so that `except Exception` lets it pass; this clause catches it, and the "
        "loop begins anew.",
        exploit=f"Whoever cancels `{function.name}`, at shutdown or for a time limit, waits for ever: it catches the cancellation "
        "and goes on.",
        confidence=Confidence.CERTAIN if alone or handler.type is None else Confidence.FIRM,
        trace=steps(
            (awaiting, "cancellation arrives here"), (function.location(handler), "and is caught here")
        ),
        fix=_fix(handler, function),
        routes=routes_of(graph.entries(function)),
    )


def _fix(handler: ir.Handler, function: Function) -> Fix | None:
    """`except:` and `except BaseException` become `except Exception`, which lets cancellation pass."""
    if handler.type is not None and last_name(handler.type) != "BaseException":
        return None
    title = "Catch Exception, which cancellation is not"
    if handler.type is not None:
        return Fix(title, (Edit(function.location(handler.type), "Exception"),), safe=True)
    place = function.location(handler)
    end = Location(place.path, place.line, place.column, place.line, place.column + len("except"))
    return Fix(title, (Edit(end, "except Exception"),), safe=True)


rule.bad = """
    import asyncio

    from fastapi import FastAPI

    rounds: list[int] = []


    async def poll() -> None:
        while len(rounds) < 5:
            rounds.append(len(rounds))
            try:
                await asyncio.sleep(0.01)
            except:  # finding: cancellation-swallowed
                continue


    app = FastAPI()


    @app.get("/rounds")
    async def count_rounds() -> int:
        task = asyncio.create_task(poll())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        return len(rounds)
"""

rule.good = """
    import asyncio

    from fastapi import FastAPI

    rounds: list[int] = []


    async def poll() -> None:
        while len(rounds) < 5:
            rounds.append(len(rounds))
            try:
                await asyncio.sleep(0.01)
            except Exception:
                continue


    app = FastAPI()


    @app.get("/rounds")
    async def count_rounds() -> int:
        task = asyncio.create_task(poll())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        return len(rounds)
"""


@rule.symptom
def the_cancelled_task_runs_on(proof: Proof) -> None:
    """The task is cancelled in its first round, and makes all five."""
    assert proof.client.get("/rounds").json() == 5
