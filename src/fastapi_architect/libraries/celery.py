"""Celery: tasks sent, results waited for. (Applications and task definitions are read by the app graph.)"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.concepts.messaging import Enqueue, ResultWait, TaskRetry, WorkerInspection
from fastapi_architect.libraries.library import Library, RecognisedCall
from fastapi_architect.libraries.results import inherit, receiver
from fastapi_architect.libraries.table import Argument, describe
from fastapi_architect.program.constants import UNKNOWN
from fastapi_architect.program.types import BOOL, STR, Instance
from fastapi_architect.syntax import ir

_TASK = "celery.Task"
_RESULT = "celery.result.AsyncResult"
_APP = "celery.Celery"
library = Library(
    packages=("celery", "kombu", "billiard", "django_celery_beat"),
    aliases={
        "celery.app.base.Celery": _APP,
        "celery.app.Celery": _APP,
        "celery.app.shared_task": "celery.shared_task",
        "celery.app.task.Task": _TASK,
        "celery.task.Task": _TASK,
        "celery.app.base.*": "celery",
        "celery.canvas.*": "celery",
        "celery.app.task.*": "celery",
    },
    classes={"celery.group", "celery.chain", "celery.chord", "celery.Signature", "celery.schedules.crontab"},
    bases={
        "celery.group": ("celery.Signature",),
        "celery.chain": ("celery.Signature",),
        "celery.chord": ("celery.Signature",),
        "celery.result.GroupResult": ("celery.result.ResultSet",),
    },
)
inherit(
    library,
    """celery.exceptions
    CeleryError SoftTimeLimitExceeded TimeLimitExceeded WorkerLostError: builtins.Exception
    TaskError Retry Ignore Reject: CeleryError
    TimeoutError MaxRetriesExceededError TaskRevokedError NotRegistered: TaskError
    """,
)
calls = library.calls
# A decorated task is the function itself to the type inference; these are for tasks of other shapes.
for _name in ("delay", "apply_async", "apply"):
    calls[f"{_TASK}.{_name}"] = calls[f"celery.Signature.{_name}"] = Instance(_RESULT)
    calls[f"builtins.function.{_name}"] = Instance(_RESULT)
for _name in ("s", "si", "signature", "subtask"):
    calls[f"{_TASK}.{_name}"] = calls[f"builtins.function.{_name}"] = Instance("celery.Signature")
for _name in ("set", "clone", "on_error", "link"):
    calls[f"celery.Signature.{_name}"] = receiver
calls[f"{_APP}.AsyncResult"] = calls[f"{_TASK}.AsyncResult"] = Instance(_RESULT)
calls[f"{_APP}.send_task"] = Instance(_RESULT)
calls["celery.signature"] = calls[f"{_APP}.signature"] = Instance("celery.Signature")
for _name in ("ready", "successful", "failed"):
    calls[f"{_RESULT}.{_name}"] = BOOL
for _name in ("id", "state", "status", "task_id"):
    library.attributes[f"{_RESULT}.{_name}"] = STR
library.attributes[f"{_APP}.control"] = Instance("celery.app.control.Control")
calls["celery.app.control.Control.inspect"] = Instance("celery.app.control.Inspect")

_SENDS = ("delay", "apply_async")
_SIGNATURES = ("s", "si", "signature", "subtask")
#: Methods of a task, which is a decorated function of the program to the type inference.
_OWNERS = (_TASK, "celery.Signature", "builtins.function")


def _listed(expr: ir.Expr | None) -> tuple[ir.Expr, ...]:
    if expr.__class__ is ir.Sequence:
        return tuple(expr.elts)
    return ()


def _mapped(expr: ir.Expr | None) -> tuple[ir.Keyword, ...]:
    if expr.__class__ is not ir.Dict:
        return ()
    return tuple(
        ir.Keyword(value.span, key.value, value)
        for key, value in zip(expr.keys, expr.values, strict=True)
        if key.__class__ is ir.Constant and isinstance(key.value, str)
    )


def _options(call: RecognisedCall) -> tuple[ir.Keyword, ...]:
    return tuple(k for k in call.node.keywords if k.arg not in ("args", "kwargs", "name"))


@library.recognise(
    Enqueue,
    names=[f"{owner}.{name}" for owner in _OWNERS for name in (*_SENDS, *_SIGNATURES)],
    duck={"delay": ("",), "apply_async": ("",)},
)
def _send(call: RecognisedCall) -> Iterator[Enqueue]:
    method = call.method
    if method == "apply_async":
        yield Enqueue(
            *call.place,
            task=call.receiver,
            args=_listed(call.argument(0, "args")),
            keywords=_mapped(call.argument(1, "kwargs")),
            options=_options(call),
            kind=method,
        )
        return
    yield Enqueue(
        *call.place,
        task=call.receiver,
        args=tuple(call.node.args),
        keywords=tuple(call.node.keywords),
        kind="delay" if method == "delay" else "signature",
    )


@library.recognise(
    Enqueue,
    names=[f"{_APP}.send_task", "celery.signature", f"{_APP}.signature"],
    duck={"send_task": ("celery", "app")},
)
def _send_by_name(call: RecognisedCall) -> Iterator[Enqueue]:
    yield Enqueue(
        *call.place,
        task_name=call.argument(0, "name" if call.method == "send_task" else "varies"),
        args=_listed(call.argument(1, "args")),
        keywords=_mapped(call.argument(2, "kwargs")),
        options=_options(call),
        kind="send_task" if call.method == "send_task" else "signature",
    )


for _name in ("group", "chain", "chord"):

    @library.recognise(Enqueue, names=[f"celery.{_name}"])
    def _canvas(call: RecognisedCall) -> Iterator[Enqueue]:
        yield Enqueue(*call.place, args=tuple(call.node.args), kind=call.method)


describe(
    library,
    TaskRetry,
    [f"{_TASK}.retry", "builtins.function.retry"],
    duck={"retry": ("self",)},
    countdown=Argument(None, "countdown"),
    max_retries=Argument(None, "max_retries"),
)


@library.recognise(
    ResultWait,
    names=[
        *(f"{_RESULT}.{name}" for name in ("get", "wait", "collect")),
        *(f"celery.result.ResultSet.{name}" for name in ("get", "join", "join_native")),
        *(f"{owner}.apply" for owner in _OWNERS),
    ],
)
def _wait(call: RecognisedCall) -> Iterator[ResultWait]:
    method = call.method
    timeout = call.argument(0, "timeout") if method != "apply" else None
    if timeout is not None and call.constant(timeout) is UNKNOWN and timeout.__class__ is ir.Starred:
        timeout = None
    kind = {"join_native": "join", "collect": "get", "iterate": "join"}.get(method, method)
    yield ResultWait(*call.place, result=call.receiver, timeout=timeout, kind=kind)


_CONTROL = (
    "ping",
    "active",
    "stats",
    "registered",
    "scheduled",
    "reserved",
    "active_queues",
    "report",
    "query_task",
)
describe(
    library,
    WorkerInspection,
    [
        *(f"celery.app.control.Inspect.{name}" for name in _CONTROL),
        "celery.app.control.Control.ping",
        "celery.app.control.Control.broadcast",
    ],
)
