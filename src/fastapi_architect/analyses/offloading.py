"""How does blocking work leave the event loop: what to write instead, and the smallest edits that do it?"""

from __future__ import annotations

from fastapi_architect.analyses.event_loop import OnLoop, event_loop
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.concepts.concurrency import TaskSpawn
from fastapi_architect.findings.finding import Fix
from fastapi_architect.program.definitions import Function, Module, dotted_name
from fastapi_architect.program.facts import Site
from fastapi_architect.source.edit import Edit
from fastapi_architect.source.location import Location
from fastapi_architect.syntax import ir

#: Modules whose functions need a running loop although they are called without `await`.
_NEED_A_LOOP = ("asyncio", "anyio")


def called_name(site: Site) -> str:
    """What a call or an attribute is written as, without arguments: `crud.get_user`, `self.balance`."""
    if site.node.__class__ is ir.Attribute:
        return dotted_name(site.node) or f"<value>.{site.node.attr}"
    func = site.node.func
    return dotted_name(func) or (f"(...).{func.attr}" if func.__class__ is ir.Attribute else "the call")


def on_a_thread(site: Site) -> str:
    """The call as it runs on a thread: `await asyncio.to_thread(crud.get_user, session, user_id)`."""
    if site.node.__class__ is ir.Attribute:
        return f"await asyncio.to_thread(lambda: {called_name(site)})" if dotted_name(site.node) else "..."
    name = dotted_name(site.node.func)
    if not name:
        return "await asyncio.to_thread(...)"
    given = [dotted_name(a) for a in site.node.args]
    named = [f"{k.arg}={dotted_name(k.value)}" for k in site.node.keywords if k.arg and dotted_name(k.value)]
    if not all(given) or len(named) < len(site.node.keywords):
        given, named = ["..."], []
    return f"await asyncio.to_thread({', '.join([name, *given, *named])})"


def may_be_plain(function: Function, graph: AppGraph) -> bool:
    """The coroutine function may become a `def`, which the framework runs on a thread.

    It is an operation or a dependency that awaits nothing, that nobody else calls, and that needs no running
    loop.
    """
    if not function.is_async or (function.node.decorators and function.owner is not None):
        return False
    root = event_loop(graph).roots.get(id(function))
    if root is None or root[0] not in ("operation", "dependency"):
        return False
    facts = function.facts
    if facts.sites(ir.Await) or any(s.node.is_async for kind in (ir.With, ir.For) for s in facts.sites(kind)):
        return False
    if any(getattr(g, "is_async", False) for s in facts.sites(ir.Comprehension) for g in s.node.generators):
        return False
    if graph.within(TaskSpawn, function) or function.functions:
        return False
    if any(dotted_name(s.node.func).partition(".")[0] in _NEED_A_LOOP for s in facts.calls):
        return False
    return not graph.program.calls.callers(function)


def made_plain(function: Function, graph: AppGraph) -> Fix | None:
    """The edit that turns a coroutine function into a plain one; None where that changes what it does."""
    if not may_be_plain(function, graph):
        return None
    place = function.location(function.node)
    removed = Location(place.path, place.line, place.column, place.line, place.column + len("async "))
    return Fix(
        f"Declare {function.name} with def, so that it runs on a thread", (Edit(removed, ""),), safe=False
    )


def import_edits(module: Module, name: str) -> tuple[Edit, ...] | None:
    """Edits after which `import name` is in force in a module; None where the name means something else
    there.
    """
    for binding in module.facts.bindings.get(name, ()):
        return () if binding.kind == "import" and binding.target == name else None
    return (Edit(_import_place(module), f"import {name}\n"),)


def _import_place(module: Module) -> Location:
    """Before the first import that is not `from __future__`, else before the first statement behind the
    docstring.
    """
    body = module.body
    for statement in body:
        if statement.__class__ is ir.Import:
            return _line(module, statement)
        if statement.__class__ is ir.ImportFrom and statement.module != "__future__":
            return _line(module, statement)
    return _line(module, body[0])


def _line(module: Module, statement: ir.Stmt) -> Location:
    return Location(module.path, module.location(statement).line)


def whose_turn(on: OnLoop, function: Function) -> str:
    """Why a function runs on the loop, in half a sentence."""
    what = {
        "operation": "handles requests on the event loop",
        "websocket": "handles a websocket on the event loop",
        "dependency": "is a dependency that runs on the event loop",
        "middleware": "is middleware that every request passes on the event loop",
        "exception handler": "handles errors on the event loop",
        "background task": "runs on the event loop after the response",
        "task": "is a task on the event loop that serves requests",
    }
    if on.root is function:
        return what.get(on.kind, "runs on an event loop")
    return "runs on the event loop" if on.serves else "runs on an event loop"
