"""Work outside of the request: tasks, who sends them, schedules, FastAPI's background tasks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

import msgspec

from fastapi_architect.appgraph.celery_apps import CeleryApp, find_celery_apps, listed
from fastapi_architect.appgraph.declarations import has_library_ancestor, keyword, origins
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.definitions import Class, Function, Scope, dotted_name, last_name
from fastapi_architect.program.facts import Site
from fastapi_architect.program.program import Program
from fastapi_architect.program.types import FunctionRef, Instance, options
from fastapi_architect.source.location import Location
from fastapi_architect.syntax import ir

_DECORATORS = {
    "task": "",
    "shared_task": "celery",
    "periodic_task": "celery",
    "actor": "dramatiq",
    "job": "rq",
    "db_task": "huey",
}
_PACKAGES = frozenset(
    {"celery", "taskiq", "dramatiq", "rq", "huey", "procrastinate", "taskiq_redis", "taskiq_aio_pika"}
)
#: Receivers of `.task` that are believed without a type.
_APP_WORDS = ("celery", "broker", "huey", "worker", "queue")

#: Method of a task to the kind of sending and the library that has it ("" for several).
_SENDS = {
    "delay": "delay",
    "apply_async": "apply_async",
    "send": "send",
    "send_with_options": "send",
    "kiq": "kiq",
    "defer": "defer",
    "defer_async": "defer",
}
_SIGNATURES = ("s", "si", "signature", "subtask", "map", "starmap", "chunks", "message")
#: Methods that are believed to send a task even when the task is not known.
_WITHOUT_TASK = ("delay", "apply_async", "kiq")
_BY_NAME = {"send_task": 0, "enqueue_job": 0}
_SEND_OPTIONS = frozenset(
    [
        "countdown",
        "eta",
        "expires",
        "queue",
        "routing_key",
        "priority",
        "serializer",
        "compression",
        "retry",
        "retry_policy",
        "task_id",
        "ignore_result",
        "link",
        "link_error",
        "headers",
        "soft_time_limit",
        "time_limit",
        "_defer_by",
        "_defer_until",
        "_job_id",
        "_queue_name",
        "job_timeout",
    ]
)


class Task(msgspec.Struct, frozen=True, dict=True):
    """A function that workers run.

    Attributes:
        function: the function (`run` for a class).
        library: celery, taskiq, dramatiq, arq, rq, huey or procrastinate.
        name: name under which it is sent: given, else module and function.
        options: keyword arguments of the decorator: constants, `UNKNOWN` when not one.
        expressions: the same as written.
        app: the Celery application it belongs to; for `shared_task` the only one; None when not known.
        location: of the decorator or list that makes it a task.
    """

    function: Function
    library: str
    name: str
    options: dict[str, Any]
    expressions: dict[str, ir.Expr]
    app: CeleryApp | None
    location: Location

    @property
    def is_bound(self) -> bool:
        """Its first parameter is the task itself."""
        return self.options.get("bind") is True or self.function.is_method

    @property
    def parameters(self) -> tuple[ir.Param, ...]:
        """Parameters that arguments are sent for."""
        return self.function.parameters[1:] if self.is_bound else self.function.parameters

    def setting(self, name: str) -> Any:
        """An option of the task, else the application's (`acks_late`: `task_acks_late`); None when neither
        is set.
        """
        if name in self.options:
            return self.options[name]
        return self.app.value(f"task_{name}") if self.app is not None else None

    @property
    def is_redelivered(self) -> bool:
        """It may run again: late acknowledgement, lost workers, automatic retries, or `self.retry`."""
        flags = ("acks_late", "reject_on_worker_lost")
        return any(self.setting(name) is True for name in flags) or self.retries

    @cached_property
    def retries(self) -> bool:
        """It retries, automatically or by `self.retry(...)`."""
        if "autoretry_for" in self.expressions or self.options.get("retry_on_error"):
            return True
        return "retry" in self.function.node.called and any(
            dotted_name(s.node.func).partition(".")[0] == "self" or last_name(s.node.func) == "retry"
            for s in self.function.facts.calls_named("retry")
        )


class EnqueueSite(msgspec.Struct, frozen=True):
    """A place where a task is sent.

    Attributes:
        kind: delay, apply_async, send_task, signature, send, kiq, defer, enqueue, enqueue_job or background
            (FastAPI's).
        task: the task, None when it is not known (or a plain function in the background).
        function: the function that will run, None when not known.
        task_name: name it is sent by, or None.
        args: positional arguments for the function.
        keywords: keyword arguments for the function.
        options: how it is sent: countdown, eta, expires, queue, ...
        caller: function it stands in, None at module level.
        site: the call.
        location: where.
    """

    kind: str
    task: Task | None
    function: Function | None
    task_name: str | None
    args: tuple[ir.Expr, ...]
    keywords: dict[str, ir.Expr]
    options: dict[str, ir.Expr]
    caller: Function | None
    site: Site
    location: Location


class Schedule(msgspec.Struct, frozen=True):
    """A task that runs by the clock.

    Attributes:
        name: of the entry.
        task_name: as written, or None.
        task: or None.
        schedule: expression, or None.
        location: where.
    """

    name: str
    task_name: str | None
    task: Task | None
    schedule: ir.Expr | None
    location: Location


class Background(msgspec.Struct, frozen=True, dict=True):
    """All of it."""

    apps: tuple[CeleryApp, ...]
    tasks: tuple[Task, ...]
    enqueues: tuple[EnqueueSite, ...]
    schedules: tuple[Schedule, ...]

    @cached_property
    def task_of(self) -> dict[int, Task]:
        """Tasks by the identity of their function."""
        return {id(task.function): task for task in self.tasks}

    @cached_property
    def enqueues_in(self) -> dict[int, tuple[EnqueueSite, ...]]:
        """Sites by the identity of the function they stand in: who sends what."""
        found: dict[int, list[EnqueueSite]] = {}
        for each in self.enqueues:
            if each.caller is not None:
                found.setdefault(id(each.caller), []).append(each)
        return {key: tuple(each) for key, each in found.items()}

    def enqueues_of(self, function: Function) -> tuple[EnqueueSite, ...]:
        """Sites that send this function."""
        return tuple(each for each in self.enqueues if each.function is function)

    def sent_by(self, function: Function) -> tuple[Function, ...]:
        """Functions that run because `function` sends them: implicit edges of the call graph."""
        sent = self.enqueues_in.get(id(function), ())
        return tuple(dict.fromkeys(each.function for each in sent if each.function is not None))


def find_background(program: Program) -> Background:
    """Everything that runs outside of requests."""
    apps = find_celery_apps(program)
    tasks = find_tasks(program, apps)
    enqueues = _Enqueues(program, tasks).find()
    return Background(apps, tasks, enqueues, tuple(_schedules(program, apps, tasks)))


# ── tasks ───────────────────────────────────────────────────────────────────────────────────────────────────


def find_tasks(program: Program, apps: Iterable[CeleryApp] = ()) -> tuple[Task, ...]:
    """Functions and classes that are tasks, in order of files."""
    apps = tuple(apps)
    found = []
    for function in program.functions:
        for decorator in function.node.decorators:
            task = _decorated(program, function, decorator, apps)
            if task is not None:
                found.append(task)
                break
    for cls in program.classes:
        if cls.node.bases and "run" in cls.methods and has_library_ancestor(program, cls, "celery", "Task"):
            found.append(_class_task(program, cls, apps))
        elif cls.name.endswith("WorkerSettings") or cls.name == "WorkerSettings":
            found += _arq_tasks(program, cls)
    unique = {id(task.function): task for task in reversed(found)}
    return tuple(sorted(unique.values(), key=lambda task: task.function.location()))


def _decorated(
    program: Program, function: Function, decorator: ir.Expr, apps: tuple[CeleryApp, ...]
) -> Task | None:
    callee = decorator.func if isinstance(decorator, ir.Call) else decorator
    name = last_name(callee)
    if name not in _DECORATORS:
        return None
    scope = function.parent or function.module
    library = _library_of(program, callee, scope)
    if library is None:
        return None
    call = decorator if isinstance(decorator, ir.Call) else None
    expressions = {k.arg: k.value for k in call.keywords if k.arg is not None} if call is not None else {}
    values = {key: program.constants.value(expr, scope) for key, expr in expressions.items()}
    given = values.get("name") or values.get("task_name") or values.get("actor_name")
    if library == "taskiq" and call is not None and call.args:
        given = program.constants.value(call.args[0], scope)
    full = given if isinstance(given, str) else _default_name(function, library)
    app = _app_of(callee, apps) if library == "celery" else None
    return Task(function, library, full, values, expressions, app, function.module.location(decorator))


def _library_of(program: Program, callee: ir.Expr, scope: Scope) -> str | None:
    name = last_name(callee)
    found = list(origins(program, callee, scope))
    for of in found:
        if of.package in _PACKAGES:
            return "taskiq" if of.package.startswith("taskiq") else of.package
    if any(of.package for of in found):
        return None
    if name != "task":
        return _DECORATORS[name]
    receiver = last_name(callee.value).lower() if isinstance(callee, ir.Attribute) else ""
    if not any(word in receiver for word in _APP_WORDS):
        return None
    return "taskiq" if "broker" in receiver else "huey" if "huey" in receiver else "celery"


def _default_name(function: Function, library: str) -> str:
    if library in ("dramatiq", "arq", "rq"):
        return function.name
    return (
        f"{function.module.name}:{function.name}"
        if library == "taskiq"
        else f"{function.module.name}.{function.name}"
    )


def _app_of(callee: ir.Expr, apps: tuple[CeleryApp, ...]) -> CeleryApp | None:
    if len(apps) == 1:
        return apps[0]
    variable = last_name(callee.value) if isinstance(callee, ir.Attribute) else ""
    return next((app for app in apps if app.variable == variable and variable), None)


def _class_task(program: Program, cls: Class, apps: tuple[CeleryApp, ...]) -> Task:
    expressions = {
        name: bindings[-1].value
        for name, bindings in cls.facts.bindings.items()
        if bindings[-1].kind in ("assign", "annotated") and bindings[-1].value is not None
    }
    values = {name: program.constants.value(expr, cls) for name, expr in expressions.items()}
    given = values.get("name")
    name = given if isinstance(given, str) else cls.full_name
    return Task(
        cls.methods["run"],
        "celery",
        name,
        values,
        expressions,
        apps[0] if len(apps) == 1 else None,
        cls.location(),
    )


def _arq_tasks(program: Program, cls: Class) -> Iterator[Task]:
    for attribute in ("functions", "cron_jobs"):
        bound = cls.facts.bindings.get(attribute)
        for expr in listed(program, bound[-1].value if bound else None, cls):
            inner = expr
            expressions: dict[str, ir.Expr] = {}
            if isinstance(expr, ir.Call) and expr.args:
                inner = expr.args[0]
                expressions = {k.arg: k.value for k in expr.keywords if k.arg is not None}
            function = _function(program, inner, cls)
            if function is not None:
                values = {key: program.constants.value(each, cls) for key, each in expressions.items()}
                given = values.get("name")
                name = given if isinstance(given, str) else function.name
                yield Task(function, "arq", name, values, expressions, None, cls.location(expr))


def _function(program: Program, expr: ir.Expr | None, scope: Scope) -> Function | None:
    for of in options(program.inference.type_of(expr, scope)):
        if isinstance(of, FunctionRef):
            return of.function
    return None


# ── sending ─────────────────────────────────────────────────────────────────────────────────────────────────


class _Enqueues:
    """Finds where tasks are sent."""

    def __init__(self, program: Program, tasks: tuple[Task, ...]) -> None:
        self.program = program
        self.by_function = {id(task.function): task for task in tasks}
        self.by_class = {id(task.function.owner): task for task in tasks if task.function.owner is not None}
        self.by_name: dict[str, list[Task]] = {}
        self.by_full_name: dict[str, Task] = {}
        for task in tasks:
            self.by_name.setdefault(task.function.name, []).append(task)
            self.by_full_name.setdefault(task.name, task)

    def find(self) -> tuple[EnqueueSite, ...]:
        found: list[EnqueueSite] = []
        methods = (*_SENDS, *_SIGNATURES) if self.by_function else _WITHOUT_TASK
        for method in methods:
            for site in self.program.call_sites_named(method):
                found += self._of_method(site, method)
        for method in _BY_NAME:
            found += [self._of_name(site, method) for site in self.program.call_sites_named(method)]
        for site in self.program.call_sites_named("enqueue"):
            each = self._rq(site)
            if each is not None:
                found.append(each)
        for site in self.program.call_sites_named("add_task"):
            each = self._background(site)
            if each is not None:
                found.append(each)
        return tuple(sorted(found, key=lambda each: (each.location, each.kind)))

    def _tasks(self, expr: ir.Expr, scope: Scope) -> list[Task]:
        """The tasks that an expression may be: by type, else by a name that only one task has."""
        types = list(options(self.program.inference.type_of(expr, scope)))
        found: dict[int, Task] = {}
        for of in types:
            key = id(of.function) if isinstance(of, FunctionRef) else 0
            task = self.by_function.get(key)
            if isinstance(of, Instance) and isinstance(of.cls, Class):
                task = self.by_class.get(id(of.cls))
            if task is not None:
                found[id(task)] = task
        if not found and isinstance(expr, ir.Subscript):
            # `TASK_OF[kind].delay(...)`: any task in the table.
            table, where = self.program.inference.expand(expr.value, scope)
            for value in table.values if isinstance(table, ir.Dict) else ():
                found |= {id(task): task for task in self._tasks(value, where)}
        named = self.by_name.get(last_name(expr), [])
        return list(found.values()) or (named if len(named) == 1 and not types else [])

    def _of_method(self, site: Site, method: str) -> Iterator[EnqueueSite]:
        func = site.node.func
        if not isinstance(func, ir.Attribute):
            return
        tasks: list[Task | None] = list(self._tasks(func.value, site.scope))
        if not tasks:
            if method not in _WITHOUT_TASK or not self._may_be_task(func.value, site.scope):
                return
            tasks = [None]
        args: tuple[ir.Expr, ...] = tuple(site.node.args)
        keywords = {k.arg: k.value for k in site.node.keywords if k.arg is not None}
        sent: dict[str, ir.Expr] = {}
        if method in ("apply_async", "send_with_options", "signature", "subtask"):
            args, keywords, sent = self._unpacked(site, 0)
        for task in tasks:
            yield self._site(_SENDS.get(method, "signature"), site, task, None, args, keywords, sent)

    def _may_be_task(self, expr: ir.Expr, scope: Scope) -> bool:
        """Nothing says that it is something else: an unresolved import, or a signature."""
        types = list(options(self.program.inference.type_of(expr, scope)))
        return not types or any(getattr(of, "name", "").startswith(("celery.", "taskiq.")) for of in types)

    def _unpacked(
        self, site: Site, first: int
    ) -> tuple[tuple[ir.Expr, ...], dict[str, ir.Expr], dict[str, ir.Expr]]:
        """Arguments of `apply_async(args, kwargs, **options)`, with the options."""
        positional = argument(site.node, first, "args")
        named = argument(site.node, first + 1, "kwargs")
        args = tuple(positional.elts) if isinstance(positional, ir.Sequence) else ()
        keywords: dict[str, ir.Expr] = {}
        if isinstance(named, ir.Dict):
            for key, value in zip(named.keys, named.values, strict=True):
                if isinstance(key, ir.Constant) and isinstance(key.value, str):
                    keywords[key.value] = value
        sent = {
            k.arg: k.value
            for k in site.node.keywords
            if k.arg is not None and k.arg not in ("args", "kwargs")
        }
        return args, keywords, sent

    def _of_name(self, site: Site, method: str) -> EnqueueSite:
        name = self.program.constants.string(argument(site.node, 0, "name"), site.scope)
        task = self.by_full_name.get(name or "")
        if task is None and name is not None:
            named = self.by_name.get(name.rpartition(".")[2], [])
            task = named[0] if len(named) == 1 else None
        if method == "send_task":
            args, keywords, sent = self._unpacked(site, 1)
        else:
            args = tuple(site.node.args[1:])
            given = {k.arg: k.value for k in site.node.keywords if k.arg is not None}
            keywords = {key: value for key, value in given.items() if key not in _SEND_OPTIONS}
            sent = {key: value for key, value in given.items() if key in _SEND_OPTIONS}
        return self._site(method, site, task, name, args, keywords, sent)

    def _rq(self, site: Site) -> EnqueueSite | None:
        """`queue.enqueue(function, *args)`."""
        target = argument(site.node, 0, "f")
        function = _function(self.program, target, site.scope)
        if function is None:
            return None
        given = {k.arg: k.value for k in site.node.keywords if k.arg is not None and k.arg != "f"}
        sent = {key: value for key, value in given.items() if key in _SEND_OPTIONS}
        keywords = {key: value for key, value in given.items() if key not in _SEND_OPTIONS}
        task = self.by_function.get(id(function))
        return self._site("enqueue", site, task, None, tuple(site.node.args[1:]), keywords, sent, function)

    def _background(self, site: Site) -> EnqueueSite | None:
        """`background_tasks.add_task(function, *args)` of FastAPI and Starlette."""
        func = site.node.func
        if not isinstance(func, ir.Attribute):
            return None
        types = [
            getattr(of, "name", "") for of in options(self.program.inference.type_of(func.value, site.scope))
        ]
        known = any(name.rpartition(".")[2] in ("BackgroundTasks", "BackgroundTask") for name in types)
        if not known and (types or "background" not in last_name(func.value).lower()):
            return None
        function = _function(self.program, argument(site.node, 0, "func"), site.scope)
        keywords = {k.arg: k.value for k in site.node.keywords if k.arg is not None and k.arg != "func"}
        task = self.by_function.get(id(function)) if function is not None else None
        return self._site("background", site, task, None, tuple(site.node.args[1:]), keywords, {}, function)

    def _site(
        self,
        kind: str,
        site: Site,
        task: Task | None,
        name: str | None,
        args: tuple[ir.Expr, ...],
        keywords: dict[str, ir.Expr],
        sent: dict[str, ir.Expr],
        function: Function | None = None,
    ) -> EnqueueSite:
        return EnqueueSite(
            kind=kind,
            task=task,
            function=function or (task.function if task is not None else None),
            task_name=name or (task.name if task is not None else None),
            args=args,
            keywords=keywords,
            options=sent,
            caller=site.scope if isinstance(site.scope, Function) else None,
            site=site,
            location=site.scope.location(site.node),
        )


# ── schedules ───────────────────────────────────────────────────────────────────────────────────────────────


def _schedules(program: Program, apps: tuple[CeleryApp, ...], tasks: tuple[Task, ...]) -> Iterator[Schedule]:
    by_name = {task.name: task for task in tasks}
    by_function = {id(task.function): task for task in tasks}
    for app in apps:
        setting = app.settings.get("beat_schedule")
        if setting is None:
            continue
        table, scope = program.inference.expand(setting.expression, setting.scope)
        if not isinstance(table, ir.Dict):
            continue
        for key, value in zip(table.keys, table.values, strict=True):
            entry = _entry(program, value, scope)
            said = program.constants.value(entry.get("task"), scope)
            task_name = said if isinstance(said, str) else None
            label = program.constants.string(key, scope) or ""
            task = by_name.get(task_name or "")
            yield Schedule(label, task_name, task, entry.get("schedule"), scope.location(value))
    for site in program.call_sites_named("add_periodic_task"):
        signature = argument(site.node, 1, "sig")
        target = (
            signature.func.value
            if isinstance(signature, ir.Call) and isinstance(signature.func, ir.Attribute)
            else None
        )
        function = _function(program, target, site.scope)
        task = by_function.get(id(function)) if function is not None else None
        name = program.constants.string(keyword(site.node, "name"), site.scope) or ""
        where = site.scope.location(site.node)
        yield Schedule(name, task.name if task else None, task, argument(site.node, 0, "schedule"), where)


def _entry(program: Program, value: ir.Expr, scope: Scope) -> dict[str, ir.Expr]:
    if not isinstance(value, ir.Dict):
        return {}
    pairs = zip(value.keys, value.values, strict=True)
    return {name: item for key, item in pairs if (name := program.constants.string(key, scope)) is not None}
