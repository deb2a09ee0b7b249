"""The code that proves who owns a mail address is handed to whoever asks for it, is soon tried out, or is good for ever.

A reset code is a password that travels by mail. When the answer to the request holds it, no mailbox is needed to take an
account over. When the table that keeps codes has no time in it, an old mail opens the account years later. And a code of
four or six digits is worth no more than the limit on attempts at the operation that compares it.

Known limits: requests are recognised by their path and name; the code is followed inside one function. Whether a code is
cleared after use is not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fastapi_architect.analyses.injected_values import names_read
from fastapi_architect.analyses.rate_limits import is_limited_as_a_whole, unlimited
from fastapi_architect.analyses.short_codes import ShortCode, code_checks, short_codes
from fastapi_architect.appgraph.models import Model
from fastapi_architect.concepts.cryptography import RandomValue
from fastapi_architect.concepts.identity import TokenEncode
from fastapi_architect.rules.kit import (
    AppGraph,
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
    "A code that proves who owns an account is given away, soon tried out, or never ends",
    severity=Severity.IMPORTANT,
    cwe=640,
    cvss="AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:N",
    references=(
        "https://cheatsheetseries.owasp.org/cheatsheets/Forgot_Password_Cheat_Sheet.html",
        "https://owasp.org/API-Security/editions/2023/en/0xa2-broken-authentication/",
    ),
)

_REQUEST = lazy_pattern(
    r"reset|forgot|recover|password_?less|magic|send_?(otp|code)|request_?(otp|code)|verif\w*_?(code|email|request|resend)|resend",
    re.IGNORECASE,
)
_SECRET = lazy_pattern(r"code|token|otp|pin|link|url|secret|key", re.IGNORECASE)
_COLUMN = lazy_pattern(
    r"(reset|recovery|verification|verify|confirmation|activation|magic|otp)(_password|_email|_account)?_?"
    r"(token|code|key|hash|pin|secret)",
    re.IGNORECASE,
)
#: Endings of columns that say something about a code, and do not hold it.
_ABOUT = lazy_pattern(r"_(ids?|by|ip|count|attempts|used|enabled|required|type|status)$", re.IGNORECASE)
_TIME = lazy_pattern(
    r"expir|valid_?(until|to)|created|sent|issued|requested|generated|ttl|_at$|time", re.IGNORECASE
)
_DEPTH = 3


@rule.check(per=PathOperation)
def code_in_the_answer(operation: PathOperation, graph: AppGraph) -> Iterator[Finding]:
    handler = operation.handler
    if handler is None or not operation.is_write or operation.is_websocket:
        return
    if not _REQUEST.search(f"{operation.path} {handler.name}") or graph.access(operation).authenticated:
        return
    found = _given_back(graph, handler, 0)
    if found is not None:
        yield _given_away(operation, handler, *found)


def _given_back(graph: AppGraph, function: Function, depth: int) -> tuple[Site, str] | None:
    """A `return` that holds a code made here, or in the function whose result is returned."""
    made = _made_here(graph, function)
    for site in function.facts.sites(ir.Return):
        value = site.node.value
        if value is None:
            continue
        called = {id(node) for node in walk(value) if node.__class__ is ir.Call}
        for name in sorted(made & _shown(value)):
            return site, name
        if depth >= _DEPTH or _expected(value) in ("bool", "int"):
            continue
        for call in function.facts.calls:
            if id(call.node) in called and (
                call.node is value or (value.__class__ is ir.Await and value.value is call.node)
            ):
                for target in graph.program.calls.targets(call):
                    inner = _given_back(graph, target, depth + 1)
                    if inner is not None:
                        return inner
    return None


def _made_here(graph: AppGraph, function: Function) -> set[str]:
    """Names that hold a random code or a signed token, made in this function."""
    nodes = {id(c.node) for kind in (RandomValue, TokenEncode) for c in graph.within(kind, function)}
    found: set[str] = set()
    for name, bindings in function.facts.bindings.items():
        for binding in bindings:
            if (
                binding.kind == "assign"
                and _SECRET.search(name)
                and any(_makes(graph, n, function, nodes) for n in walk(binding.value))
            ):
                found.add(name)
    return found


def _makes(graph: AppGraph, node: ir.Expr, function: Function, nodes: set[int]) -> bool:
    if id(node) in nodes:
        return True
    if node.__class__ is not ir.Call or not re.search(
        r"(generate|create|make|new)\w*(token|code|otp|pin)", last_name(node.func), re.IGNORECASE
    ):
        return False
    return any(site.node is node and graph.program.calls.targets(site) for site in function.facts.calls)


def _shown(value: ir.Expr) -> set[str]:
    """Names whose values the answer holds: fields of a dictionary or model, not arguments of a digest."""
    if value.__class__ is ir.Name:
        return {value.id}
    if value.__class__ is ir.Dict:
        return {name for each in value.values for name in _shown(each)}
    if value.__class__ is ir.Call and (
        last_name(value.func)[:1].isupper() or last_name(value.func) == "dict"
    ):
        return {k.value.id for k in value.keywords if k.value.__class__ is ir.Name} | {
            name for k in value.keywords if k.value.__class__ is ir.Dict for name in _shown(k.value)
        }
    if value.__class__ is ir.JoinedStr:
        return names_read(value)
    return set()


def _expected(value: ir.Expr) -> str:
    return last_name(value.func) if value.__class__ is ir.Call else ""


def _given_away(operation: PathOperation, handler: Function, place: Site, name: str) -> Finding:
    return rule.at(
        handler,
        f"`{operation}` ({handler.name}) answers with `{name}`, the code that only the owner of the mailbox should get.",
        "Mail the code, and answer the same to everybody:\n"
        "```python\n"
        f"background_tasks.add_task(send_mail, email, {name})\n"
        "return Response(status_code=202)\n"
        "```",
        reasoning=f"{name} proves that its holder can read the account's mail; the answer goes to whoever asked.",
        exploit=f"Ask `{operation}` for somebody else's address, take `{name}` from the answer, and set their password.",
        confidence=Confidence.FIRM,
        trace=steps((handler, f"{operation} asks nobody who they are"), (place, f"{name} is given back")),
        routes=routes_of([operation]),
        context=Context(access="none", data="secret", writes=True),
    )


@rule.check(per=AppGraph)
def code_that_is_soon_tried_out(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    """A short code that opens an account, where some operation compares it without counting attempts."""
    codes = [code for code in short_codes(graph) if _COLUMN.search(code.name)]
    if not codes:
        return
    checks = code_checks(graph)
    for code in codes:
        tests = frozenset(function for function, name in checks.items() if name == code.name)
        open_ones = [
            operation
            for application in graph.applications
            if not is_limited_as_a_whole(graph, application)
            for operation in unlimited(application, graph, tests)[0]
        ]
        if open_ones:
            yield _soon_tried(code, open_ones[0])


def _soon_tried(code: ShortCode, operation: PathOperation) -> Finding:
    assert operation.handler is not None
    return rule.at(
        code.value,
        f"`{code.name}` is one of {code.possibilities:,} codes, and `{operation}` ({operation.handler.name}) compares as many "
        "as somebody sends.",
        f"Send a code that nobody can try out, and count the attempts at `{operation}`:\n"
        f"```python\n{code.name} = secrets.token_urlsafe(16)\n```",
        reasoning="A short code is safe only when it is gone after a few wrong ones.",
        exploit=f"Ask for a code for somebody else's account, and send `{operation}` all {code.possibilities:,} of them before it "
        "ends.",
        confidence=Confidence.FIRM,
        trace=steps(
            (code.value, f"{code.name} is made here"), (operation.handler, "it is compared without a limit")
        ),
        routes=routes_of([operation]),
        context=Context(access="none", data="secret", writes=True),
    )


@rule.check(per=AppGraph)
def code_without_an_end(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    for model in graph.models:
        if model.cls.module.kind != "source":
            continue
        columns = [c for c in model.table.columns if _COLUMN.search(c.name) and not _ABOUT.search(c.name)]
        if columns and not _has_time(model):
            column = columns[0]
            yield rule.at(
                column.location,
                f"`{model.cls.name}.{column.name}` has no time beside it: a code that was sent once is good until it is used.",
                "Keep when the code ends, and compare before it is accepted:\n"
                f"```python\n{column.name}_expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))\n```",
                reasoning=f"No column of {model.cls.name} says when the code was made or when it ends.",
                exploit=f"Take a `{column.name}` that was sent once, from an old mail or a backup, and use it.",
                confidence=Confidence.TENTATIVE,
                trace=steps((column.location, f"{column.name} is kept without a time")),
                context=Context(data="secret", writes=True, hard=True),
                symbol=model.cls.full_name,
            )


def _has_time(model: Model) -> bool:
    """Any time about the code itself; when the row was made counts only in a table of codes."""
    of_codes = bool(re.search(r"token|reset|code|otp|verif", model.cls.name, re.IGNORECASE))
    names = [c.name for c in model.table.columns]
    return any(
        _TIME.search(n) and (of_codes or not re.match(r"(created|updated|modified|deleted|last_login)", n))
        for n in names
    )


_HEAD = """
    import secrets

    from fastapi import FastAPI, HTTPException

    passwords = {"alice@example.com": "a long password"}
    codes: dict[str, str] = {}
    mails: list[str] = []
    app = FastAPI()

    @app.post("/password-resets/confirmation")
    def finish_reset(code: str, password: str) -> None:
        if code not in codes:
            raise HTTPException(404)
        passwords[codes.pop(code)] = password
"""

rule.bad = (
    _HEAD
    + """
    @app.post("/password-resets")
    def start_reset(email: str) -> dict[str, str]:  # finding: reset-or-verify-token-lifecycle
        code = secrets.token_urlsafe(16)
        if email in passwords:
            codes[code] = email
        return {"code": code}
"""
)

rule.good = (
    _HEAD
    + """
    @app.post("/password-resets")
    def start_reset(email: str) -> dict[str, str]:
        code = secrets.token_urlsafe(16)
        if email in passwords:
            codes[code] = email
            mails.append(f"To {email}: your code is {code}")
        return {"detail": "If there is an account, a mail is on its way."}
"""
)


@rule.exploit
def a_stranger_sets_the_password(proof: Proof) -> None:
    """A stranger asks for Alice's reset, takes the code from the answer, and sets her password."""
    answer = proof.client.post("/password-resets", params={"email": "alice@example.com"})
    code = answer.json().get("code", "")
    proof.client.post("/password-resets/confirmation", params={"code": code, "password": "mallory's own"})
    assert proof.module().passwords["alice@example.com"] == "mallory's own"
