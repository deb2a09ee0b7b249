"""Celery applications and their configuration, from the many places where it is written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from fastapi_architect.appgraph.database import assigned_name
from fastapi_architect.appgraph.declarations import elements, keyword, origin
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.constants import UNKNOWN
from fastapi_architect.program.definitions import Class, Function, Module, Scope, dotted_name, last_name
from fastapi_architect.program.facts import Site
from fastapi_architect.program.program import Program
from fastapi_architect.program.types import ClassRef, Instance, ModuleRef, options
from fastapi_architect.source.location import Location
from fastapi_architect.syntax import ir

#: Names of Celery 3 to today's.
_OLD_NAMES = {
    "BROKER_URL": "broker_url",
    "BROKER_TRANSPORT_OPTIONS": "broker_transport_options",
    "CELERY_RESULT_BACKEND": "result_backend",
    "CELERY_ACCEPT_CONTENT": "accept_content",
    "CELERY_TASK_SERIALIZER": "task_serializer",
    "CELERY_RESULT_SERIALIZER": "result_serializer",
    "CELERY_EVENT_SERIALIZER": "event_serializer",
    "CELERY_ACKS_LATE": "task_acks_late",
    "CELERY_ALWAYS_EAGER": "task_always_eager",
    "CELERY_TASK_ALWAYS_EAGER": "task_always_eager",
    "CELERY_TASK_RESULT_EXPIRES": "result_expires",
    "CELERY_IGNORE_RESULT": "task_ignore_result",
    "CELERY_TIMEZONE": "timezone",
    "CELERY_ENABLE_UTC": "enable_utc",
    "CELERYD_TASK_TIME_LIMIT": "task_time_limit",
    "CELERYD_TASK_SOFT_TIME_LIMIT": "task_soft_time_limit",
    "CELERYD_PREFETCH_MULTIPLIER": "worker_prefetch_multiplier",
    "CELERYD_CONCURRENCY": "worker_concurrency",
    "CELERYD_MAX_TASKS_PER_CHILD": "worker_max_tasks_per_child",
    "CELERYBEAT_SCHEDULE": "beat_schedule",
    "CELERY_IMPORTS": "imports",
    "CELERY_INCLUDE": "include",
}
_CONSTRUCTOR = {"broker": "broker_url", "backend": "result_backend", "include": "include"}


class CelerySetting(msgspec.Struct, frozen=True):
    """One setting.

    Attributes:
        value: constant, or `UNKNOWN`.
        expression: as written.
        scope: where to read it.
        location: where.
    """

    value: Any
    expression: ir.Expr
    scope: Scope
    location: Location


class CeleryApp(msgspec.Struct, frozen=True):
    """One `Celery(...)`.

    Attributes:
        main: name given to it, "" when none.
        variable: name it is assigned to, "" when none.
        settings: name in today's spelling to setting; the last one written wins.
        site: the call.
        location: where.
    """

    main: str
    variable: str
    settings: dict[str, CelerySetting]
    site: Site
    location: Location

    def value(self, name: str) -> Any:
        """A setting's constant, None when it is not set, `UNKNOWN` when it is not a constant."""
        found = self.settings.get(name)
        return found.value if found is not None else None

    @property
    def broker_scheme(self) -> str:
        """redis, amqp, sqs, ... of the broker's URL; "" when not known."""
        return self._scheme("broker_url")

    @property
    def backend_scheme(self) -> str:
        """Likewise of the result backend."""
        return self._scheme("result_backend")

    def _scheme(self, name: str) -> str:
        found = self.settings.get(name)
        if found is None:
            return ""
        value = found.value
        if isinstance(value, str):
            return value.partition("://")[0].split("+")[0]
        # `settings.REDIS_URL`, f"redis://{host}": the words tell.
        expression = found.expression
        if (
            isinstance(expression, ir.JoinedStr)
            and expression.values
            and isinstance(expression.values[0], ir.Constant)
        ):
            return str(expression.values[0].value).partition("://")[0]
        words = dotted_name(expression).lower()
        return "redis" if "redis" in words else "amqp" if "rabbit" in words or "amqp" in words else ""

    @property
    def visibility_timeout(self) -> int | None:
        """Seconds after which an unacknowledged message is delivered again; None when not set or not
        known.
        """
        table = self.value("broker_transport_options")
        value = table.get("visibility_timeout") if isinstance(table, dict) else None
        return value if isinstance(value, int) else None


