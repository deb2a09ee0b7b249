"""Two requests meet at an `await` between a look at shared state and the change that builds on it.

Everything between two `await`s runs undisturbed, and nothing across one does. `if user in running: raise`, then an `await`,
then `running.add(user)`: the second request looks before the first has written, and both go on. `total += await price()`
reads `total` before it waits and writes the old sum back afterwards.

Known limits: state of the module, of objects that a module makes once and of `app.state` is followed, not what lies in other
objects. A value that is loaded twice and then kept (a cache) is left alone, as nothing is lost by it.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.event_loop import event_loop
from fastapi_architect.analyses.interleaving import interleaving, is_exclusive, suspends
from fastapi_architect.analyses.shared_state import (
    SharedCell,
    SharedState,
    changed_names,
    mentions,
    shared_state,
    writes,
)
from fastapi_architect.analyses.surroundings import nodes_in
from fastapi_architect.concepts.http import WebSocketSend
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Finding,
    Function,
    Proof,
    Rule,
    Severity,
    Site,
    first_route,
    ir,
    last_name,
    names_in,
    routes_of,
    steps,
    walk,
)

rule = Rule(
    __name__,
    "Shared state is changed after an await on the strength of what was seen before it",
    severity=Severity.IMPORTANT,
    cwe=362,
    cvss="AV:N/AC:H/PR:L/UI:N/S:U/C:N/I:H/A:L",
    references=(
        "https://docs.python.org/3/library/asyncio-sync.html#asyncio.Lock",
        "https://cwe.mitre.org/data/definitions/362.html",
    ),
)

_VIEWS = frozenset({"values", "items", "keys"})
_ORDER = frozenset({"<", "<=", ">", ">="})
_GROWS = frozenset({"add", "append", "appendleft", "insert"})


@rule.check(per=AppGraph)
def races(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    for state in shared_state(graph):
        name = state.cell.name
        changed = [
            (f, list(writes(state.cell, f))) for f in state.functions if name in changed_names(graph, f)
        ]
        changed = [(function, sites) for function, sites in changed if sites]
        if not changed:
            continue
        for function, sites in changed:
            if _serves(function, graph):
                yield from _in_function(state.cell, function, sites, graph)
        yield from _iterated(state, changed, graph)


def _serves(function: Function, graph: AppGraph) -> bool:
    if not function.is_async:
        return bool(graph.entries(function)) and any(
            not o.handler.is_async for o in graph.entries(function) if o.handler
        )
    return event_loop(graph).serving(function)


def _in_function(
    cell: SharedCell, function: Function, sites: list[Site], graph: AppGraph
) -> Iterator[Finding]:
    for site in sites:
        found = _within_statement(cell, site, graph) or _stale_copy(cell, site, function, graph)
        found = found or _stale_check(cell, site, function, graph)
        if found is not None:
            yield _finding(cell, function, site, *found, graph)
            return


# ── three shapes: where it is looked at, where others may run


def _within_statement(cell: SharedCell, write: Site, graph: AppGraph) -> tuple[Site, Site, str] | None:
    """`total += await price()`: the old value is read first."""
    node = write.node
    value = getattr(node, "value", None)
    if not isinstance(node, ir.AugAssign | ir.Assign) or value is None:
        return None
    inside = {id(each) for each in walk(value) if each.__class__ is ir.Await}
    awaiting = next((s for s in write.scope.facts.sites(ir.Await) if id(s.node) in inside), None)
    if awaiting is None or not suspends(graph, awaiting) or is_exclusive(write):
        return None
    if isinstance(node, ir.AugAssign):
        return write, awaiting, "read"
    first = next((each for each in walk(value) if cell.is_named_by(each)), None)
    if cell.is_number and first is not None and first.span < awaiting.node.span:
        return write, awaiting, "read"
    return None


def _stale_copy(
    cell: SharedCell, write: Site, function: Function, graph: AppGraph
) -> tuple[Site, Site, str] | None:
    """`left = stock[book]`, an await, `stock[book] = left - 1`."""
    node = write.node
    if not isinstance(node, ir.Assign) or not isinstance(node.value, ir.BinOp | ir.Call | ir.Name):
        return None
    used = set(names_in(node.value))
    for read in function.facts.sites(ir.Assign):
        target = read.node.targets[0]
        if not isinstance(target, ir.Name) or target.id not in used or read.node is node:
            continue
        if (
            not _is_copy(cell, read.node.value)
            or isinstance(node.value, ir.Name)
            or is_exclusive(read, write)
        ):
            continue
        again = [
            s for s in function.facts.sites(ir.Assign) if s.node is not node and _is_copy(cell, s.node.value)
        ]
        pause = interleaving(graph, function).between(read, write, again)
        if pause is not None:
            return read, pause, "read"
    return None


def _is_copy(cell: SharedCell, value: ir.Expr) -> bool:
    """The value itself, an element, `.get(key, 0)`, or a size; not an object that stays shared."""
    if isinstance(value, ir.Subscript):
        return cell.is_named_by(value.value)
    if isinstance(value, ir.Call):
        func = value.func
        if isinstance(func, ir.Attribute) and func.attr == "get" and cell.is_named_by(func.value):
            return True
        return last_name(func) == "len" and bool(value.args) and cell.is_named_by(value.args[0])
    return cell.is_number and cell.is_named_by(value)


def _stale_check(
    cell: SharedCell, write: Site, function: Function, graph: AppGraph
) -> tuple[Site, Site, str] | None:
    """`if user in running: raise ...`, an await, `running.add(user)`."""
    if isinstance(write.node, ir.Delete) or last_name(getattr(write.node, "func", ir.Name(0, ""))) in (
        "discard",
        "clear",
    ):
        return None
    tests = [s for s in function.facts.sites(ir.If) if mentions(cell, s.node.test)]
    for check in tests:
        if is_exclusive(check, write) or not (_refuses(cell, check.node) or _allows(cell, check.node, write)):
            continue
        if _flag(write.node) is not None and not (_flag(write.node) and cell.is_named_by(check.node.test)):
            continue  # only `if running: raise`, and then `running = True`: a second `False` changes nothing
        again = [s for s in tests if s is not check]
        pause = interleaving(graph, function).between(check, write, again)
        if pause is not None and not _is_undone_first(cell, check, pause, function):
            return check, pause, "checked"
    return None


def _refuses(cell: SharedCell, node: ir.If) -> bool:
    """The branch ends the call, and not with what is kept there."""
    last = node.body[-1] if node.body else None
    if isinstance(last, ir.Raise):
        return True
    return (
        isinstance(last, ir.Return)
        and last.value is not None
        and not mentions(cell, last.value)
        and _is_plain(last.value)
    )


def _allows(cell: SharedCell, node: ir.If, write: Site) -> bool:
    """The change stands in the branch, and is one too many when somebody else's came first."""
    if not any(context.node is node and context.role == "if" for context in write.context):
        return False
    compared = [each for each in walk(node.test) if each.__class__ is ir.Compare and mentions(cell, each)]
    ordered = any(operator in _ORDER for each in compared for operator in each.ops)
    if isinstance(write.node, ir.AugAssign):
        return ordered
    method = last_name(getattr(write.node, "func", ir.Name(0, "")))
    if ordered and any(last_name(n.func) == "len" for n in walk(node.test) if isinstance(n, ir.Call)):
        return method in _GROWS or isinstance(write.node, ir.Assign)
    return method == "append" and any("not in" in each.ops for each in compared)  # a set takes it once


