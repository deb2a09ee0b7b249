"""A switch in the code turns authentication off.

A guard that returns early in a debug or test setting, in every environment but production, or for one magic token
is open as soon as the setting is wrong in one deployment, or the token is read in the code.

A function that is asked about the caller or the path (`bypass_filter(user)`, `should_skip(request.url.path)`) is no
switch, unless it reads one, and neither is one behind another dependency that has refused strangers before.

A switch that is off by default is tentative: it may be meant for development, and known to those who deploy.

Known limits: a setting that a validator forbids in production is trusted. Switches in test packages are not looked
at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from fastapi_architect.analyses.surroundings import behind, nodes_of
from fastapi_architect.analyses.switch_defaults import holds_by_default
from fastapi_architect.appgraph.dependencies import Dependency
from fastapi_architect.appgraph.security import AccessLevel
from fastapi_architect.rules.kit import (
    AppGraph,
    Class,
    Confidence,
    Context,
    Finding,
    Function,
    PathOperation,
    Proof,
    Rule,
    Severity,
    Site,
    ir,
    last_name,
    lazy_pattern,
    names_in,
    options,
    routes_of,
    steps,
    walk,
)

rule = Rule(
    __name__,
    "A switch turns authentication off",
    severity=Severity.CRITICAL,
    cwe=489,
    cvss="AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:N",
    references=(
        "https://owasp.org/www-project-application-security-verification-standard/",
        "https://fastapi.tiangolo.com/advanced/testing-dependencies/",
    ),
)

_SWITCH = lazy_pattern(
    r"debug|test(ing|_mode|s)?$|^(is_)?test|(^|_)dev(elopment|_mode)?($|_)|local_?mode|skip|bypass|disable|no_?auth|"
    r"auth\w*_?(enabled|disabled|off)|(require|enable|use|enforce|with)_?auth|mock|fake|insecure|allow_anonymous",
    re.IGNORECASE,
)
_ENVIRONMENT = lazy_pattern(r"(^|_)env(ironment)?$|^stage$|app_env|deployment|dev_mode", re.IGNORECASE)
_NOT_PRODUCTION = lazy_pattern(
    r"^(dev|develop|development|test|testing|tests|local|debug|ci|sandbox|prod|production)$", re.IGNORECASE
)
_TOKEN = lazy_pattern(r"token|key|secret|header|authorization|credential|password", re.IGNORECASE)
_COLLECTIONS = frozenset(f"builtins.{name}" for name in ("list", "tuple", "set", "frozenset", "dict"))
_PLACEHOLDER = lazy_pattern(r"^(|bearer|basic|null|undefined|none|token)$", re.IGNORECASE)


@rule.check(per=AppGraph)
def switch_in_a_guard(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    for function, operations in _guards(graph).values():
        for site in (*function.facts.sites(ir.If), *function.facts.sites(ir.IfExp)):
            switch = _switch(site, function, graph)
            if switch is not None:
                yield _finding(function, site, switch, operations, graph)


def _guards(graph: AppGraph) -> dict[int, tuple[Function, list[PathOperation]]]:
    """Functions that authenticate or authorise, each with the operations it stands before."""
    found: dict[int, tuple[Function, list[PathOperation]]] = {}
    harmless: set[tuple[int, int]] = set()
    for operation in graph.operations:
        for dependency in operation.all_dependencies():
            function = dependency.function
            if function is None:
                continue
            known = found.get(id(function))
            if known is None:
                key = (id(function), id(dependency.creation[0]) if dependency.creation is not None else 0)
                if key in harmless:
                    continue
                guard = graph.guards.of_dependency(dependency)
                asks = guard is not None and guard.level >= AccessLevel.USER
                if function.module.kind != "source" or not asks or _is_behind_a_guard(dependency, graph):
                    harmless.add(key)
                    continue
                known = found[id(function)] = (function, [])
            known[1].append(operation)
    for application in graph.applications:
        for middleware in application.middleware:
            function = middleware.function
            if function is not None and graph.guards.of_middleware(middleware) is not None:
                found.setdefault(id(function), (function, list(application.operations)))
    return found


def _is_behind_a_guard(dependency: Dependency, graph: AppGraph) -> bool:
    """Another dependency has refused strangers before it runs, and it asks for no more: a factory of services, for instance."""
    guard = graph.guards.of_dependency(dependency)
    for below in dependency.dependencies:
        inner = graph.guards.of_dependency(below)
        if inner is None or guard is None or below.function is None:
            continue
        if inner.level >= max(guard.level, AccessLevel.USER) and graph.guards.refuses(below.function):
            return True
    return False


def _switch(site: Site, function: Function, graph: AppGraph) -> tuple[str, str] | None:
    """The switch's name and kind (setting, environment, token) when the branch lets the caller in."""
    if site.node.__class__ is ir.IfExp:
        return None
    body = site.node.body
    if not body or not _lets_in(body[-1], graph, function) or _refuses(body, function, graph):
        return None
    if any(_answers_alike(body[-1], other) for other in _otherwise(site.node, function, graph)):
        return None
    test = site.node.test
    if any(_reads_request(n, function) for n in walk(test)):
        return _magic_token(test, function, graph)
    named = _named_switch(test, function, graph)
    if named is not None:
        return named
    read = next(
        (c for c in walk(test) if c.__class__ is ir.Call and last_name(c.func) in ("getenv", "get")), None
    )
    if isinstance(read, ir.Call):
        name = next((str(a.value) for a in read.args if a.__class__ is ir.Constant and a.kind == "str"), "")
        if _SWITCH.search(name) or (_ENVIRONMENT.search(name) and _compares_environment(test)):
            return name, "setting"
    return None


