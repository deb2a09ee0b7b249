"""A task that fails says that it succeeded.

An `except Exception` around the task's whole work that only logs ends the task normally: Celery marks it as successful, does
not retry it, calls no `on_failure`, and nobody who waits for the job learns that it was not done.

Known limits: handlers that do anything but log (store a state, send the message elsewhere, return a value) are left alone,
and so is a guard around one item of many. Tasks that look periodic are reported tentatively: the next run tries again.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.own_code import task_registered
from fastapi_architect.appgraph.background import Task
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Finding,
    Function,
    Proof,
    Rule,
    Severity,
    Site,
    ir,
    last_name,
    steps,
    walk,
)

rule = Rule(
    __name__,
    "A task that fails is recorded as successful",
    severity=Severity.MINOR,
    cwe=391,
    references=(
        "https://docs.celeryq.dev/en/stable/userguide/tasks.html#retrying",
        "https://docs.celeryq.dev/en/stable/userguide/tasks.html#handlers",
    ),
    requires=("celery",),
)

_PERIODIC = (
    "check",
    "monitor",
    "poll",
    "watch",
    "scan",
    "collect",
    "beat",
    "heartbeat",
    "cleanup",
    "refresh",
)
_BROAD = ("Exception", "BaseException")
_LOGGING = frozenset(
    [
        "exception",
        "error",
        "warning",
        "warn",
        "info",
        "debug",
        "critical",
        "log",
        "print",
        "format_exc",
        "print_exc",
        "str",
        "repr",
    ]
)

_RETRIES = {"autoretry_for": "(OSError,)", "retry_backoff": "True", "max_retries": "5"}


@rule.check(per=Task)
def failure_only_logged(task: Task, graph: AppGraph) -> Iterator[Finding]:
    function = task.function
    if function.module.kind != "source":
        return
    for site in function.facts.sites(ir.Try):
        if (
            site.loops
            or site.context.inside("handler", "finally", "if", "else") is not None
            or not _is_last(site, function)
        ):
            continue
        for handler in site.node.handlers:
            if _is_broad(handler) and _only_logs(handler):
                yield _finding(task, handler, function, graph)


def _is_broad(handler: ir.Handler) -> bool:
    if handler.type is None:
        return True
    kinds = handler.type.elts if isinstance(handler.type, ir.Sequence) else [handler.type]
    return any(last_name(kind) in _BROAD for kind in kinds)


def _is_last(site: Site, function: Function) -> bool:
    """Nothing of weight follows the statement: it holds the task's work."""
    body = function.body
    position = next((i for i, statement in enumerate(body) if _holds(statement, site.node)), None)
    if position is None:
        return False
    before = [
        s
        for s in body[:position]
        if not isinstance(s, ir.Assign | ir.AnnAssign | ir.ImportFrom | ir.Import | ir.ExprStmt | ir.If)
    ]
    after = [
        s
        for s in body[position + 1 :]
        if not isinstance(s, ir.Return) or any(isinstance(e, ir.Call) for e in walk(s.value))
    ]
    return not before and not after


def _holds(statement: ir.Stmt, wanted: ir.Try) -> bool:
    if statement is wanted:
        return True
    return isinstance(statement, ir.With) and len(statement.body) == 1 and _holds(statement.body[0], wanted)


def _only_logs(handler: ir.Handler) -> bool:
    """Every statement of the handler is a call that logs, or does nothing."""
    logs = False
    for statement in handler.body:
        if isinstance(statement, ir.Return) and (
            statement.value is None or getattr(statement.value, "kind", "") == "none"
        ):
            continue
        if isinstance(statement, ir.Jump):
            continue
        if not isinstance(statement, ir.ExprStmt):
            return False
        for node in walk(statement.value):
            if isinstance(node, ir.Call):
                if last_name(node.func) not in _LOGGING:
                    return False
                logs = True
    return logs or all(isinstance(s, ir.Jump) for s in handler.body)


def _finding(task: Task, handler: ir.Handler, function: Function, graph: AppGraph) -> Finding:
    name = function.name
    retries = task.options.get("autoretry_for") is not None or task.options.get("max_retries") is not None
    place = function.location(handler)
    also = " Its retries never happen, because no exception gets out." if retries else ""
    return rule.at(
        place,
        f"When `{name}` fails, this handler logs it and the task counts as successful: it is not tried again.{also}",
        "Let the exception out after logging, and let the worker try again:\n```python\n"
        f"{task_registered(graph, task, keywords=_RETRIES)}\n```",
        reasoning="A worker knows of a failure only by an exception; without one there is no retry, no `on_failure` and no "
        "failed state.",
        exploit=f"What `{name}` should do fails once, for a moment; the worker records a success, and nobody does it again.",
        confidence=Confidence.TENTATIVE if name.lstrip("_").startswith(_PERIODIC) else Confidence.FIRM,
        trace=steps((task.location, f"`{name}` is run by a worker")),
        symbol=function.full_name,
    )


rule.bad = """
    import logging

    from celery import Celery
    from fastapi import FastAPI

    app = FastAPI()
    celery_app = Celery("shop", broker="redis://localhost")
    logger = logging.getLogger(__name__)
    STOCK = {"Emma": 0}


    @celery_app.task
    def reserve(book: str) -> None:
        try:
            if not STOCK[book]:
                raise RuntimeError(f"{book} is sold out")
            STOCK[book] -= 1
        except Exception:  # finding: failed-task-lost
            logger.exception("%s was not reserved", book)


    @app.post("/reservations/{book}", status_code=202)
    def ask(book: str) -> None:
        reserve.delay(book)
"""

rule.good = """
    from celery import Celery
    from fastapi import FastAPI

    app = FastAPI()
    celery_app = Celery("shop", broker="redis://localhost")
    STOCK = {"Emma": 0}


    @celery_app.task
    def reserve(book: str) -> None:
        if not STOCK[book]:
            raise RuntimeError(f"{book} is sold out")
        STOCK[book] -= 1


    @app.post("/reservations/{book}", status_code=202)
    def ask(book: str) -> None:
        reserve.delay(book)
"""


@rule.symptom
def the_worker_reports_success(proof: Proof) -> None:
    """The worker records the reservation of a sold-out book as a success."""
    proof.client.post("/reservations/Emma")
    assert proof.deliver()[0].state == "SUCCESS"