def _flag(node: ir.Node) -> bool | None:
    """What a flag is set to; None where nothing of the kind is assigned."""
    value = node.value if isinstance(node, ir.Assign) else None
    return value.value is True if isinstance(value, ir.Constant) and value.kind == "bool" else None


def _is_plain(value: ir.Expr) -> bool:
    """An answer that says no, not something that was made or found."""
    if isinstance(value, ir.Constant):
        return value.kind in ("bool", "str")
    return isinstance(value, ir.Dict)


def _is_undone_first(cell: SharedCell, check: Site, pause: Site, function: Function) -> bool:
    """The state is changed before anybody else runs: the place is taken already."""
    return any(
        check.node.span < site.node.span < pause.node.span and site.statement is not pause.statement
        for site in writes(cell, function)
    )


# ── a loop over it


def _iterated(
    state: SharedState, changed: list[tuple[Function, list[Site]]], graph: AppGraph
) -> Iterator[Finding]:
    """`for job in jobs.values(): await job.ping()`, while another request adds one."""
    cell = state.cell
    resizes = next(
        (
            site
            for function, sites in changed
            for site in sites
            if _resizes(cell, site) and _serves(function, graph)
        ),
        None,
    )
    if cell.is_number or resizes is None:
        return
    for function in state.functions:
        if not function.is_async:
            continue
        for loop in function.facts.sites(ir.For):
            node = loop.node
            if node.is_async or not _is_live(cell, node.iter) or is_exclusive(loop) or _leaves_at_once(node):
                continue
            pause = _pause_in(node, function, graph)
            if pause is not None and event_loop(graph).serving(function):
                yield _finding(cell, function, loop, resizes, pause, "iterated", graph)


