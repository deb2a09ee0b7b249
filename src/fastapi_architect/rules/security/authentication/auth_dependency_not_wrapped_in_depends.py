"""A parameter names the function that checks the caller, but never hands it to `Depends`: the check does not run.

`user=get_current_user` is to FastAPI a query parameter with a default: nobody is asked who they are. With a model as
its type (`user: User = get_current_user`, `Annotated[User, get_current_user]`) it is worse: the parameter becomes the
request's body, and callers send the user they would like to be.

Known limits: a function counts as a check when it refuses, reads a credential, is used with `Depends` elsewhere as a
guard, or depends on one that does. A session forgotten in the same way fails at the first request and is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fastapi_architect.analyses.own_code import definition
from fastapi_architect.appgraph.dependencies import DependencyReader
from fastapi_architect.appgraph.parameters import Declared, ParameterReader
from fastapi_architect.appgraph.security import AccessLevel
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Context,
    Edit,
    Finding,
    Fix,
    Function,
    FunctionRef,
    Instance,
    Location,
    Proof,
    Rule,
    Scope,
    Severity,
    dotted_name,
    first_route,
    ir,
    last_name,
    lazy_pattern,
    options,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "The function that checks the caller is never run, because `Depends` is missing",
    severity=Severity.CRITICAL,
    cwe=306,
    cvss="AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
    references=(
        "https://fastapi.tiangolo.com/tutorial/dependencies/#declare-the-dependency-in-the-dependant",
        "https://fastapi.tiangolo.com/tutorial/security/get-current-user/",
    ),
)

_CHECKS = lazy_pattern(
    r"current_?(user|account|member|admin|principal)|auth(?!or)|permission|(?:^|_)(require|verify|ensure|check)_?"
    r"(user|admin|role|scope|access|token|login|owner|superuser|api_?key|credential|session)|principal|superuser",
    re.IGNORECASE,
)


@rule.check(per=AppGraph)
def check_that_is_only_named(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    parameters = ParameterReader(graph.program)
    dependencies = DependencyReader(graph.program, parameters)
    functions = {id(f): f for operation in graph.operations for f in operation.functions}
    plain: set[tuple[int, str]] = set()
    for function in functions.values():
        scope = function.parent or function.module
        for param in function.parameters:
            if param.default is None and param.annotation is None:
                continue
            key = (id(scope), getattr(param.annotation, "id", "")) if param.default is None else (0, "")
            if key in plain:
                continue
            declared = parameters.declared(param, function, scope)
            if key[1] and (declared.marker is not None or not declared.metadata):
                plain.add(key)  # what a name means, it means for every parameter
            if declared.marker is not None:
                continue
            for given, where in _candidates(declared):
                target = _target(graph, given, where)
                if target is not None and target is not function and _guards(graph, dependencies, target):
                    yield _finding(graph, declared, given, where, target)
                    break


def _candidates(declared: Declared) -> Iterator[tuple[ir.Expr, Scope]]:
    """Where the marker should stand: the default, and the metadata of `Annotated`."""
    if declared.default is not None:
        yield declared.default, declared.scope
    for each in declared.metadata:
        yield each, declared.annotation_scope


def _target(graph: AppGraph, expr: ir.Expr, scope: Scope) -> Function | None:
    """The program's function that is named or called; None for calls that give a marker or a field."""
    if expr.__class__ not in (ir.Name, ir.Attribute, ir.Call):
        return None
    of = graph.program.inference.type_of(expr.func if expr.__class__ is ir.Call else expr, scope)
    found = next((o.function for o in options(of) if isinstance(o, FunctionRef)), None)
    if found is None or expr.__class__ is not ir.Call:
        return found
    given = list(options(graph.program.inference.type_of(expr, scope)))
    library = any(
        isinstance(o, Instance) and isinstance(o.cls, str) and o.name.startswith("fastapi") for o in given
    )
    # A factory's result stands here. It is a check that never runs only when it is a function, or a plain value.
    returns = found.facts.sites(ir.Return)
    makes_marker = any(
        "Depends" in _called(site.node.value) or "Security" in _called(site.node.value) for site in returns
    )
    return None if library or makes_marker or not given else found


def _called(expr: ir.Expr | None) -> str:
    return dotted_name(expr.func) if expr.__class__ is ir.Call else ""


def _guards(graph: AppGraph, dependencies: DependencyReader, target: Function) -> bool:
    """Run as a dependency, the function would keep somebody out, or say who is calling."""
    for _, dependency in graph.dependencies_named(target):
        guard = graph.guards.of_dependency(dependency)
        return guard is not None and guard.level >= AccessLevel.OPTIONAL
    if graph.guards.refuses(target):
        return True
    _, below = dependencies.signature(target, frozenset(), bound=target.is_method)
    return any(graph.guards.of_dependency(each) is not None for each in below) or bool(
        _CHECKS.search(target.name) and target.parameters
    )


