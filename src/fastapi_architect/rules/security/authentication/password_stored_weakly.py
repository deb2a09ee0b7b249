"""Passwords are kept as they are, or behind a digest that is computed a billion times a second.

One copy of the table is then a list of passwords, and people use theirs in more than one place. A password hash
(Argon2, scrypt, bcrypt) is slow on purpose and salted, so that a copy is worth little.

A login that compares the column with what was typed gives the same away.

Known limits: a password that is handed on before it is stored is followed to the callers that are known, to see whether
they hash it; where one is not known and the backend hashes elsewhere, the finding is tentative. A digest before a password
hash, and the digest that asks a service about breached passwords, are fine.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fastapi_architect.analyses.handed_passwords import handed, unwrapped
from fastapi_architect.appgraph.models import Model
from fastapi_architect.concepts.cryptography import Digest, Encoding, KeyDerivation
from fastapi_architect.concepts.http import OutboundRequest
from fastapi_architect.concepts.identity import PasswordHash, PasswordHasher
from fastapi_architect.program.definitions import Class, all_functions
from fastapi_architect.rules.kit import (
    AppGraph,
    ClassRef,
    Confidence,
    Context,
    Finding,
    Function,
    Instance,
    Proof,
    Rule,
    Scope,
    Severity,
    Site,
    argument,
    ir,
    last_name,
    lazy_pattern,
    names_in,
    options,
    steps,
)

rule = Rule(
    __name__,
    "Passwords are stored in a form that gives them away",
    severity=Severity.CRITICAL,
    cwe=916,
    cvss="AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:N",
    references=(
        "https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html",
        "https://fastapi.tiangolo.com/tutorial/security/oauth2-jwt/#password-hashing",
    ),
    requires=("argon2-cffi",),
)

_PASSWORD = lazy_pattern(
    r"^(plain_?|raw_?|new_?|user_?|old_?)?(password|passwd|pwd)(_?(plain|raw|in|text|str|bytes|encoded|1))?$",
    re.IGNORECASE,
)
_COLUMN = lazy_pattern(
    r"^(hashed_?|encrypted_?)?(password|passwd|pwd)(_?(hash(ed)?|digest))?$", re.IGNORECASE
)
_BREACHES = lazy_pattern(r"pwned|breach|hibp|leak|compromis|cache_?key|etag", re.IGNORECASE)
_WEAK_SCHEMES = frozenset(
    {
        "plaintext",
        "hex_md5",
        "hex_sha1",
        "hex_sha256",
        "hex_sha512",
        "md5_crypt",
        "des_crypt",
        "ldap_sha1",
        "ldap_md5",
    }
)
_LEAST_PBKDF2 = 210_000
_LEAST_BCRYPT = 10


@rule.check(per=Digest)
def password_through_a_fast_digest(digest: Digest, graph: AppGraph) -> Iterator[Finding]:
    function = digest.function
    if function is None or function.module.kind != "source" or not digest.for_security:
        return
    name = _password_in(digest.data)
    if not name or _BREACHES.search(function.name) or graph.within(OutboundRequest, function):
        return
    slow = bool(graph.within(PasswordHash, function)) or bool(graph.within(KeyDerivation, function))
    if slow:
        return
    kind = (digest.algorithm or "a digest").upper()
    what = f"`{function.name}` keeps `{name}` as {kind}: a graphics card tries billions of those a second"
    yield _finding(digest.site, what, Confidence.FIRM, function)


@rule.check(per=Encoding)
def password_that_is_only_encoded(encoding: Encoding, graph: AppGraph) -> Iterator[Finding]:
    function = encoding.function
    if function is None or not encoding.kind.endswith("-encode") or function.module.kind != "source":
        return
    target = next((last_name(t) for t in getattr(encoding.site.statement, "targets", ())), "")
    name = _password_in(encoding.data)
    if name and _COLUMN.search(target) and not graph.within(PasswordHash, function):
        what = f"`{function.name}` encodes `{name}`, which anybody can turn back"
        yield _finding(encoding.site, what, Confidence.FIRM, function)


@rule.check(per=KeyDerivation)
def too_few_rounds(derivation: KeyDerivation, graph: AppGraph) -> Iterator[Finding]:
    rounds = graph.program.constants.value(derivation.iterations, derivation.scope)
    name = _password_in(derivation.password)
    few = derivation.scheme == "pbkdf2" and isinstance(rounds, int) and rounds < _LEAST_PBKDF2
    if name and few and derivation.scope.module.kind == "source":
        what = (
            f"`{derivation.scope.name}` derives from `{name}` with {rounds} rounds instead of {_LEAST_PBKDF2}"
        )
        yield _finding(derivation.site, what, Confidence.FIRM, derivation.scope)


@rule.check(per=PasswordHasher)
def weak_scheme(hasher: PasswordHasher, graph: AppGraph) -> Iterator[Finding]:
    if hasher.scope.module.kind != "source":
        return
    schemes = graph.program.constants.value(hasher.schemes, hasher.scope)
    first = schemes[0] if isinstance(schemes, list | tuple) and schemes else ""
    rounds = argument(hasher.node, None, "bcrypt__rounds")
    cost = graph.program.constants.value(rounds, hasher.scope) if rounds is not None else None
    if first in _WEAK_SCHEMES:
        yield _finding(hasher.site, f"new passwords are kept as `{first}`", Confidence.CERTAIN, hasher.scope)
    elif isinstance(cost, int) and cost < _LEAST_BCRYPT:
        yield _finding(
            hasher.site, f"`bcrypt__rounds={cost}` makes guessing cheap", Confidence.CERTAIN, hasher.scope
        )


@rule.check(per=AppGraph)
def plain_password_in_a_row(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    for site in graph.program.call_sites_named("gensalt"):
        rounds = graph.program.constants.value(argument(site.node, 0, "rounds"), site.scope)
        if isinstance(rounds, int) and rounds < _LEAST_BCRYPT and site.scope.module.kind == "source":
            yield _finding(site, f"`gensalt({rounds})` makes guessing cheap", Confidence.FIRM, site.scope)
    for model in graph.models:
        columns = {c.name for c in model.table.columns if _COLUMN.search(c.name)}
        if columns and not _hashes_itself(model):
            yield from _made(graph, model, columns)
            yield from _assigned(graph, model, columns)
            yield from _compared(graph, model, columns)


def _hashes_itself(model: Model) -> bool:
    """A validator, setter or constructor of the model, or a type of the column, does the hashing."""
    methods = [f for f in model.cls.functions if f.name == "__init__" or f.node.decorators]
    words = " ".join(last_name(site.node.func) for f in methods for site in f.facts.calls)
    types = " ".join(name for c in model.cls.facts.bindings.values() for b in c for name in names_in(b.value))
    return bool(re.search(r"hash|crypt|PasswordType|verify", f"{words} {types}", re.IGNORECASE))


def _made(graph: AppGraph, model: Model, columns: set[str]) -> Iterator[Finding]:
    for site in graph.program.call_sites_named(model.cls.name):
        if site.scope.module.kind != "source" or not _is_instance(graph, site.node, site.scope, model.cls):
            continue
        for keyword in site.node.keywords:
            name = _plain(keyword.value, site.scope) if keyword.arg in columns else ""
            if name:
                yield from _kept(graph, site, f"{model.cls.name}.{keyword.arg}", name)


def _assigned(graph: AppGraph, model: Model, columns: set[str]) -> Iterator[Finding]:
    for module in graph.program.mentioning(*sorted(columns)):
        if module.kind != "source":
            continue
        for function in all_functions(module):
            for site in function.facts.sites(ir.Assign):
                target = site.node.targets[0]
                if target.__class__ is not ir.Attribute or target.attr not in columns:
                    continue
                name = _plain(site.node.value, function)
                if name and _is_instance(graph, target.value, function, model.cls):
                    yield from _kept(graph, site, f"{model.cls.name}.{target.attr}", name)


def _kept(graph: AppGraph, site: Site, column: str, name: str) -> Iterator[Finding]:
    """Where every caller hashes, nothing is wrong; callers that cannot be followed may, in a backend that hashes."""
    parameter, _, field = name.partition(".")
    assert isinstance(site.scope, Function)
    way = handed(graph, site.scope, parameter, field)
    if way == "hashed":
        return
    hashes = any(True for _ in graph.facts(PasswordHash))
    sure = way == "sent" or not hashes
    what = f"`{column}` gets `{name}` as it was {'sent' if sure else 'given'}"
    yield _finding(site, what, Confidence.FIRM if sure else Confidence.TENTATIVE, site.scope)


def _compared(graph: AppGraph, model: Model, columns: set[str]) -> Iterator[Finding]:
    """`user.password == password`, also as a condition of a statement: what is stored is what was sent."""
    for module in graph.program.mentioning(*sorted(columns)):
        for function in all_functions(module) if module.kind == "source" else ():
            for site, column, sent in _comparisons(function):
                name = _plain(sent, function) if column.attr in columns else ""
                if name and _is_of(graph, column.value, function, model.cls):
                    what = (
                        f"`{model.cls.name}.{column.attr}` is compared with `{name}` by equality: it is stored as it was sent, "
                        "or as a digest that is quickly guessed"
                    )
                    yield _finding(site, what, Confidence.FIRM, function)


def _comparisons(function: Function) -> Iterator[tuple[Site, ir.Attribute, ir.Expr]]:
    """Tests for equality, each side that is an attribute once, with the other side."""
    for site in function.facts.sites(ir.Compare):
        if site.node.ops in (["=="], ["!="]):
            left, right = site.node.left, site.node.comparators[0]
            for one, other in ((left, right), (right, left)):
                if isinstance(one, ir.Attribute):
                    yield site, one, other


def _is_of(graph: AppGraph, expr: ir.Expr, scope: Scope, cls: Class) -> bool:
    """An instance of the model, or the model itself in a statement."""
    of = options(graph.program.inference.type_of(expr, scope))
    return any(isinstance(o, Instance | ClassRef) and o.cls is cls for o in of)


def _is_instance(graph: AppGraph, expr: ir.Expr, scope: Scope, cls: Class) -> bool:
    return any(
        isinstance(o, Instance) and o.cls is cls
        for o in options(graph.program.inference.type_of(expr, scope))
    )


def _plain(expr: ir.Expr, scope: Scope) -> str:
    """The password as the caller sent it: a parameter, or a field of one; "" when it is anything else."""
    expr = unwrapped(expr)
    if expr.__class__ is ir.Attribute and _PASSWORD.search(expr.attr) and expr.value.__class__ is ir.Name:
        return f"{expr.value.id}.{expr.attr}" if _is_parameter(expr.value.id, scope) else ""
    if (
        expr.__class__ is ir.Name
        and _PASSWORD.search(expr.id)
        and len(scope.facts.bindings.get(expr.id, ())) == 1
    ):
        return expr.id if _is_parameter(expr.id, scope) else ""
    return ""


def _is_parameter(name: str, scope: Scope) -> bool:
    return isinstance(scope, Function) and scope.parameter(name) is not None and name != "self"


def _password_in(expr: ir.Expr | None) -> str:
    """The password-like name that an expression is made of; "" when there is none."""
    return next((name for name in names_in(expr) if _PASSWORD.search(name)), "")


def _finding(site: Site, what: str, confidence: Confidence, scope: Scope) -> Finding:
    return rule.at(
        site,
        f"{what[0].upper()}{what[1:]}.",
        "Hash passwords with Argon2, and hash the old ones anew at the next login:\n"
        "```python\n"
        "hasher = argon2.PasswordHasher()\n"
        "user.hashed_password = hasher.hash(password)\n"
        "```",
        reasoning="Whoever gets a copy of the table, a backup or a log of it has the passwords, or guesses them offline.",
        exploit="Take a dump of the table, and log in here and wherever else the passwords are used.",
        confidence=confidence,
        trace=steps((site, what)),
        context=Context(access=None, data="secret", writes=True, hard=True),
        symbol=scope.full_name,
    )


_HEAD = """
    import hashlib

    from argon2 import PasswordHasher
    from fastapi import FastAPI
    from pydantic import BaseModel

    hasher = PasswordHasher(time_cost=1, memory_cost=64)
    rows: dict[str, str] = {}
    app = FastAPI()

    class Registration(BaseModel):
        name: str
        password: str
"""

rule.bad = (
    _HEAD
    + """
    @app.post("/accounts", status_code=201)
    def register(new: Registration) -> None:
        rows[new.name] = hashlib.sha256(new.password.encode()).hexdigest()  # finding: password-stored-weakly
"""
)

rule.good = (
    _HEAD
    + """
    @app.post("/accounts", status_code=201)
    def register(new: Registration) -> None:
        rows[new.name] = hasher.hash(new.password)
"""
)


@rule.exploit
def a_copy_of_the_table_gives_the_passwords(proof: Proof) -> None:
    """A list of common passwords, digested once, names the owner of every weak one in a stolen table."""
    import hashlib

    for name, password in (("alice", "sunshine"), ("bob", "dragon")):
        assert proof.client.post("/accounts", json={"name": name, "password": password}).status_code == 201
    stolen = proof.module().rows
    common = {hashlib.sha256(word.encode()).hexdigest(): word for word in ("123456", "dragon", "sunshine")}
    assert {name: common.get(stored) for name, stored in stolen.items()} == {
        "alice": "sunshine",
        "bob": "dragon",
    }
