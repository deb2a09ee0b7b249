"""A task is started and nobody keeps it.

The event loop holds tasks by weak references only. A task that nothing else refers to may be collected while
it waits, and then it simply stops; its exception is never seen; at shutdown it is cut off.

A coroutine that awaits nothing and raises nothing of its own runs in one step of the loop; in a finaliser there
is nobody left to keep the task. Both are left out. A loop that catches what its rounds raise and sleeps between them is
tentative: the timer keeps its task, and its errors are logged; only nobody ends it at shutdown. A coroutine that catches
whatever goes wrong in it loses no exception; that it may be collected is minor.

Known limits: a task that is put into a container or an attribute is taken to be looked after.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec.structs import replace

from fastapi_architect.analyses.offloading import called_name
from fastapi_architect.analyses.own_code import definition, written
from fastapi_architect.analyses.surroundings import mentions_of, nodes_in, nodes_of
from fastapi_architect.concepts.concurrency import TaskSpawn
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Edit,
    Finding,
    Fix,
    Function,
    Location,
    Module,
    Proof,
    Rule,
    Severity,
    Site,
    dotted_name,
    ir,
    last_name,
    steps,
)

rule = Rule(
    __name__,
    "A task is started that nobody keeps, so it may vanish and its errors are lost",
    severity=Severity.IMPORTANT,
    cwe=755,
    references=(
        "https://docs.python.org/3/library/asyncio-task.html#asyncio.create_task",
        "https://fastapi.tiangolo.com/tutorial/background-tasks/",
    ),
)

_STARTS = ("asyncio.create_task", "asyncio.ensure_future", "asyncio.AbstractEventLoop.create_task")
_KEPT_IN = "background_tasks"
_PLAIN_DECORATORS = ("staticmethod", "classmethod")
_ALL = ("Exception", "BaseException")
_LOGGERS = frozenset({"logger", "log", "_logger", "logging", "_log"})
#: A longer call is shown without its arguments.
_LONG = 100


@rule.check(per=TaskSpawn)
def task_that_nobody_keeps(spawn: TaskSpawn, graph: AppGraph) -> Iterator[Finding]:
    if spawn.kind != "task" or spawn.scope.module.kind != "source":
        return
    if spawn.sure and spawn.name not in _STARTS:
        return
    if any(e.env is spawn.scope.module for h in graph.migrations if (e := h.environment) is not None):
        return  # Alembic's command ends with it; nothing is served there
    if isinstance(spawn.scope, Function) and _is_finaliser(spawn.scope, graph):
        return
    how = _how_it_is_lost(spawn)
    if not how or _ends_in_one_step(spawn, graph):
        return
    started = _started(spawn, graph)
    loses = not _loses_no_exception(started)
    finding = _finding(spawn, how, graph, loses=loses)
    if started and all(_is_guarded_loop(each) for each in started):
        yield replace(finding, confidence=Confidence.TENTATIVE)
    else:
        yield finding if loses else replace(finding, severity=Severity.MINOR)


def _how_it_is_lost(spawn: TaskSpawn) -> str:
    statement = spawn.site.statement
    if statement.__class__ is ir.ExprStmt and statement.value is spawn.node:
        return "discards it"
    if (
        statement.__class__ is not ir.Assign
        or statement.value is not spawn.node
        or len(statement.targets) != 1
    ):
        return ""
    target = statement.targets[0]
    if target.__class__ is not ir.Name or not isinstance(spawn.scope, Function):
        return ""
    if target.id in spawn.scope.facts.is_global or mentions_of(spawn.scope, target.id) > 1:
        return ""
    return f"never looks at `{target.id}` again"


def _ends_in_one_step(spawn: TaskSpawn, graph: AppGraph) -> bool:
    """The coroutine gives the loop no turn, so it cannot be collected halfway, and raises nothing of its own."""
    targets = _started(spawn, graph)
    return bool(targets) and all(_is_one_step(target) for target in targets)


def _is_one_step(function: Function) -> bool:
    """Its body is there to be read: a decorator may wait around it, and who overrides an empty one as well."""
    if _gives_a_turn(function):
        return False
    if _catches_everything(function):
        return True
    plain = all(last_name(each) in _PLAIN_DECORATORS for each in function.node.decorators)
    raised = (site for site in function.facts.sites(ir.Raise) if not _asks_an_option(site))
    return plain and bool(function.facts.calls) and next(raised, None) is None


def _asks_an_option(site: Site) -> bool:
    """`if self.fails_loudly: raise`."""
    around = site.context.inside("if")
    return around is not None and getattr(around.node, "test", None).__class__ in (ir.Name, ir.Attribute)


def _started(spawn: TaskSpawn, graph: AppGraph) -> list[Function]:
    """The coroutine functions whose bodies the task runs."""
    started = spawn.coroutines[0] if spawn.coroutines else None
    return [
        target
        for site in spawn.scope.facts.calls
        if site.node is started
        for target in graph.program.calls.targets(site)
    ]


def _is_guarded_loop(function: Function) -> bool:
    """`while True:` whose rounds stand in a `try` that catches everything, with a sleep between them.

    The loop's timers refer to the task that sleeps, and no exception leaves it.
    """
    loops = [s for s in function.body if s.__class__ is ir.While]
    return (
        bool(loops)
        and all(s in loops or _is_calm(s) for s in function.body)
        and all(_is_guarded_round(statement) for loop in loops for statement in loop.body)
        and any(each.context.inside("loop") is not None for each in function.facts.calls_named("sleep"))
    )


def _is_guarded_round(statement: ir.Stmt) -> bool:
    if statement.__class__ is not ir.Try:
        return _is_calm(statement)
    caught = any(h.type is None or last_name(h.type) in _ALL for h in statement.handlers)
    return caught and not any(_raises(line) for h in statement.handlers for line in h.body)


def _is_calm(statement: ir.Stmt) -> bool:
    """It raises nothing of its own, and waits for nothing but a timer."""
    return not _raises(statement) and all(
        isinstance(node.value, ir.Call) and last_name(node.value.func) == "sleep"
        for node in nodes_in([statement])
        if isinstance(node, ir.Await)
    )


def _raises(statement: ir.Stmt) -> bool:
    """It raises whatever happens; `if raise_exceptions: raise` asks an option first."""
    if statement.__class__ is ir.If and statement.test.__class__ is ir.Name:
        return False
    return any(isinstance(node, ir.Raise) for node in nodes_in([statement]))


def _gives_a_turn(function: Function) -> bool:
    return any(
        isinstance(node, ir.Await) or (isinstance(node, ir.For | ir.With | ir.Generator) and node.is_async)
        for node in nodes_of(function)
    )


def _catches_everything(function: Function, *, behind: Callable[[ir.Stmt], bool] = lambda _: False) -> bool:
    """Every statement stands in a `try` whose `except Exception` raises nothing itself, but for those that `behind` allows."""
    guarded = [statement for statement in function.body if not behind(statement)]
    return (
        bool(guarded)
        and all(
            isinstance(statement, ir.Try)
            and any(h.type is None or last_name(h.type) in _ALL for h in statement.handlers)
            for statement in guarded
        )
        and not any(site.context.inside("handler") for site in function.facts.sites(ir.Raise))
    )


def _loses_no_exception(started: list[Function]) -> bool:
    """Whatever goes wrong is caught where it happens: before that, a body only takes down what needs no call."""
    return bool(started) and all(_catches_everything(each, behind=_needs_no_call) for each in started)


def _needs_no_call(statement: ir.Stmt) -> bool:
    if statement.__class__ is ir.ExprStmt and isinstance(statement.value, ir.Call):
        return dotted_name(statement.value.func).rpartition(".")[0].rpartition(".")[2].lower() in _LOGGERS
    return statement.__class__ in (
        ir.Assign,
        ir.AnnAssign,
        ir.ExprStmt,
        ir.Import,
        ir.ImportFrom,
    ) and not any(isinstance(node, ir.Call | ir.Await | ir.Subscript) for node in nodes_in([statement]))


def _finding(spawn: TaskSpawn, how: str, graph: AppGraph, *, loses: bool) -> Finding:
    where = spawn.scope.name if isinstance(spawn.scope, Function) else spawn.scope.module.path
    name = called_name(spawn.site)
    started = spawn.coroutines[0] if spawn.coroutines else None
    what = dotted_name(started.func) if started.__class__ is ir.Call else ""
    shown = written(graph, spawn.scope, spawn.node)
    if "\n" in shown or len(shown) > _LONG:
        shown = f"{name}({f'{what}(...)' if what else '...'})"
    code = f"task = {shown}\n{_KEPT_IN}.add(task)\ntask.add_done_callback({_KEPT_IN}.discard)"
    if isinstance(spawn.scope, Function):
        code = definition(graph, spawn.scope, code)
    return rule.at(
        spawn,
        f"`{where}` starts a task{f' of `{what}`' if what else ''} with `{name}` and {how}: it may be "
        f"collected before it is done{', and its exception is lost' if loses else ''}.",
        "Keep the task until it is done (or await it in an `asyncio.TaskGroup`; or use `BackgroundTasks`):\n"
        "```python\n"
        f"{_KEPT_IN} = set()\n\n\n{code}\n```",
        reasoning="The loop keeps weak references to tasks; nothing in the program keeps a strong one.",
        exploit=f"The task of `{what or where}` waits for an answer, is collected meanwhile, and what comes "
        "behind the `await` never happens.",
        confidence=Confidence.CERTAIN if spawn.sure else Confidence.FIRM,
        trace=steps((spawn, f"{name} gives a task, and {where} {how}")),
        fix=_fix(spawn) if how == "discards it" else None,
    )


def _is_finaliser(function: Function, graph: AppGraph) -> bool:
    """`__del__`, or a function that `weakref.finalize` is given in its module."""
    return function.name == "__del__" or any(
        last_name(given) == function.name
        for scope in graph.program.scopes_calling("finalize")
        if scope.module is function.module
        for site in scope.facts.calls_named("finalize")
        for given in site.node.args
    )


def _fix(spawn: TaskSpawn) -> Fix | None:
    scope, module = spawn.scope, spawn.scope.module
    if not isinstance(scope, Function) or _KEPT_IN in module.facts.bindings or "task" in scope.facts.bindings:
        return None
    place = scope.location(spawn.site.statement)
    around = spawn.site.context.parent
    outer = around.node if around is not None and around.node is not None else scope.node
    if scope.location(outer).line == place.line:
        return None  # `if ready: create_task(...)` on one line
    indent = " " * place.column
    begin = Location(place.path, place.line, place.column)
    end = Location(place.path, place.end_line, place.end_column)
    kept = f"\n{indent}{_KEPT_IN}.add(task)\n{indent}task.add_done_callback({_KEPT_IN}.discard)"
    edits = (
        Edit(
            _behind_imports(module),
            f"#: Tasks that run beside requests, until they are done.\n{_KEPT_IN} = set()\n\n\n",
        ),
        Edit(begin, "task = "),
        Edit(end, kept),
    )
    return Fix("Keep the task until it is done", edits, safe=True)


def _behind_imports(module: Module) -> Location:
    """The first statement that is no import; for a decorated one its first decorator."""
    for statement in module.body:
        if statement.__class__ not in (ir.Import, ir.ImportFrom):
            decorators = getattr(statement, "decorators", ())
            first = decorators[0] if decorators else statement
            return Location(module.path, module.location(first).line)
    return Location(module.path, 1)


rule.bad = """
    import asyncio
    from weakref import WeakValueDictionary

    from fastapi import FastAPI

    app = FastAPI()
    replies: WeakValueDictionary[int, asyncio.Future[None]] = WeakValueDictionary()
    confirmed: list[int] = []


    async def confirm(order_id: int) -> None:
        reply: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        replies[order_id] = reply
        await reply
        confirmed.append(order_id)


    @app.post("/orders/{order_id}")
    async def create_order(order_id: int) -> None:
        asyncio.create_task(confirm(order_id))  # finding: fire-and-forget-task


    @app.post("/orders/{order_id}/reply")
    async def reply_from_warehouse(order_id: int) -> None:
        reply = replies.get(order_id)
        if reply is not None:
            reply.set_result(None)


    @app.get("/confirmed")
    async def list_confirmed() -> list[int]:
        return confirmed