def _otherwise(node: ir.If, function: Function, graph: AppGraph) -> Iterator[ir.Stmt]:
    """What is done at once where the test is false: the end of `else`, or the statement behind the `if`."""
    if node.orelse:
        yield node.orelse[-1]
    elif not node.elifs:
        following = behind(node, function, graph)
        if following is not None:
            yield following


def _answers_alike(one: ir.Stmt, other: ir.Stmt) -> bool:
    """Both return the same constant: the test decides nothing."""
    if not isinstance(one, ir.Return) or not isinstance(other, ir.Return):
        return False
    first, second = (each.value for each in (one, other))
    values = [
        each.value if isinstance(each, ir.Constant) else ... for each in (first, second) if each is not None
    ]
    if first is None or second is None:
        return all(value is None for value in values)
    return values[0] is not ... and values[0] == values[1]


def _named_switch(test: ir.Expr, function: Function, graph: AppGraph) -> tuple[str, str] | None:
    """A setting or an environment's name that the test reads, itself or in a function that it asks about the caller."""
    asked = {
        id(c.func): c
        for c in walk(test)
        if isinstance(c, ir.Call)
        and any(_comes_from_the_caller(a, function) for a in (*c.args, *(k.value for k in c.keywords)))
    }
    for node in walk(test):
        if node.__class__ not in (ir.Name, ir.Attribute) or _is_local(node, function):
            continue
        name = last_name(node)
        call = asked.get(id(node))
        is_switch = _SWITCH.search(name) and (call is None or _reads_a_switch(call, function, graph))
        if is_switch and not _is_validated(node, function, graph):
            return name, "setting"
        if _ENVIRONMENT.search(name) and _compares_environment(test):
            return name, "environment"
    return None


def _comes_from_the_caller(given: ir.Expr, function: Function) -> bool:
    """A value of the request or of whom it is from: a parameter or local of the guard, or something read from one."""
    return any(n.__class__ is ir.Name and _is_local(n, function) for n in walk(given))


def _reads_a_switch(call: ir.Call, function: Function, graph: AppGraph) -> bool:
    """The function that is asked looks at a setting itself, beside its arguments."""
    return any(
        _is_switch_in(node, target, graph)
        for site in function.facts.calls
        if site.node is call
        for target in graph.program.calls.targets(site)
        for node in _read_in(target)
    )


def _read_in(function: Function) -> Iterator[Any]:
    """Names and attributes that a function reads; what it calls is left out."""
    called = {id(site.node.func) for site in function.facts.calls}
    for node in nodes_of(function):
        if node.__class__ in (ir.Name, ir.Attribute) and id(node) not in called:
            yield node


def _is_switch_in(node: ir.Expr, function: Function, graph: AppGraph) -> bool:
    return (
        _SWITCH.search(last_name(node)) is not None
        and not _is_local(node, function)
        and not _is_collection(node, function, graph)
        and not _is_validated(node, function, graph)
    )


def _is_collection(node: ir.Expr, function: Function, graph: AppGraph) -> bool:
    """A list of paths or names that something is looked up in."""
    types = options(graph.program.inference.type_of(node, function))
    return bool(types) and all(getattr(of, "name", "") in _COLLECTIONS for of in types)


def _lets_in(statement: ir.Stmt, graph: AppGraph, function: Function) -> bool:
    """The branch ends by returning a user, True, or what the application answers."""
    if statement.__class__ is not ir.Return:
        return False
    value = statement.value
    if value is None or (value.__class__ is ir.Constant and value.kind == "none"):
        return True
    if value.__class__ is ir.Constant and value.kind == "bool":
        return value.value is True
    del graph, function
    return not (value.__class__ is ir.Call and _status(value) >= 400)


