"""A Celery task is declared with `async def`, so its body never runs.

Celery calls a task and stores what comes back. From an `async def` a coroutine object comes back: the worker
reports the task as done, and not one line of it has run.

Known limits: pools that run coroutines are recognised by their package (`celery-aio-pool`) or by a task class
of the project that overrides `__call__`.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.own_code import definition, task_registered
from fastapi_architect.appgraph.background import Task
from fastapi_architect.rules.kit import (
    AppGraph,
    Class,
    ClassRef,
    Confidence,
    Finding,
    Function,
    Proof,
    Rule,
    Severity,
    ir,
    last_name,
    options,
    steps,
)

rule = Rule(
    __name__,
    "A Celery task is a coroutine function, so the worker never runs it",
    severity=Severity.CRITICAL,
    cwe=670,
    references=(
        "https://docs.celeryq.dev/en/stable/userguide/tasks.html",
        "https://docs.python.org/3/library/asyncio-runner.html#asyncio.run",
    ),
    requires=("celery",),
)

_POOLS = ("celery_aio_pool", "celery_pool_asyncio", "aio_celery", "async_celery")


@rule.check(per=Task)
def coroutine_as_a_task(task: Task, graph: AppGraph) -> Iterator[Finding]:
    function = task.function
    if task.library != "celery" or not function.is_async or function.module.kind != "source":
        return
    if graph.program.mentioning(*_POOLS) or _has_own_call(task, graph) or _is_wrapped(function):
        return
    if any(graph.version(pool.replace("_", "-")) is not None for pool in _POOLS):
        return
    yield _finding(task, graph)


def _has_own_call(task: Task, graph: AppGraph) -> bool:
    """The task's class, or the application's, says itself how a task is called."""
    named = [
        (task.expressions[key], task.function.module) for key in ("base", "cls") if key in task.expressions
    ]
    scopes = [(e, s) for e, s in named]
    if task.app is not None:
        setting = task.app.settings.get("task_cls")
        scopes += [(setting.expression, setting.scope.module)] if setting is not None else []
        scopes += [
            (k.value, task.app.site.scope.module) for k in task.app.site.node.keywords if k.arg == "task_cls"
        ]
    hierarchy = graph.program.inference.hierarchy
    for expr, scope in scopes:
        for of in options(graph.program.inference.type_of(expr, scope)):
            if isinstance(of, ClassRef) and isinstance(of.cls, Class):
                member = hierarchy.member(of.cls, "__call__")
                return member is not None and member.function is not None
            return True  # a class of some library: it may well run coroutines
    return False


def _is_wrapped(function: Function) -> bool:
    """A decorator below the task's makes an ordinary function of it."""
    below = False
    for decorator in function.node.decorators:
        expr = decorator.func if decorator.__class__ is ir.Call else decorator
        if below:
            return True
        below = last_name(expr) in ("task", "shared_task", "periodic_task")
    return False


def _finding(task: Task, graph: AppGraph) -> Finding:
    function = task.function
    name = function.name
    given = ", ".join(p.name if p.kind != "kwonly" else f"{p.name}={p.name}" for p in function.parameters)
    plain = task_registered(graph, task, f"asyncio.run(_{name}({given}))", is_async=False)
    return rule.at(
        function,
        f"`{name}` is a Celery task and an `async def`: the worker gets a coroutine, reports success, and "
        f"runs none of it.",
        "Make the task a plain function that runs the coroutine:\n```python\nimport asyncio\n\n\n"
        f"{plain}\n\n\n{definition(graph, function, name=f'_{name}')}\n```",
        reasoning="Celery calls tasks and keeps what they return; it does not await it. No pool that runs "
        "coroutines is installed.",
        exploit=f"Somebody sends `{name}`: the worker reports SUCCESS, and nothing of it has happened.",
        confidence=Confidence.CERTAIN,
        trace=steps(
            (task.location, f"{name} becomes a task here"), (function, "and is a coroutine function")
        ),
    )


rule.bad = """
    from celery import Celery
    from fastapi import FastAPI

    worker = Celery("shop", broker="memory://", backend="cache+memory://")
    worker.conf.task_always_eager = True
    app = FastAPI()
    indexed: list[int] = []


    @worker.task
    async def index_book(book_id: int) -> None:  # finding: async-def-celery-task
        indexed.append(book_id)


    @app.post("/books/{book_id}", status_code=202)
    def create_book(book_id: int) -> str:
        return index_book.delay(book_id).state
"""

rule.good = """
    import asyncio

    from celery import Celery
    from fastapi import FastAPI

    worker = Celery("shop", broker="memory://", backend="cache+memory://")
    worker.conf.task_always_eager = True
    app = FastAPI()
    indexed: list[int] = []


    async def index(book_id: int) -> None:
        indexed.append(book_id)


    @worker.task
    def index_book(book_id: int) -> None:
        asyncio.run(index(book_id))


    @app.post("/books/{book_id}", status_code=202)
    def create_book(book_id: int) -> str:
        return index_book.delay(book_id).state
"""


@rule.symptom
def the_task_succeeds_and_does_nothing(proof: Proof) -> None:
    """Celery reports SUCCESS, and the task's body has not run."""
    assert proof.client.post("/books/7").json() == "SUCCESS"
    assert proof.module().indexed == []