def find_celery_apps(program: Program) -> tuple[CeleryApp, ...]:
    """Every Celery application, in order of files."""
    found = []
    sites = [
        s
        for s in program.call_sites_named("Celery")
        if origin(program, s.node.func, s.scope).is_one_of("celery", "Celery")
    ]
    variables = {assigned_name(site) for site in sites} - {""}
    later = list(_configuration(program, variables)) if sites else []
    for site in sites:
        entries = list(_of_constructor(program, site))
        entries += [(name, expr, scope) for app, name, expr, scope in later if _same_app(app, site, sites)]
        settings = {}
        for name, expr, scope in entries:
            settings[name] = CelerySetting(
                program.constants.value(expr, scope), expr, scope, scope.location(expr)
            )
        main = program.constants.string(argument(site.node, 0, "main"), site.scope) or ""
        found.append(CeleryApp(main, assigned_name(site), settings, site, site.scope.location(site.node)))
    return tuple(found)


def _same_app(variable: str, site: Site, sites: list[Site]) -> bool:
    return len(sites) == 1 or variable == assigned_name(site)


_Entry = tuple[str, ir.Expr, Scope]


def _of_constructor(program: Program, site: Site) -> Iterator[_Entry]:
    for each in site.node.keywords:
        if each.arg is not None and each.arg not in ("main", "config_source"):
            yield _CONSTRUCTOR.get(each.arg, each.arg), each.value, site.scope
    if len(site.node.args) > 2:  # Celery(main, loader, backend, ...)
        yield "result_backend", site.node.args[2], site.scope
    source = keyword(site.node, "config_source")
    if source is not None:
        yield from _of_object(program, source, site.scope, "")


def _configuration(program: Program, variables: set[str]) -> Iterator[tuple[str, str, ir.Expr, Scope]]:
    """(application's variable, setting, expression, scope) of everything written outside of the
    constructor.
    """
    for module in program.mentioning("conf", "config_from_object"):
        if not any(module.mentions(variable) for variable in variables) and not module.mentions("celery"):
            continue
        scopes: list[Scope] = [module, *module.functions, *(m for c in module.classes for m in c.functions)]
        for scope in scopes:
            yield from _updates(program, scope)
            yield from _assignments(program, scope)


def _updates(program: Program, scope: Scope) -> Iterator[tuple[str, str, ir.Expr, Scope]]:
    if isinstance(scope, Function) and not {"update", "config_from_object"} & set(scope.node.called):
        return
    for site in scope.facts.calls_named("update", "config_from_object"):
        func = site.node.func
        if not isinstance(func, ir.Attribute):
            continue
        if func.attr == "update":
            variable = _configured(program, func.value, scope)
            if variable is None:
                continue
            for each in site.node.keywords:
                if each.arg is not None:
                    yield variable, canonical_setting(each.arg), each.value, scope
            for table in site.node.args:
                for name, expr, where in _of_table(program, table, scope):
                    yield variable, name, expr, where
        elif _is_celery(program, func.value, scope):
            namespace = program.constants.string(keyword(site.node, "namespace"), scope) or ""
            source = argument(site.node, 0, "obj")
            if source is not None:
                for name, expr, where in _of_object(program, source, scope, namespace):
                    yield last_name(func.value), name, expr, where


