"""Configuration is read where it is used, past the settings that check it.

`os.environ["MAIL_HOST"]` in a handler fails at the first request that needs it instead of at start, has no type and no
place in the list of what can be configured; a test has to patch the environment of the whole process. Settings that a
request makes anew read the environment and the `.env` file each time, and settings that a request changes are changed in
one process of several.

Known limits: variables of the platform (`HOME`, `HOSTNAME`, `KUBERNETES_SERVICE_HOST` ...) are left out, and so are scripts
and command lines. Addresses written into the code are reported only where they lead to the developer's own machine.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from fastapi_architect.analyses.layers import layers
from fastapi_architect.analyses.module_imports import module_imports
from fastapi_architect.appgraph.settings import EnvironmentVariable, SettingsInstance
from fastapi_architect.concepts.http import OutboundRequest
from fastapi_architect.program.definitions import all_functions
from fastapi_architect.rules.kit import (
    AppGraph,
    Application,
    Confidence,
    Finding,
    Function,
    Instance,
    Module,
    Proof,
    Rule,
    Severity,
    Site,
    dotted_name,
    first_route,
    ir,
    lazy_pattern,
    options,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "Configuration is read outside the settings",
    severity=Severity.MINOR,
    cwe=1052,
    references=(
        "https://fastapi.tiangolo.com/advanced/settings/",
        "https://docs.pydantic.dev/latest/concepts/pydantic_settings/",
        "https://12factor.net/config",
    ),
    requires=("pydantic-settings",),
)

_SHOWN = 6
#: A few reads at import in one other module are no habit yet.
_SCATTERED_MODULES = 2
_PLATFORM = lazy_pattern(
    r"HOME|PATH|PWD|USER|LOGNAME|HOSTNAME|SHELL|TERM|TZ|LANG|LC_\w+|TMP(DIR)?|TEMP|NO_COLOR|COLUMNS|EDITOR|DISPLAY|CI|"
    r"PYTEST_\w+|PYTHON\w*|KUBERNETES_\w+|POD_\w+|AWS_LAMBDA_\w+|AWS_EXECUTION_ENV|K_SERVICE|DYNO|GITHUB_\w+|VIRTUAL_ENV"
)
_BESIDE = lazy_pattern(
    r"(^|/)(\.[^/]+|scripts?|tools?|bin|cli|commands?|management|docs?|benchmarks?|deploy(ment)?|alembic|migrations?|evals?)/|"
    r"(^|/)(conftest|setup|noxfile|manage|cli|__main__|gunicorn[^/]*|celery_?config|logging_?config)\.py$"
)
_KEEPING = ("lru_cache", "cache", "alru_cache", "cached_property")
_OWN_MACHINE = lazy_pattern(r"https?://(localhost|127\.0\.0\.1|0\.0\.0\.0|host\.docker\.internal)([:/]|$)")


# ── variables ───────────────────────────────────────────────────────────────────────────────────────────────


@rule.check(per=AppGraph)
def variable_read_by_a_request(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    by_file: dict[str, list[EnvironmentVariable]] = defaultdict(list)
    for variable in graph.settings.variables:
        if (
            _is_ours(variable, graph)
            and variable.function is not None
            and _is_request_code(variable.function, graph)
        ):
            by_file[variable.location.path].append(variable)
    for variables in by_file.values():
        first = variables[0]
        function = first.function
        assert function is not None
        more = f" ({len(variables)} such reads in this file)" if len(variables) > 1 else ""
        fails = (
            "fails there when it is not set" if first.required else "gets text, or None when it is not set"
        )
        yield rule.at(
            first,
            f"`{function.name}` reads `{first.name}` from the environment while it answers a request{more}, and {fails}.",
            _suggestion(first, graph),
            reasoning="Read once into typed settings, a missing or malformed value stops the start instead of a request, and "
            "a test gives another value by an argument.",
            exploit=f"The service starts without `{first.name}`, and the first call of "
            f"{first_route(graph.entries(function), function.name)} {'fails' if first.required else 'goes on without a value'}.",
            confidence=Confidence.FIRM,
            trace=steps(*((v, f"`{v.name}` is read here, too") for v in variables[1 : 1 + _SHOWN])),
            routes=routes_of(graph.entries(function)),
        )


@rule.check(per=Application)
def variables_scattered_over_modules(application: Application, graph: AppGraph) -> Iterator[Finding]:
    settings = [c for c in graph.settings.classes if c.cls.module.root == application.scope.module.root]
    if not settings or application.mounted:
        return
    reached = module_imports(graph).reached_from([application.scope.module])
    found = [
        v
        for v in graph.settings.variables
        if v.at_import and v.location.path in reached and _is_ours(v, graph)
    ]
    modules = {v.location.path for v in found}
    if len(modules) < _SCATTERED_MODULES:
        return
    first = found[0]
    name = settings[0].name
    yield rule.at(
        first,
        f"{len(found)} variables are read at import in {len(modules)} modules, past `{name}`: `{first.name}` is the first.",
        _suggestion(first, graph),
        reasoning=f"What `{name}` holds is checked at start and listed in one place; what modules read by themselves is not, "
        "and is fixed by the time a test could set it.",
        exploit=f"A deployment lacks `{first.name}`: no list of settings names it, and the service starts.",
        confidence=Confidence.FIRM,
        trace=steps(*((v, f"`{v.name}` is read here, too") for v in found[1 : 1 + _SHOWN])),
    )


def _is_ours(variable: EnvironmentVariable, graph: AppGraph) -> bool:
    module = graph.program.modules[variable.location.path]
    if variable.name is None or _PLATFORM.fullmatch(variable.name) or variable.owner is not None:
        return False
    return module.kind == "source" and not _BESIDE.search(module.path) and not _is_settings(module, graph)


def _is_settings(module: Module, graph: AppGraph) -> bool:
    return layers(graph).of(module) == "settings" or any(
        s.cls.module is module for s in graph.settings.classes
    )


def _is_request_code(function: Function, graph: AppGraph) -> bool:
    if _runs_once(function) or function.name == "__init__":
        return False  # `__init__`: as a rule of something made at start
    callers = [site.scope for site in graph.program.calls.callers(function)]
    if callers and all(not isinstance(c, Function) or _runs_once(c) for c in callers):
        return bool(graph.operations_running(function))
    return bool(graph.entries(function))


def _runs_once(function: Function) -> bool:
    """Its result is kept, by a decorator or in a global."""
    return any(function.has_decorator(name) for name in _KEEPING) or _keeps_it(function)


def _suggestion(variable: EnvironmentVariable, graph: AppGraph) -> str:
    name = (variable.name or "name").lower()
    if not name.isidentifier():
        name = "name"
    cls = graph.settings.classes[0].name if graph.settings.classes else "Settings"
    default = "" if variable.required or not isinstance(variable.value, str) else f' = "{variable.value}"'
    if '"' in default[4:-1] or "\\" in default or "\n" in default or variable.is_secret:
        default = ""
    return (
        f"Consider a field of the settings, read once at start:\n```python\nclass {cls}(BaseSettings):\n"
        f"    {name}: str{default}\n\n\nsettings = {cls}()\n\nsettings.{name}\n```"
    )


# ── settings made or changed by requests ────────────────────────────────────────────────────────────────────


@rule.check(per=AppGraph)
def settings_made_by_a_request(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    made: dict[int, list[SettingsInstance]] = defaultdict(list)
    for instance in graph.settings.instances:
        function = instance.function
        if function is None or instance.is_cached or instance.overrides or function.module.kind != "source":
            continue
        if _is_request_code(function, graph):
            made[id(function)].append(instance)
    for instances in made.values():
        function = instances[0].function
        assert function is not None
        cls = instances[0].cls.name
        yield rule.at(
            instances[0],
            f"`{function.name}` makes `{cls}` anew for every request, and reads the environment and its files each time.",
            f"Consider making them once:\n```python\n@lru_cache\ndef get_settings() -> {cls}:\n    return {cls}()\n```",
            reasoning="Settings do not change while the process runs; a cached function can still be replaced in tests with "
            "`dependency_overrides`.",
            exploit=f"A hundred calls of {first_route(graph.entries(function), function.name)} make `{cls}` a hundred times.",
            confidence=Confidence.FIRM,
            routes=routes_of(graph.entries(function)),
        )


def _keeps_it(function: Function) -> bool:
    """A singleton made at its first use: `global settings`, or an attribute of a class."""
    return bool(function.facts.is_global) or function.name in ("__new__", "instance", "get_instance")


@rule.check(per=AppGraph)
def settings_changed_by_a_request(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    classes = {id(each.cls) for each in graph.settings.classes}
    names = {each.variable for each in graph.settings.instances} - {""}
    if not classes or not names:
        return
    for module in graph.program.mentioning(*sorted(names)):
        if module.kind == "source":
            yield from _changes(module, classes, graph)


def _changes(module: Module, classes: set[int], graph: AppGraph) -> Iterator[Finding]:
    for function in all_functions(module):
        for site in function.facts.sites(ir.Assign):
            for target in site.node.targets:
                held = isinstance(target, ir.Attribute) and _holds_settings(
                    target.value, function, classes, graph
                )
                if held and _is_request_code(function, graph):
                    yield _changed(site, target, function, graph)


def _changed(site: Site, target: ir.Expr, function: Function, graph: AppGraph) -> Finding:
    return rule.at(
        site,
        f"`{function.name}` changes `{dotted_name(target)}` while it answers a request: only in this process, and until it "
        "restarts.",
        "Consider keeping what changes at run time in the database, and the settings frozen:\n```python\n"
        "class Settings(BaseSettings):\n    model_config = SettingsConfigDict(frozen=True)\n```",
        reasoning="Every server process has settings of its own; after this request they differ.",
        exploit=f"After {first_route(graph.entries(function), function.name)}, one process has another "
        f"`{dotted_name(target)}` than the others.",
        confidence=Confidence.FIRM,
        routes=routes_of(graph.entries(function)),
    )


def _holds_settings(expr: ir.Expr, function: Function, classes: set[int], graph: AppGraph) -> bool:
    found = options(graph.program.inference.type_of(expr, function))
    return any(isinstance(of, Instance) and id(of.cls) in classes for of in found)


# ── addresses ───────────────────────────────────────────────────────────────────────────────────────────────


@rule.check(per=OutboundRequest)
def address_of_the_own_machine(request: OutboundRequest, graph: AppGraph) -> Iterator[Finding]:
    function = request.function
    if function is None or function.module.kind != "source" or request.url is None:
        return
    text = _literal(request.url)
    if not _OWN_MACHINE.match(text) or not _is_request_code(function, graph):
        return
    host = "/".join(text.split("/")[:3])
    yield rule.at(
        request,
        f"`{function.name}` calls `{host}`, an address that holds only on the developer's machine.",
        "Consider a setting for it:\n```python\nclass Settings(BaseSettings):\n"
        f'    service_url: str = "{host}"\n```',
        reasoning="Inside a container `localhost` is the container itself; in another environment the service is elsewhere.",
        exploit=f"In a container, {first_route(graph.entries(function), function.name)} cannot reach `{host}`: nothing listens there.",
        confidence=Confidence.FIRM,
        routes=routes_of(graph.entries(function)),
    )


def _literal(expr: ir.Expr) -> str:
    """The text that an address starts with, when it is written in the call."""
    parts: Iterable[ir.Expr] = expr.values if isinstance(expr, ir.JoinedStr) else (expr,)
    first = next(iter(parts), None)
    return first.value if isinstance(first, ir.Constant) and isinstance(first.value, str) else ""


rule.bad = """
    import os

    from fastapi import FastAPI

    app = FastAPI()


    @app.get("/support")
    def read_support_address() -> dict[str, str]:
        return {"address": f"help@{os.environ['MAIL_DOMAIN']}"}  # finding: config-read-outside-settings
"""

rule.good = """
    from fastapi import FastAPI
    from pydantic_settings import BaseSettings


    class Settings(BaseSettings):
        mail_domain: str = "bookshop.example"


    settings = Settings()
    app = FastAPI()


    @app.get("/support")
    def read_support_address() -> dict[str, str]:
        return {"address": f"help@{settings.mail_domain}"}
"""


@rule.symptom
def a_request_meets_the_missing_variable(proof: Proof) -> None:
    """The application starts without the variable, and the first request that needs it is answered with a 500."""
    assert proof.client.get("/support").status_code == 500
    assert any("MAIL_DOMAIN" in error for error in proof.server_errors)