def _status(call: ir.Call) -> int:
    for each in (*call.args, *(k.value for k in call.keywords)):
        if each.__class__ is ir.Constant and each.kind == "int" and isinstance(each.value, int):
            return each.value
        found = re.match(r"HTTP_(\d{3})_", last_name(each))
        if found:
            return int(found[1])
    return 0


def _refuses(body: Sequence[Any], function: Function, graph: AppGraph) -> bool:
    """The branch raises, or answers 401 or 403 further in: it asks for something else then, and lets few in."""
    if any(s.__class__ is ir.Raise for s in body):
        return True
    first, last = function.location(body[0]), function.location(body[-1])
    return any(
        first.line <= function.location(s.node).line <= last.end_line and graph.guards.is_refusal(s)
        for s in function.facts.sites(ir.Raise)
    )


def _is_local(node: ir.Expr, function: Function) -> bool:
    """The value comes from the caller: a parameter (of the request), or something read from one."""
    while node.__class__ is ir.Attribute:
        node = node.value
    if node.__class__ is not ir.Name:
        return True
    parameter = function.parameter(node.id)
    if parameter is not None:
        return not re.search(r"settings|config|conf$|env", node.id)
    return node.id in ("request", "websocket") or (
        node.id in function.facts.bindings and node.id not in ("settings", "config")
    )


def _reads_request(node: ir.Expr, function: Function) -> bool:
    """A credential of the caller: a parameter named like one, or a header, cookie or query value."""
    if node.__class__ is ir.Name and function.parameter(node.id) is not None:
        return bool(_TOKEN.search(node.id))
    return node.__class__ is ir.Attribute and node.attr in (
        "headers",
        "cookies",
        "query_params",
        "credentials",
    )


def _compares_environment(test: ir.Expr) -> bool:
    """Some side of the comparison is the name of an environment."""
    return any(
        n.__class__ is ir.Constant and n.kind == "str" and _NOT_PRODUCTION.match(str(n.value))
        for n in walk(test)
    ) or any(_NOT_PRODUCTION.match(last_name(n)) for n in walk(test) if n.__class__ is ir.Attribute)


def _magic_token(test: ir.Expr, function: Function, graph: AppGraph) -> tuple[str, str] | None:
    """`if token == "let-me-in": return admin`."""
    for node in walk(test):
        if node.__class__ is not ir.Compare or node.ops[0] != "==":
            continue
        sides = [node.left, node.comparators[0]]
        literal = next((s for s in sides if s.__class__ is ir.Constant and s.kind == "str"), None)
        if literal is None or _PLACEHOLDER.match(str(literal.value)) or len(str(literal.value)) < 4:
            continue
        if _is_scheme(sides, literal):
            continue
        del graph, function
        return str(literal.value)[:3] + "...", "token"
    return None


def _is_scheme(sides: list[ir.Expr], literal: ir.Expr) -> bool:
    """A comparison of the kind of a credential, not of the credential."""
    other = sides[1] if sides[0] is literal else sides[0]
    names = " ".join(names_in(other))
    return bool(
        re.search(r"type|scheme|method|path|alg|status|role|mode|kind|grant|lower", names, re.IGNORECASE)
    )


def _is_validated(node: ir.Expr, function: Function, graph: AppGraph) -> bool:
    """A validator of the settings class looks at the switch: it may forbid it in production."""
    if node.__class__ is not ir.Attribute:
        return False
    for of in options(graph.program.inference.type_of(node.value, function)):
        cls = getattr(of, "cls", None)
        if not isinstance(cls, Class):
            continue
        for method in cls.functions:
            if any("validator" in last_name(getattr(d, "func", d)) for d in method.node.decorators):
                if any(s.node.attr == node.attr for s in method.facts.sites(ir.Attribute)):
                    return True
                if any(node.attr in _strings(d) for d in method.node.decorators):
                    return True
    return False


def _strings(decorator: ir.Expr) -> list[str]:
    return [str(n.value) for n in walk(decorator) if n.__class__ is ir.Constant and n.kind == "str"]


