"""Python's own library: waiting, threads, asyncio, caching decorators."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.concepts.cache import CacheDecorator
from fastapi_architect.concepts.concurrency import (
    AsyncWait,
    BlockingCall,
    Lock,
    LoopRun,
    TaskSpawn,
    ThreadOffload,
    ThreadStart,
    Timeout,
)
from fastapi_architect.libraries.library import Library, RecognisedCall
from fastapi_architect.libraries.results import awaitable, coroutines
from fastapi_architect.libraries.table import RECEIVER, Argument, describe
from fastapi_architect.program.library_model import CallContext
from fastapi_architect.program.types import Coroutine, Instance, Type, options, union

_TASK = Instance("asyncio.Task")
library = Library(
    packages=(
        "asyncio",
        "threading",
        "queue",
        "concurrent",
        "multiprocessing",
        "functools",
        "contextlib",
        "sched",
        "contextvars",
    ),
    aliases={
        "asyncio.tasks.*": "asyncio",
        "asyncio.events.*": "asyncio",
        "asyncio.locks.*": "asyncio",
        "asyncio.queues.*": "asyncio",
        "asyncio.runners.*": "asyncio",
        "asyncio.exceptions.*": "asyncio",
        "concurrent.futures.thread.*": "concurrent.futures",
        "concurrent.futures.process.*": "concurrent.futures",
    },
    bases={
        "concurrent.futures.ThreadPoolExecutor": ("concurrent.futures.Executor",),
        "concurrent.futures.ProcessPoolExecutor": ("concurrent.futures.Executor",),
        "asyncio.Task": ("asyncio.Future",),
        "asyncio.TimeoutError": ("builtins.TimeoutError",),
        "asyncio.CancelledError": ("builtins.BaseException",),
        "threading.Timer": ("threading.Thread",),
        "queue.LifoQueue": ("queue.Queue",),
        "queue.PriorityQueue": ("queue.Queue",),
        "queue.SimpleQueue": ("queue.Queue",),
        "multiprocessing.Queue": ("queue.Queue",),
        "asyncio.PriorityQueue": ("asyncio.Queue",),
        "asyncio.LifoQueue": ("asyncio.Queue",),
    },
)
library.functions |= {"threading.Lock", "threading.RLock", "multiprocessing.Pool"}
calls = library.calls


def _result_of(call: CallContext, position: int) -> Type | None:
    """What awaiting the coroutine at a position gives."""
    expr = call.argument(position)
    found: list[Type | None] = []
    for option in options(call.type_of(expr)) if expr is not None else ():
        if isinstance(option, Coroutine):
            found.append(option.result)
        elif (
            isinstance(option, Instance) and option.name in ("asyncio.Task", "asyncio.Future") and option.args
        ):
            found.append(option.args[0])
    return union(*found)


def _task(call: CallContext) -> Type:
    return Instance("asyncio.Task", (_result_of(call, 0),))


def _awaited(call: CallContext) -> Type:
    return Coroutine(_result_of(call, 0))


def _gather(call: CallContext) -> Type:
    results = tuple(_result_of(call, index) for index in range(len(call.node.args)))
    one = len(results) == 1 and results[0] is None  # `gather(*coroutines)`
    return Coroutine(Instance("builtins.list", (None,)) if one else Instance("builtins.tuple", results))


for _name in (
    "asyncio.create_task",
    "asyncio.ensure_future",
    "asyncio.TaskGroup.create_task",
    "asyncio.AbstractEventLoop.create_task",
):
    calls[_name] = _task
calls["asyncio.wait_for"] = calls["asyncio.shield"] = _awaited
calls["asyncio.gather"] = _gather
calls["asyncio.run"] = calls["asyncio.AbstractEventLoop.run_until_complete"] = lambda call: _result_of(
    call, 0
)
calls["asyncio.sleep"] = Coroutine(None)
for _name in ("get_event_loop", "get_running_loop", "new_event_loop"):
    calls[f"asyncio.{_name}"] = Instance("asyncio.AbstractEventLoop")
calls["asyncio.Future.result"] = lambda call: (
    call.receiver.args[0] if call.receiver and call.receiver.args else None
)
coroutines(library, "asyncio.Event", "wait")
coroutines(library, "asyncio.Lock", "acquire")
coroutines(library, "asyncio.Semaphore", "acquire")
coroutines(library, "asyncio.Condition", "wait wait_for")
coroutines(library, "asyncio.Queue", "put join")
calls["asyncio.Queue.get"] = awaitable(None)
coroutines(library, "asyncio", "wait open_connection")
coroutines(library, "asyncio.StreamReader", "read readline readexactly readuntil")
coroutines(library, "asyncio.StreamWriter", "drain wait_closed")


def _executed(call: CallContext) -> Type:
    """`loop.run_in_executor(None, func)` gives a future of what the function gives."""
    func = call.argument(1, "func")
    found = [call.called(option) for option in options(call.type_of(func))] if func is not None else []
    return Coroutine(union(*found))


calls["asyncio.AbstractEventLoop.run_in_executor"] = _executed
calls["concurrent.futures.Executor.submit"] = Instance("concurrent.futures.Future")
calls["multiprocessing.Pool"] = Instance("multiprocessing.pool.Pool")
calls["threading.Lock"] = calls["threading.RLock"] = Instance("threading.Lock")
calls["functools.cached_property"] = Instance("functools.cached_property()")

# ── what calls mean ───────────────────────────────────────────────────────────────────────────────────────

describe(library, BlockingCall, ["time.sleep"], kind="sleep", instead="await asyncio.sleep(...)")
describe(
    library,
    BlockingCall,
    "threading.Event.wait threading.Thread.join threading.Condition.wait threading.Barrier.wait "
    "threading.Semaphore.acquire "
    "threading.Lock.acquire queue.Queue.get queue.Queue.join multiprocessing.Process.join "
    "multiprocessing.pool.Pool.map "
    "multiprocessing.pool.Pool.apply concurrent.futures.Future.result concurrent.futures.wait "
    "concurrent.futures.as_completed",
    kind="lock",
    instead="asyncio's own Event, Lock or Queue",
)
describe(library, ThreadOffload, ["asyncio.to_thread"], target=Argument(0, "func"))
describe(
    library,
    ThreadOffload,
    ["asyncio.AbstractEventLoop.run_in_executor"],
    duck={"run_in_executor": ("loop",)},
    target=Argument(1, "func"),
)
describe(
    library,
    ThreadOffload,
    ["concurrent.futures.Executor.submit", "concurrent.futures.Executor.map"],
    duck={"submit": ("executor", "pool")},
    target=Argument(0, "fn"),
)
describe(library, ThreadStart, ["threading.Thread"], kind="thread", target=Argument(None, "target"))
describe(library, ThreadStart, ["threading.Timer"], kind="thread", target=Argument(1, "function"))
describe(library, ThreadStart, ["multiprocessing.Process"], kind="process", target=Argument(None, "target"))
describe(library, ThreadStart, ["concurrent.futures.ThreadPoolExecutor"], kind="thread-pool")
describe(
    library,
    ThreadStart,
    ["concurrent.futures.ProcessPoolExecutor", "multiprocessing.Pool"],
    kind="process-pool",
)

_SPAWNS = {
    "asyncio.create_task": "task",
    "asyncio.ensure_future": "task",
    "asyncio.AbstractEventLoop.create_task": "task",
    "asyncio.run_coroutine_threadsafe": "task",
    "asyncio.TaskGroup.create_task": "group",
    "asyncio.gather": "gather",
    "asyncio.wait": "gather",
    "asyncio.as_completed": "gather",
    "asyncio.run": "run",
    "asyncio.AbstractEventLoop.run_until_complete": "run",
    "asyncio.Runner.run": "run",
}


@library.recognise(
    TaskSpawn,
    names=_SPAWNS,
    duck={"create_task": ("loop", "=tg", "task_group"), "run_until_complete": ("loop",)},
)
def _spawn(call: RecognisedCall) -> Iterator[TaskSpawn]:
    kind = _SPAWNS.get(call.name)
    if kind is None:
        receiver = call.receiver
        is_loop = receiver is not None and "loop" in str(
            getattr(receiver, "id", getattr(receiver, "attr", ""))
        )
        kind = "run" if call.method == "run_until_complete" else "task" if is_loop else "group"
    coroutines_given = tuple(call.node.args) if kind == "gather" else tuple(call.node.args[:1])
    yield TaskSpawn(*call.place, kind, coroutines_given)


describe(
    library,
    LoopRun,
    "asyncio.run asyncio.AbstractEventLoop.run_until_complete asyncio.Runner.run",
    duck={"run_until_complete": ("loop",)},
    coroutine=Argument(0),
)
for _module, _is_async in (("threading", False), ("asyncio", True), ("multiprocessing", False)):
    for _names, _kind in (
        ("Lock" if _is_async else "Lock RLock", "lock"),
        ("Semaphore BoundedSemaphore", "semaphore"),
        ("Event", "event"),
        ("Condition", "condition"),
    ):
        describe(
            library, Lock, _names, owner=_module, kind=_kind, is_async=_is_async, limit=Argument(0, "value")
        )
describe(
    library,
    Lock,
    "queue.Queue queue.SimpleQueue queue.PriorityQueue queue.LifoQueue",
    kind="queue",
    limit=Argument(0, "maxsize"),
)
describe(
    library,
    Lock,
    "asyncio.Queue asyncio.PriorityQueue asyncio.LifoQueue",
    kind="queue",
    is_async=True,
    limit=Argument(0, "maxsize"),
)
describe(library, Timeout, ["asyncio.wait_for"], seconds=Argument(1, "timeout"), awaited=Argument(0))
describe(library, Timeout, "asyncio.timeout async_timeout.timeout", seconds=Argument(0))
for _name, _kind in (
    ("Event.wait", "event"),
    ("Queue.get", "queue"),
    ("Queue.join", "queue"),
    ("Lock.acquire", "lock"),
    ("Condition.wait", "condition"),
):
    describe(library, AsyncWait, [f"asyncio.{_name}"], kind=_kind, waited_for=RECEIVER)


@library.recognise(CacheDecorator, names=["functools.lru_cache", "functools.cache"])
def _cached(call: RecognisedCall) -> Iterator[CacheDecorator]:
    yield CacheDecorator(*call.place, size=call.argument(0, "maxsize"))
