"""An error tells the client the token or password that it was about.

Answers to failed requests are what gets copied into tickets, shown on pages and kept by gateways, error trackers and
browsers. A token that was refused for one reason (it is old, it is for another audience, the account is locked) is often
good elsewhere, and a mistyped password is one letter away from the right one.

Known limits: credentials are known by their names. What goes into an error class of one's own counts when its
constructor puts it into the detail.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.http_errors import http_raises, status_code
from fastapi_architect.analyses.injected_values import names_read
from fastapi_architect.analyses.logged_secrets import credential_in
from fastapi_architect.analyses.made_of import given_for
from fastapi_architect.concepts.http import HttpError, ResponseCreation
from fastapi_architect.rules.kit import (
    AppGraph,
    Class,
    ClassRef,
    Confidence,
    Context,
    Finding,
    Function,
    Proof,
    Rule,
    Severity,
    Site,
    first_route,
    ir,
    last_name,
    options,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "An error repeats the credential it was about",
    severity=Severity.MINOR,
    cwe=209,
    cvss="AV:N/AC:H/PR:N/UI:N/S:U/C:L/I:N/A:N",
    references=(
        "https://cheatsheetseries.owasp.org/cheatsheets/Error_Handling_Cheat_Sheet.html",
        "https://cwe.mitre.org/data/definitions/209.html",
    ),
)

_FIRST_ERROR = 400


@rule.check(per=AppGraph)
def credential_in_an_error(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    told: set[int] = set()
    for site, value in _told(graph):
        if (
            id(site.node) in told
            or site.scope.module.kind != "source"
            or not isinstance(site.scope, Function)
        ):
            continue
        found = credential_in(graph, value, site.scope)
        if found is not None and not _is_missing(site, found[1]):
            told.add(id(site.node))
            yield _finding(graph, site, found[1])


def _told(graph: AppGraph) -> Iterator[tuple[Site, ir.Expr]]:
    """What errors tell, with the call that makes the error."""
    for error in graph.facts(HttpError):
        if error.detail is not None:
            yield error.site, error.detail
    for cls, site in _own_errors(graph):
        for value in _in_detail(graph, cls, site):
            yield site, value
    for response in graph.facts(ResponseCreation):
        status = status_code(graph, response.status, response.scope)
        if response.content is not None and status is not None and status >= _FIRST_ERROR:
            yield response.site, response.content


def _own_errors(graph: AppGraph) -> Iterator[tuple[Class, Site]]:
    """Errors of classes of the program that are raised, at once or by the name that they get."""
    raised = [(each.cls, each.site) for each in http_raises(graph) if isinstance(each.cls, Class)]
    yield from ((cls, site) for cls, site in raised if isinstance(cls, Class))
    for cls in {id(cls): cls for cls, _ in raised}.values():
        for site in graph.program.call_sites_named(cls.name):
            statement, made = site.statement, site.node.func
            if not isinstance(statement, ir.Assign) or statement.value is not site.node:
                continue
            names = {last_name(target) for target in statement.targets}
            of = options(graph.program.inference.type_of(made, site.scope))
            if any(isinstance(each, ClassRef) and each.cls is cls for each in of) and any(
                last_name(each.node.exc) in names
                for each in site.scope.facts.sites(ir.Raise)
                if each.node.exc is not None
            ):
                yield cls, site


def _is_missing(site: Site, name: str) -> bool:
    """Under `if token is None` or `if not token` nothing is told."""
    tests = (getattr(context.node, "test", None) for context in site.context if context.role == "if")
    return any(
        (test.__class__ is ir.UnaryOp and last_name(test.operand) == name)
        or (test.__class__ is ir.Compare and test.ops == ["is"] and last_name(test.left) == name)
        for test in tests
    )


def _in_detail(graph: AppGraph, cls: Class, site: Site) -> Iterator[ir.Expr]:
    """Arguments that the constructor of an own error puts into what the client is told."""
    constructor = graph.program.inference.hierarchy.member(cls, "__init__")
    function = constructor.function if constructor is not None else None
    if function is None:
        return
    read = {name for detail in _details(function) for name in names_read(detail)}
    for parameter in function.parameters[1:]:
        if parameter.name not in read:
            continue
        if parameter.kind == "kwarg":
            names = {p.name for p in function.parameters}
            yield from (k.value for k in site.node.keywords if k.arg is not None and k.arg not in names)
        elif parameter.kind != "vararg":
            given = given_for(parameter.name, function, site)
            if given is not None:
                yield given


def _details(constructor: Function) -> Iterator[ir.Expr]:
    """What goes on as `detail`, or is kept as it."""
    for call in constructor.facts.calls_named("__init__"):
        yield from (k.value for k in call.node.keywords if k.arg in ("detail", "message", "content"))
    for site in constructor.facts.sites(ir.Assign):
        if any(last_name(target) in ("detail", "message") for target in site.node.targets):
            yield site.node.value


def _finding(graph: AppGraph, site: Site, name: str) -> Finding:
    function = site.scope
    assert isinstance(function, Function)
    operations = graph.entries(function)
    return rule.at(
        site,
        f"`{function.name}` answers with `{name}`, the credential that it refuses.",
        "Say what is wrong, and not with what:\n"
        '```python\nraise HTTPException(status_code=401, detail="The credentials are not valid.")\n```',
        reasoning=f"`{name}` stands in the text of the error, and error texts are kept and shown by everything on their way.",
        exploit=f"Read the `{name}` of somebody else's failed request to {first_route(operations, function.name)} in a log, an "
        "error tracker or a screenshot, and use it where it is still good.",
        confidence=Confidence.FIRM,
        trace=steps((site, f"{name} goes into the error")),
        routes=routes_of(operations),
        context=Context(data="secret", writes=False, hard=True),
    )


_HEAD = """
    from typing import Annotated

    from fastapi import FastAPI, Header, HTTPException

    app = FastAPI()
"""

rule.bad = (
    _HEAD
    + """
    @app.get("/account")
    def read_account(access_token: Annotated[str, Header()]) -> str:
        if not access_token.startswith("v2."):
            raise HTTPException(401, detail=f"{access_token} is too old")  # finding: credential-echoed-in-error
        return "alice"
"""
)

rule.good = (
    _HEAD
    + """
    @app.get("/account")
    def read_account(access_token: Annotated[str, Header()]) -> str:
        if not access_token.startswith("v2."):
            raise HTTPException(401, detail="The token is too old; log in again.")
        return "alice"
"""
)


@rule.exploit
def the_refused_token_is_in_the_answer(proof: Proof) -> None:
    """The token that was refused stands in the text of the answer, for whoever keeps or shows it."""
    answer = proof.client.get("/account", headers={"Access-Token": "v1.secret-17"})
    assert answer.status_code == 401
    assert "v1.secret-17" in answer.text