def _finding(
    function: Function, site: Site, switch: tuple[str, str], operations: list[PathOperation], graph: AppGraph
) -> Finding:
    name, kind = switch
    what = {
        "setting": f"as soon as `{name}` says so",
        "environment": f"wherever `{name}` is not what production has",
        "token": f'for the token "{name}" that stands in the code',
    }[kind]
    remedy = (
        "Take the token out of the code; give whoever used it a token of their own:\n"
        if kind == "token"
        else "Take the switch out, and let tests come in by other means:\n"
    )
    count = f"{len(operations)} operations" if len(operations) > 1 else "1 operation"
    return rule.at(
        function.location(site.node.test),
        f"`{function.name}`, which guards {count}, lets everybody in {what}.",
        f"{remedy}```python\n# tests/conftest.py\n{_in_tests(function, operations, graph)}\n```",
        reasoning="The branch returns before anything about the caller was tested.",
        exploit=(
            f"A stranger reads the token of `{function.name}` in the code or in its history and sends it."
            if kind == "token"
            else f"In a deployment where `{name}` is set wrongly, or left at its default, every request passes `{function.name}`."
        ),
        confidence=_confidence(kind, site, function, graph),
        trace=steps(
            (function, f"{function.name} guards {count}"),
            (function.location(site.node.test), "and returns here"),
        ),
        routes=routes_of(operations),
        context=Context(access="none"),
    )


def _confidence(kind: str, site: Site, function: Function, graph: AppGraph) -> Confidence:
    """A switch that is off unless somebody sets it may be meant for development, and known to those who deploy."""
    if kind == "token":
        return Confidence.CERTAIN
    is_off = holds_by_default(graph, site.node.test, function) is False
    return Confidence.TENTATIVE if is_off else Confidence.FIRM


def _in_tests(function: Function, operations: list[PathOperation], graph: AppGraph) -> str:
    """How a test gets past the guard: by an override where FastAPI knows it as a dependency, else as a user would."""
    app = graph.application_of(operations[0]).name if operations else "app"
    if function.parent is function.module and any(
        d.function is function for o in operations for d in o.all_dependencies()
    ):
        return f"{app}.dependency_overrides[{function.name}] = lambda: test_user"
    return f'client = TestClient({app}, headers={{"Authorization": f"Bearer {{token_of_test_user}}"}})'


@rule.check(per=AppGraph)
def guard_replaced_outside_tests(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    for module in graph.program.mentioning("dependency_overrides"):
        if module.kind != "source":
            continue
        for scope in (module, *_functions(graph, module.path)):
            for site in scope.facts.sites(ir.Assign):
                target = site.node.targets[0]
                if target.__class__ is ir.Subscript and last_name(target.value) == "dependency_overrides":
                    name = last_name(target.slice)
                    overridden = next((f for f, _ in _guards(graph).values() if f.name == name), None)
                    if overridden is not None:
                        yield _of_override(scope.location(site.node), overridden, site)


def _functions(graph: AppGraph, path: str) -> Iterator[Function]:
    return (f for f in graph.program.functions if f.module.path == path)


def _of_override(place: Any, function: Function, site: Site) -> Finding:
    switched = site.context.inside("if") is not None
    return rule.at(
        place,
        f"`dependency_overrides` takes `{function.name}` out of the running application.",
        f"Override it in tests only:\n```python\n# tests/conftest.py\napp.dependency_overrides[{function.name}] = lambda: user\n```",
        reasoning=f"Every operation that depends on `{function.name}` runs the replacement instead.",
        exploit=f"Every request passes where `{function.name}` refused before.",
        confidence=Confidence.TENTATIVE if switched else Confidence.FIRM,
        trace=steps((function, f"{function.name} is the guard")),
        context=Context(access="none"),
    )


rule.bad = """
    import os
    from typing import Annotated

    from fastapi import Depends, FastAPI, Header, HTTPException

    ENVIRONMENT = os.getenv("APP_ENVIRONMENT", "development")

    def current_user(authorization: Annotated[str | None, Header()] = None) -> str:
        if ENVIRONMENT != "production":  # finding: auth-bypass-flag
            return "admin"
        if authorization != "Bearer alice":
            raise HTTPException(401)
        return "alice"

    app = FastAPI()

    @app.get("/orders")
    def list_orders(user: Annotated[str, Depends(current_user)]) -> str:
        return f"orders of {user}"
"""

rule.good = """
    from typing import Annotated

    from fastapi import Depends, FastAPI, Header, HTTPException

    def current_user(authorization: Annotated[str | None, Header()] = None) -> str:
        if authorization != "Bearer alice":
            raise HTTPException(401)
        return "alice"

    app = FastAPI()

    @app.get("/orders")
    def list_orders(user: Annotated[str, Depends(current_user)]) -> str:
        return f"orders of {user}"
"""


@rule.exploit
def a_stranger_is_the_administrator(proof: Proof) -> None:
    """In a deployment that never set the variable, a request without a token is the administrator's."""
    assert proof.client.get("/orders").json() == "orders of admin"