"""

rule.good = """
    import asyncio
    from weakref import WeakValueDictionary

    from fastapi import FastAPI

    app = FastAPI()
    replies: WeakValueDictionary[int, asyncio.Future[None]] = WeakValueDictionary()
    confirmed: list[int] = []
    running: set[asyncio.Task[None]] = set()


    async def confirm(order_id: int) -> None:
        reply: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        replies[order_id] = reply
        await reply
        confirmed.append(order_id)


    @app.post("/orders/{order_id}")
    async def create_order(order_id: int) -> None:
        task = asyncio.create_task(confirm(order_id))
        running.add(task)
        task.add_done_callback(running.discard)


    @app.post("/orders/{order_id}/reply")
    async def reply_from_warehouse(order_id: int) -> None:
        reply = replies.get(order_id)
        if reply is not None:
            reply.set_result(None)


    @app.get("/confirmed")
    async def list_confirmed() -> list[int]:
        return confirmed
"""


@rule.symptom
def the_task_vanishes(proof: Proof) -> None:
    """The task waits for a reply, is collected meanwhile, and the order is never confirmed."""
    import gc

    client = proof.client
    assert client.post("/orders/7").status_code == 200
    assert client.get("/confirmed").json() == []
    gc.collect()
    assert client.post("/orders/7/reply").status_code == 200
    assert client.get("/confirmed").json() == []
    assert client.get("/confirmed").json() == []