def _finding(graph: AppGraph, declared: Declared, given: ir.Expr, where: Scope, target: Function) -> Finding:
    function = declared.owner
    assert isinstance(function, Function)
    name = declared.param.name
    operations = graph.operations_running(function)
    model = ParameterReader(graph.program).model_of(ParameterReader(graph.program).annotation_type(declared))
    is_call = given.__class__ is ir.Call
    entrance = first_route(operations, function.name)
    written = _written(given)
    if model is not None:
        effect = (
            f"`{name}` becomes the request's body: the caller sends the {model.name} they would like to be"
        )
        exploit = f"Without credentials, send {entrance} with a {model.name} of your choice as the body, and act as that one."
    else:
        effect = f"`{name}` becomes a query parameter that nobody has to send"
        exploit = f"Send {entrance} without credentials: it is answered."
    typed = model.name if model is not None else "User"
    return rule.at(
        function,
        f"`{function.name}` takes `{name}` from `{written}` without `Depends`, so `{target.name}` never runs and {effect}.",
        f"Let FastAPI run `{target.name}`:\n"
        f"```python\n{definition(graph, function, parameters={name: (f'Annotated[{typed}, Depends({written})]', '')})}\n```",
        reasoning="Only what stands in `Depends(...)` or `Security(...)` is called; anything else is a default or is ignored.",
        exploit=exploit,
        confidence=Confidence.FIRM if is_call else Confidence.CERTAIN,
        trace=steps(
            (where.location(given), f"{written} stands where Depends({written}) should"),
            (target, f"{target.name} would check the caller"),
        ),
        fix=None if is_call else _fix(given, where, written),
        routes=routes_of(operations),
        context=Context(access="none"),
    )


def _written(expr: ir.Expr) -> str:
    if expr.__class__ is ir.Call:
        return f"{dotted_name(expr.func) or last_name(expr.func)}(...)"
    return dotted_name(expr)


def _fix(given: ir.Expr, scope: Scope, written: str) -> Fix:
    module = scope.module
    place = scope.location(given)
    bindings = module.facts.bindings
    edits = []
    marker = "Depends"
    if "Depends" not in bindings:
        known = [b for each in bindings.values() for b in each if b.kind == "from" and b.target == "fastapi"]
        if known:
            at = module.location(known[0].node)
            first = known[0].node.names[0]  # type: ignore[attr-defined]
            inside = module.location(first)
            edits.append(
                Edit(Location(at.path, inside.line, inside.column, inside.line, inside.column), "Depends, ")
            )
        elif "fastapi" in bindings:
            marker = "fastapi.Depends"
        else:
            line = _line_of_first_import(scope)
            edits.append(Edit(Location(place.path, line, 0, line, 0), "from fastapi import Depends\n"))
    edits.append(Edit(place, f"{marker}({written})"))
    return Fix(f"Run {written} with Depends", tuple(edits), safe=True, changes_contract=True)


def _line_of_first_import(scope: Scope) -> int:
    found = [*scope.module.facts.sites(ir.ImportFrom), *scope.module.facts.sites(ir.Import)]
    places = [
        scope.module.location(site.node).line
        for site in found
        if getattr(site.node, "module", "") != "__future__" and site.context.role == "root"
    ]
    return min(places, default=1)


rule.bad = """
    from typing import Annotated

    from fastapi import Depends, FastAPI, Header, HTTPException
    from pydantic import BaseModel

    class User(BaseModel):
        name: str
        role: str

    def get_current_user(authorization: Annotated[str | None, Header()] = None) -> User:
        if authorization != "Bearer alice":
            raise HTTPException(401)
        return User(name="alice", role="reader")

    app = FastAPI()

    @app.get("/me")
    def read_me(user: Annotated[User, Depends(get_current_user)]) -> User:
        return user

    @app.post("/plugins")
    def install_plugin(address: str, user=get_current_user) -> str:  # finding: auth-dependency-not-wrapped-in-depends
        return f"installed {address}"

    @app.delete("/users/{name}")
    def delete_user(name: str, user: Annotated[User, get_current_user]) -> str:  # finding: auth-dependency-not-wrapped-in-depends
        if user.role != "admin":
            raise HTTPException(403)
        return f"deleted {name}"
"""

rule.good = """
    from typing import Annotated

    from fastapi import Depends, FastAPI, Header, HTTPException
    from pydantic import BaseModel

    class User(BaseModel):
        name: str
        role: str

    def get_current_user(authorization: Annotated[str | None, Header()] = None) -> User:
        if authorization != "Bearer alice":
            raise HTTPException(401)
        return User(name="alice", role="reader")

    app = FastAPI()

    @app.get("/me")
    def read_me(user: Annotated[User, Depends(get_current_user)]) -> User:
        return user

    @app.post("/plugins")
    def install_plugin(address: str, user=Depends(get_current_user)) -> str:
        return f"installed {address}"

    @app.delete("/users/{name}")
    def delete_user(name: str, user: Annotated[User, Depends(get_current_user)]) -> str:
        if user.role != "admin":
            raise HTTPException(403)
        return f"deleted {name}"
"""


@rule.exploit
def nobody_installs_and_deletes(proof: Proof) -> None:
    """Without credentials a plugin is installed, and an account deleted by whoever says in the body that they are an admin."""
    assert proof.client.get("/me").status_code == 401
    installed = proof.client.post("/plugins", params={"address": "https://evil.example/plugin"})
    assert installed.status_code == 200
    deleted = proof.client.request("DELETE", "/users/alice", json={"name": "mallory", "role": "admin"})
    assert deleted.json() == "deleted alice"