def _assignments(program: Program, scope: Scope) -> Iterator[tuple[str, str, ir.Expr, Scope]]:
    if isinstance(scope, Function) and not scope.module.mentions("conf"):
        return
    for site in scope.facts.sites(ir.Assign):
        for target in site.node.targets:
            holder, name = None, None
            if isinstance(target, ir.Attribute):
                holder, name = target.value, target.attr
            elif isinstance(target, ir.Subscript):
                holder, name = target.value, program.constants.string(target.slice, scope)
            variable = _configured(program, holder, scope) if holder is not None and name else None
            if variable is not None and name is not None:
                yield variable, canonical_setting(name), site.node.value, scope


def _configured(program: Program, expr: ir.Expr, scope: Scope) -> str | None:
    """`app` for `app.conf` of a Celery application, None for anything else."""
    if isinstance(expr, ir.Attribute) and expr.attr == "conf" and _is_celery(program, expr.value, scope):
        return last_name(expr.value)
    return None


def _is_celery(program: Program, expr: ir.Expr, scope: Scope) -> bool:
    known = list(options(program.inference.type_of(expr, scope)))
    if known:
        return any(isinstance(o, Instance) and o.name.rpartition(".")[2] == "Celery" for o in known)
    name = last_name(expr).lower()
    return "celery" in name or name in ("app", "worker")


def _of_table(program: Program, expr: ir.Expr, scope: Scope) -> Iterator[_Entry]:
    table, where = program.inference.expand(expr, scope)
    if isinstance(table, ir.Call):
        for each in table.keywords:
            if each.arg is not None:
                yield canonical_setting(each.arg), each.value, where
    if isinstance(table, ir.Dict):
        for key, value in zip(table.keys, table.values, strict=True):
            name = program.constants.string(key, where) if key is not None else None
            if name is not None:
                yield canonical_setting(name), value, where


def _of_object(program: Program, expr: ir.Expr, scope: Scope, namespace: str) -> Iterator[_Entry]:
    """Settings of a module or class: `config_from_object("app.celeryconfig")`."""
    holder = _holder(program, expr, scope)
    if holder is None:
        return
    prefix = f"{namespace}_" if namespace else ""
    for name, bindings in holder.facts.bindings.items():
        last = bindings[-1]
        if last.kind not in ("assign", "annotated") or last.value is None or name.startswith("_"):
            continue
        if prefix and not name.upper().startswith(prefix.upper()):
            continue
        # With a namespace `CELERY_TASK_SERIALIZER` is `task_serializer`, without one the old name of it.
        yield canonical_setting(name[len(prefix) :] if prefix else name), last.value, holder


def _holder(program: Program, expr: ir.Expr, scope: Scope) -> Module | Class | None:
    text = program.constants.string(expr, scope)
    if text is not None:
        dotted = text.replace(":", ".")
        module = program.module_named(dotted) or program.module_of(scope.module, dotted)
        if isinstance(module, Module):
            return module
        head, _, last = dotted.rpartition(".")
        parent = program.module_named(head) or (program.module_of(scope.module, head) if head else None)
        if isinstance(parent, Module):
            return next((c for c in parent.classes if c.name == last), None)
        return None
    for of in options(program.inference.type_of(expr, scope)):
        if isinstance(of, ModuleRef) and isinstance(of.module, Module):
            return of.module
        if isinstance(of, ClassRef | Instance) and isinstance(of.cls, Class):
            return of.cls
    return None


def canonical_setting(name: str) -> str:
    """Today's spelling of a setting's name."""
    if name in _OLD_NAMES:
        return _OLD_NAMES[name]
    return name.lower() if name.isupper() else name


def listed(program: Program, expr: ir.Expr | None, scope: Scope) -> tuple[ir.Expr, ...]:
    """Elements of a list given directly or by name."""
    if expr is None:
        return ()
    inner, _ = program.inference.expand(expr, scope)
    return tuple(elements(inner)) if isinstance(inner, ir.Sequence) else ()


def is_known(value: Any) -> bool:
    """The value is a constant that is set."""
    return value is not None and value is not UNKNOWN
