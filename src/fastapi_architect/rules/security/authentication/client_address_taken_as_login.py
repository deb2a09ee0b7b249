"""Whoever asks from the right address needs no login.

An address says through which machine a request came, not who sent it. Behind a proxy every request comes from the proxy; a request
that the server is made to send itself (SSRF) comes from `127.0.0.1`; and a header such as `X-Forwarded-For` is the client's own
text. When `if request.client.host != "127.0.0.1": raise` is all that stands before a change, one of these opens it.

Known limits: looked for in handlers and their dependencies, where the address is compared with texts or looked up in a list of them,
something is changed behind it, and nothing else asks who is calling. An address beside a login, or in front of what only reads, is
left alone, and so are routes for providers that publish their addresses (webhooks).
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.effects import effects
from fastapi_architect.analyses.own_code import registered
from fastapi_architect.analyses.public_operations import callers_of, guard_of
from fastapi_architect.rules.kit import (
    UNKNOWN,
    AccessLevel,
    AppGraph,
    Application,
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
    routes_of,
    steps,
    walk,
)

rule = Rule(
    __name__,
    "The client's address is taken for a login",
    severity=Severity.CRITICAL,
    cwe=291,
    cvss="AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:N",
    references=(
        "https://cwe.mitre.org/data/definitions/291.html",
        "https://cheatsheetseries.owasp.org/cheatsheets/Server_Side_Request_Forgery_Prevention_Cheat_Sheet.html",
    ),
)

_HOOK = lazy_pattern(r"hook|callback|notif|ipn")
_HEADERS = frozenset({"x-forwarded-for", "x-real-ip", "x-client-ip", "true-client-ip"})
_COMPARING = frozenset({"==", "!=", "in", "not in"})


@rule.check(per=Application)
def address_instead_of_a_login(application: Application, graph: AppGraph) -> Iterator[Finding]:
    seen: set[int] = set()
    operations = [o for o in application.operations if o.kind == "http" and o.handler and not o.floating]
    functions = dict.fromkeys(function for operation in operations for function in operation.functions)
    refusing = {id(f): site for f in functions if (site := _refused_by_address(f, graph)) is not None}
    for operation in operations if refusing else ():
        for function in operation.functions:
            site = refusing.get(id(function))
            if site is None or id(site.node) in seen or not _is_all(operation, function, application, graph):
                continue
            changed = effects(graph).of_handler(operation).changes_state
            if changed is not None and not _HOOK.search(operation.path.lower()):
                seen.add(id(site.node))
                guard = guard_of(graph, application) or "get_current_user"
                yield _finding(operation, function, (site, changed.site), guard, graph)


def _refused_by_address(function: Function, graph: AppGraph) -> Site | None:
    """The test of the client's address behind which the function refuses."""
    if function.module.kind != "source":
        return None
    for site in function.facts.sites(ir.If):
        ends = any(isinstance(each, ir.Raise | ir.Return) for each in (*site.node.body, *site.node.orelse))
        if ends and any(_compares_address(each, function, graph) for each in walk(site.node.test)):
            return site
    return None


def _compares_address(node: ir.Node, function: Function, graph: AppGraph) -> bool:
    """`request.client.host != "127.0.0.1"`, or a variable that holds the one, with texts."""
    if not isinstance(node, ir.Compare) or not _COMPARING.issuperset(node.ops):
        return False
    sides = [node.left, *node.comparators]
    if not any(_is_address(side, function) for side in sides):
        return False
    known = [graph.program.constants.value(side, function) for side in sides]
    return any(_are_texts(value) for value in known if value is not UNKNOWN)


def _are_texts(value: object) -> bool:
    if isinstance(value, str):
        return bool(value)
    return isinstance(value, list | tuple | set | frozenset) and any(isinstance(each, str) for each in value)


def _is_address(expr: ir.Expr, function: Function, *, held: bool = True) -> bool:
    if isinstance(expr, ir.Attribute) and expr.attr == "host":
        return last_name(expr.value) == "client"
    if (
        isinstance(expr, ir.Call)
        and isinstance(expr.func, ir.Attribute)
        and last_name(expr.func.value) == "headers"
    ):
        return any(isinstance(a, ir.Constant) and str(a.value).lower() in _HEADERS for a in expr.args[:1])
    if isinstance(expr, ir.Name) and held:
        bindings = function.facts.bindings.get(expr.id, ())
        values = [b.value for b in bindings if isinstance(b.value, ir.Expr)]
        return bool(values) and all(_is_address(value, function, held=False) for value in values)
    return False


def _is_all(operation: PathOperation, function: Function, application: Application, graph: AppGraph) -> bool:
    """Nobody else asks who is calling."""
    access = graph.access(operation)
    others = [g for g in access.guards if g.level >= AccessLevel.USER and g.name != function.full_name]
    callers = callers_of(graph)
    return not (
        others
        or access.public_reason
        or callers.proof_in_body(operation)
        or callers.guarded_elsewhere(operation, application)
    )


def _finding(
    operation: PathOperation, function: Function, sites: tuple[Site, Site], guard: str, graph: AppGraph
) -> Finding:
    assert operation.handler is not None
    site, changed = sites
    return rule.at(
        site,
        f"`{operation}` ({operation.handler.name}) lets in whoever asks from this address, and asks for no login.",
        f"Ask who is calling, too; the address may stay as a second lock:\n"
        f"```python\n{registered(graph, operation, keywords={'dependencies': f'[Depends({guard})]'})}\n```\n"
        "or move what only the operator needs into a command that is run on the machine.",
        reasoning=f"{function.name} refuses by the client's address alone; no dependency and no middleware of `{operation}` asks for "
        "a credential, and it goes on to make a change.",
        exploit=f"Make the server, or the proxy in front of it, send `{operation}` itself: the request comes from the address that is "
        "let in.",
        confidence=Confidence.TENTATIVE if operation.conditional else Confidence.FIRM,
        trace=steps((site, "the address is compared"), (changed, "and a change is made behind it")),
        routes=routes_of([operation]),
        context=Context(access="none", writes=True, missing_check=True),
    )


_START = """
    from pathlib import Path
    from typing import Annotated

    from fastapi import Depends, FastAPI, Header, HTTPException, Request

    PASSWORD = Path("password")
    app = FastAPI()

    def current_user(authorization: Annotated[str | None, Header()] = None) -> str:
        if authorization != "Bearer alice":
            raise HTTPException(401)
        return "alice"
"""

rule.bad = (
    _START
    + """
    @app.post("/maintenance/password")
    def new_password(request: Request, text: str) -> str:
        if request.client is None or request.client.host not in ("127.0.0.1", "testclient"):  # finding: client-address-taken-as-login
            raise HTTPException(403)
        PASSWORD.write_text(text)
        return "written"
"""
)

rule.good = (
    _START
    + """
    @app.post("/maintenance/password")
    def new_password(request: Request, text: str, user: Annotated[str, Depends(current_user)]) -> str:
        if request.client is None or request.client.host not in ("127.0.0.1", "testclient"):
            raise HTTPException(403)
        PASSWORD.write_text(text)
        return "written"
"""
)


@rule.exploit
def a_stranger_on_the_machine_sets_the_password(proof: Proof) -> None:
    """A request that comes from the server's own address, as one that it was made to send would, sets the password."""
    assert proof.client.post("/maintenance/password", params={"text": "known"}).status_code == 200
    assert (proof.root / "password").read_text() == "known"
