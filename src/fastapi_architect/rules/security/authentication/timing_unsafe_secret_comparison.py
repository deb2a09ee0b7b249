"""A secret is compared with `==`, which stops at the first character that differs.

How long the comparison takes tells how much of a guess was right, and enough guesses give the secret away, one
character after the other. `secrets.compare_digest` always looks at everything.

Known limits: what is compared has to be a secret setting, a secret constant, a secret variable of the environment, the
digest of an HMAC, an attribute that keeps a key or token, or one of several keys in a loop on one side, and something from
the caller's parameters on the other. Conditions of queries are left to the database, passwords to other rules.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fastapi_architect.analyses.injected_values import names_read
from fastapi_architect.analyses.source_text import text_at
from fastapi_architect.appgraph.values import is_secret_name
from fastapi_architect.concepts.cryptography import MessageAuthentication
from fastapi_architect.program.definitions import all_functions
from fastapi_architect.program.types import STR
from fastapi_architect.rules.kit import (
    AppGraph,
    Class,
    ClassRef,
    Confidence,
    Context,
    Edit,
    Finding,
    Fix,
    Function,
    Instance,
    Location,
    Proof,
    Rule,
    Severity,
    Site,
    dotted_name,
    first_route,
    ir,
    last_name,
    lazy_pattern,
    options,
    steps,
    walk,
)

rule = Rule(
    __name__,
    "A secret is compared in a way that tells how much of a guess is right",
    severity=Severity.MINOR,
    cwe=208,
    cvss="AV:N/AC:H/PR:N/UI:N/S:U/C:L/I:L/A:N",
    references=(
        "https://fastapi.tiangolo.com/advanced/security/http-basic-auth/#timing-attacks",
        "https://docs.python.org/3/library/secrets.html#secrets.compare_digest",
    ),
)

_PASSWORD = lazy_pattern(r"passw(or)?d|passphrase|pwd|salt|pepper|dsn", re.IGNORECASE)
_MOST_CALLERS = 8
_NUMBERS = frozenset({"builtins.int", "builtins.float", "builtins.bool", "uuid.UUID"})
#: Parameters that hold what a caller proves itself with.
_SENT = frozenset({
    "api_key", "apikey", "x_api_key", "key", "token", "access_token", "auth_token", "bearer_token", "x_token", "session_token",
    "refresh_token", "secret", "client_secret", "shared_secret", "provided_key", "provided_token", "plaintext_key", "raw_key",
})  # fmt: skip
_UNWRAPPED = frozenset({"get_secret_value", "encode", "strip", "lower", "hexdigest", "digest"})


@rule.check(per=AppGraph)
def secret_compared_by_equality(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    names = _secret_names(graph)
    middleware = {id(m.function) for application in graph.applications for m in application.middleware}
    for function in _candidates(graph, names):
        digests = _digests(graph, function)
        for site in function.facts.sites(ir.Compare):
            if site.node.ops[0] not in ("==", "!=") or len(site.node.ops) != 1:
                continue
            sides = (site.node.left, site.node.comparators[0])
            secret = next((i for i, side in enumerate(sides) if _is_secret(side, names, digests)), None)
            if secret is None or _is_column(sides[secret], function, graph):
                continue
            if _is_of_account(sides[secret], function, graph):
                continue
            if not _is_from_caller(function, sides[1 - secret], names):
                continue
            if id(function) in middleware or graph.entries(function):
                yield _finding(graph, function, site, sides[secret])


@rule.check(per=AppGraph)
def kept_secret_compared_by_equality(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    """A key that an object keeps, or one of many that a loop goes through, against the one that was sent."""
    settings = _secret_names(graph)
    for module in graph.program.mentioning(*sorted(_SENT)):
        for function in all_functions(module) if module.kind == "source" else ():
            sent = {p.name for p in function.parameters} & _SENT
            if not sent or function.name in ("__eq__", "__ne__", "__hash__"):
                continue
            for site in function.facts.sites(ir.Compare):
                sides = (site.node.left, site.node.comparators[0])
                if site.node.ops not in (["=="], ["!="]) or not any(
                    _is_sent(s, function, sent) for s in sides
                ):
                    continue
                kept = next((side for side in sides if _is_kept(side, function, settings)), None)
                if (
                    kept is None
                    or _is_column(kept, function, graph)
                    or any(_is_number(side, function, graph) for side in sides)
                    or not _runs_for_requests(graph, function)
                ):
                    continue
                yield _finding(graph, function, site, kept)


def _is_number(expr: ir.Expr, function: Function, graph: AppGraph) -> bool:
    """Numbers are compared at once."""
    of = options(graph.program.inference.type_of(expr, function))
    return bool(of) and all(getattr(each, "name", "") in _NUMBERS for each in of)


def _runs_for_requests(graph: AppGraph, function: Function, depth: int = 0) -> bool:
    """An operation gets there, or a function that is written as a dependency, whoever uses it."""
    if graph.entries(function):
        return True
    given = [each for p in function.parameters for each in (p.annotation, p.default) if each is not None]
    if any(
        n.__class__ is ir.Call and last_name(n.func) in ("Depends", "Security")
        for e in given
        for n in walk(e)
    ):
        return True
    callers = [site.scope for site in graph.program.calls.callers(function)]
    return depth < 2 and any(
        isinstance(each, Function)
        and each.module.kind == "source"
        and _runs_for_requests(graph, each, depth + 1)
        for each in callers[:_MOST_CALLERS]
    )


def _is_sent(expr: ir.Expr, function: Function, sent: set[str], depth: int = 0) -> bool:
    """The parameter that holds what was sent, as a whole or without what is around it; no digest of it."""
    expr = _unwrapped(expr)
    if expr.__class__ is not ir.Name:
        return False
    if expr.id in sent:
        return True
    bindings = function.facts.bindings.get(expr.id, ())
    return depth < 2 and any(
        b.kind == "assign" and b.value is not None and _is_sent(b.value, function, sent, depth + 1)
        for b in bindings
    )


def _is_kept(expr: ir.Expr, function: Function, settings: frozenset[str]) -> bool:
    """`user.api_key`, or `key` of `for key in user.api_keys`; what the first check looks at is left out."""
    expr = _unwrapped(expr)
    if expr.__class__ is ir.Attribute:
        return (
            expr.attr not in settings
            and is_secret_name(expr.attr)
            and not _PASSWORD.search(expr.attr)
            and last_name(expr.value) not in _SENT
        )
    if expr.__class__ is not ir.Name:
        return False
    bindings = function.facts.bindings.get(expr.id, ())
    return any(b.kind in ("loop", "comprehension") and _are_secrets(b.value) for b in bindings)


def _are_secrets(expr: ir.Expr | None) -> bool:
    """A collection by the name of several secrets: `settings.api_keys.split(",")`."""
    while expr.__class__ is ir.Call and expr.func.__class__ is ir.Attribute:
        expr = expr.func.value
    name = last_name(expr) if expr.__class__ in (ir.Name, ir.Attribute) else ""
    return name[-1:] in ("s", "S") and is_secret_name(name[:-1]) and not _PASSWORD.search(name)


def _unwrapped(expr: ir.Expr) -> ir.Expr:
    while (
        expr.__class__ is ir.Call
        and last_name(expr.func) in _UNWRAPPED
        and expr.func.__class__ is ir.Attribute
    ):
        expr = expr.func.value
    return expr


def _secret_names(graph: AppGraph) -> frozenset[str]:
    """What settings and constants with secrets are called."""
    found = {s.name for c in graph.settings.classes for s in c.settings if s.is_secret}
    found |= {
        v.variable
        for v in graph.settings.variables
        if v.is_secret and v.variable and is_secret_name(v.variable)
    }
    return frozenset(found)


def _candidates(graph: AppGraph, names: frozenset[str]) -> list[Function]:
    modules = {m.path: m for m in graph.program.mentioning("environ", "getenv", *sorted(names))}
    found = {id(f): f for m in modules.values() if m.kind == "source" for f in all_functions(m)}
    for mac in graph.facts(MessageAuthentication):
        if mac.function is not None and mac.function.module.kind == "source":
            found[id(mac.function)] = mac.function
    return sorted(found.values(), key=lambda f: (f.module.path, f.node.span))


def _digests(graph: AppGraph, function: Function) -> frozenset[str]:
    """Local names that hold the digest of an HMAC, or a secret that was just read from the environment."""
    nodes = {id(mac.node) for mac in graph.within(MessageAuthentication, function)}
    from_outside = function.module.mentions("environ") or function.module.mentions("getenv")
    if not nodes and not from_outside:
        return frozenset()
    return frozenset(
        name
        for name, bindings in function.facts.bindings.items()
        if any(id(node) in nodes for binding in bindings for node in walk(binding.value))
        or (from_outside and len(bindings) == 1 and _is_secret_variable(bindings[0].value))
    )


def _is_column(expr: ir.Expr, function: Function, graph: AppGraph) -> bool:
    """`Token.key == key` is a condition of a query: the database compares."""
    if not isinstance(expr, ir.Attribute):
        return False
    models = {id(model.cls) for model in graph.models}
    of = options(graph.program.inference.type_of(expr.value, function))
    return any(isinstance(each, ClassRef) and id(each.cls) in models for each in of)


def _is_of_account(expr: ir.Expr, function: Function, graph: AppGraph) -> bool:
    """`user.password` is a digest, or a flaw of its own; the default password is known to whoever sets accounts up."""
    expr = _unwrapped(expr)
    if expr.__class__ is not ir.Attribute or not _PASSWORD.search(expr.attr):
        return False
    settings = {id(each.cls) for each in graph.settings.classes}
    of = options(graph.program.inference.type_of(expr.value, function))
    classes = [each.cls for each in of if isinstance(each, Instance) and isinstance(each.cls, Class)]
    return "default" in expr.attr.lower() or any(id(cls) not in settings for cls in classes)


def _is_secret_variable(expr: ir.Expr | None) -> bool:
    """`os.environ["API_KEY"]`, `os.environ.get("API_KEY")`, `os.getenv("API_KEY")`."""
    key: ir.Expr | None = None
    if isinstance(expr, ir.Subscript) and last_name(expr.value) == "environ":
        key = expr.slice
    elif isinstance(expr, ir.Call) and expr.args:
        func = dotted_name(expr.func)
        if func.endswith("environ.get") or func.rpartition(".")[2] == "getenv":
            key = expr.args[0]
    return isinstance(key, ir.Constant) and key.kind == "str" and is_secret_name(str(key.value))


def _is_secret(expr: ir.Expr, names: frozenset[str], digests: frozenset[str]) -> bool:
    expr = _unwrapped(expr)
    if expr.__class__ is ir.Name:
        return expr.id in digests or (expr.id in names and expr.id.isupper())
    return (expr.__class__ is ir.Attribute and expr.attr in names) or _is_secret_variable(expr)


def _is_from_caller(function: Function, expr: ir.Expr, names: frozenset[str], depth: int = 0) -> bool:
    """The value is made from a parameter of the function, and is no setting itself."""
    if expr.__class__ is ir.Constant or _is_secret(expr, names, frozenset()):
        return False
    parameters = {p.name for p in function.parameters} - {"self", "cls", "settings", "config"}
    read = names_read(expr)
    if read & parameters:
        return True
    return depth < 3 and any(
        _is_from_caller(function, binding.value, names, depth + 1)
        for name in sorted(read)
        for binding in function.facts.bindings.get(name, ())
        if binding.kind in ("assign", "annotated", "walrus")
        and binding.value is not None
        and binding.value is not expr
    )


def _finding(graph: AppGraph, function: Function, site: Site, secret: ir.Expr) -> Finding:
    left, right = (
        text_at(graph, function.location(side)) for side in (site.node.left, site.node.comparators[0])
    )
    negated = "not " if site.node.ops[0] == "!=" else ""
    held = _unwrapped(secret)
    shown = f"`{last_name(held)}`" if last_name(held) else "a digest"
    better = f"{negated}secrets.compare_digest({left}.encode(), {right}.encode())"
    return rule.at(
        site,
        f"`{function.name}` compares {shown} with what the caller sent by `{site.node.ops[0]}`.",
        f"Compare all of it, whatever was sent:\n```python\nmatches = {better.removeprefix('not ')}\n```",
        reasoning=f"`{site.node.ops[0]}` ends at the first difference, so the time it takes tells how long the right part is.",
        exploit=f"Measure many guesses for {shown} at {first_route(graph.entries(function), function.name)}, keep the first character "
        "that takes longer, and go on with the next.",
        confidence=Confidence.FIRM,
        trace=steps((site, f"{shown} decides whether {function.name} lets the caller in")),
        fix=_fix(graph, function, site, better),
        context=Context(hard=True),
    )


def _fix(graph: AppGraph, function: Function, site: Site, better: str) -> Fix | None:
    """Only where both sides are plain text: bytes and None need another form."""
    sides = (site.node.left, site.node.comparators[0])
    if not all(_is_text(graph, function, side) for side in sides):
        return None
    bindings = function.module.facts.bindings
    edits = [Edit(function.location(site.node), better)]
    if "secrets" not in bindings:
        places = [
            function.module.location(each.node)
            for kind in (ir.Import, ir.ImportFrom)
            for each in function.module.facts.sites(kind)
            if each.context.role == "root" and getattr(each.node, "module", "") != "__future__"
        ]
        if not places:
            return None
        first = min(places)
        edits.append(Edit(Location(first.path, first.line, 0), "import secrets\n"))
    elif any(b.kind != "import" for b in bindings["secrets"]):
        return None
    return Fix("Compare with secrets.compare_digest", tuple(edits), safe=True)


def _is_text(graph: AppGraph, function: Function, side: ir.Expr) -> bool:
    """A `str` that is never None; a variable that the environment must set is one."""
    value, _ = graph.program.inference.expand(side, function)
    from_environment = value.__class__ is ir.Subscript and dotted_name(value.value) in (
        "os.environ",
        "environ",
    )
    return from_environment or graph.program.inference.type_of(side, function) == STR


rule.bad = """
    import os
    from typing import Annotated

    from fastapi import FastAPI, Header, HTTPException

    API_KEY = os.environ["API_KEY"]
    app = FastAPI()

    @app.get("/stock")
    def read_stock(x_api_key: Annotated[str, Header()]) -> list[int]:
        if x_api_key != API_KEY:  # finding: timing-unsafe-secret-comparison
            raise HTTPException(401)
        return [3, 5]
"""

rule.good = """
    import os
    import secrets
    from typing import Annotated

    from fastapi import FastAPI, Header, HTTPException

    API_KEY = os.environ["API_KEY"]
    app = FastAPI()

    @app.get("/stock")
    def read_stock(x_api_key: Annotated[str, Header()]) -> list[int]:
        if not secrets.compare_digest(x_api_key.encode(), API_KEY.encode()):
            raise HTTPException(401)
        return [3, 5]
"""


@rule.exploit
def the_comparison_stops_early(proof: Proof) -> None:
    """The key decides the request by an ordinary comparison of text, whose time depends on how much of a guess is right."""
    import os

    os.environ["API_KEY"] = "k-17"
    compared = []

    class Watched(str):
        __slots__ = ()

        def __eq__(self, other: object) -> bool:
            compared.append(other)
            return str.__eq__(self, other)

        def __ne__(self, other: object) -> bool:
            compared.append(other)
            return str.__ne__(self, other)

        __hash__ = str.__hash__

    proof.module().API_KEY = Watched("k-17")
    assert proof.client.get("/stock", headers={"X-Api-Key": "k-00"}).status_code == 401
    assert compared == ["k-00"]