def _resizes(cell: SharedCell, site: Site) -> bool:
    node = site.node
    if isinstance(node, ir.AugAssign):
        return False
    return not any(cell.is_named_by(target) for target in getattr(node, "targets", ()))


def _is_live(cell: SharedCell, expr: ir.Expr) -> bool:
    if isinstance(expr, ir.Call) and isinstance(expr.func, ir.Attribute) and expr.func.attr in _VIEWS:
        return cell.is_named_by(expr.func.value)
    return cell.is_named_by(expr)


def _leaves_at_once(node: ir.For) -> bool:
    """The loop's last statement leaves it: there is no second round."""
    return bool(node.body) and isinstance(node.body[-1], ir.Return | ir.Raise)


def _pause_in(node: ir.For, function: Function, graph: AppGraph) -> Site | None:
    """An await in the loop; one that sends to sockets is another rule's."""
    if any(any(c.node is node for c in send.site.context) for send in graph.within(WebSocketSend, function)):
        return None
    inside = {id(each) for each in nodes_in(node.body)}
    return next(
        (s for s in function.facts.sites(ir.Await) if id(s.node) in inside and suspends(graph, s)), None
    )


# ── what is said


def _finding(
    cell: SharedCell, function: Function, place: Site, look: Site, pause: Site, what: str, graph: AppGraph
) -> Finding:
    operations = graph.entries(function)
    shared = cell.written
    waits = "waits" if function.is_async else "waits for the database or another host"
    if what == "iterated":
        issue = f"`{function.name}` loops over `{shared}` and waits in the loop, while other requests add to it or remove from it."
        exploit = (
            f"While {first_route(operations, function.name)} waits, another request changes `{shared}`: the loop ends in "
            "`RuntimeError: ... changed size during iteration`, or skips an element of a list."
        )
        suggestion = f"Loop over a copy:\n```python\nfor each in list({shared}):\n    ...\n```"
    else:
        issue = f"`{shared}` is {what}, then `{function.name}` {waits}, then changes it: what it saw may have changed meanwhile."
        exploit = f"Two requests to {first_route(operations, function.name)} at once: " + (
            "both pass the check before either has written."
            if what == "checked"
            else "both read the same value, and one of the two changes is lost."
        )
        lock = "async with" if function.is_async else "with"
        kind = "asyncio" if function.is_async else "threading"
        suggestion = (
            "Hold a lock around the look and the change, or change it before waiting:\n```python\n"
            f"import {kind}\n\n{cell.name}_lock = {kind}.Lock()\n\n"
            f"{'async ' if function.is_async else ''}def {function.name}(...):\n    {lock} {cell.name}_lock:\n        ...\n```"
        ).replace("(...)", "()")
    return rule.at(
        place,
        issue,
        suggestion,
        reasoning=f"`{shared}` belongs to the process, and all its requests share it. Others run wherever `{function.name}` waits.",
        exploit=exploit,
        confidence=Confidence.FIRM,
        trace=steps(
            (look, f"{shared} is {what}" if what != "iterated" else f"{shared} is changed here"),
            (pause, "others may run here"),
            (place, f"{shared} is changed" if what != "iterated" else f"the loop over {shared}"),
        ),
        routes=routes_of(operations),
    )


rule.bad = """
    import asyncio

    from fastapi import FastAPI, HTTPException

    app = FastAPI()
    sold: set[int] = set()


    async def charge(seat: int) -> None:
        await asyncio.sleep(0.01)


    @app.post("/seats/{seat}", status_code=201)
    async def sell_seat(seat: int) -> int:
        if seat in sold:
            raise HTTPException(409, "the seat is taken")
        await charge(seat)
        sold.add(seat)  # finding: shared-state-race-across-await
        return seat
"""

rule.good = """
    import asyncio

    from fastapi import FastAPI, HTTPException

    app = FastAPI()
    sold: set[int] = set()
    sold_lock = asyncio.Lock()


    async def charge(seat: int) -> None:
        await asyncio.sleep(0.01)


    @app.post("/seats/{seat}", status_code=201)
    async def sell_seat(seat: int) -> int:
        async with sold_lock:
            if seat in sold:
                raise HTTPException(409, "the seat is taken")
            await charge(seat)
            sold.add(seat)
        return seat
"""


@rule.symptom
def one_seat_is_sold_twice(proof: Proof) -> None:
    """Two readers who buy the same seat at once both get it, and both pay."""
    import asyncio

    import httpx

    async def buy_twice() -> list[int]:
        transport = httpx.ASGITransport(app=proof.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
            answers = await asyncio.gather(client.post("/seats/7"), client.post("/seats/7"))
        return [answer.status_code for answer in answers]

    assert asyncio.run(buy_twice()) == [201, 201]
