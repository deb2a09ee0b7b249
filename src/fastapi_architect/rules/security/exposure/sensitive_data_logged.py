"""A password, token or key is written into the log.

Logs are kept for months, copied to other services, and read by more people than the database: support, contractors, whoever
finds an old backup. A bearer token in a log is a session for whoever reads it; a password opens other services as well.
Objects are the usual way in: `logger.info("login %s", payload)` writes all fields, and `request.headers` holds the token.

Known limits: secrets are known by names (of variables, keys, fields), not by their values; a bare `token` or `secret` counts
in code about signing in only. What stands under a switch for development is tentative. Filters of the logging configuration
are not looked at. What is hashed, cut or masked by a function that is named for it is left out, and so is `print` outside of
requests. Arguments are followed to the callers where they are declared as more than one text.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.logged_secrets import (
    LoggedSecret,
    is_for_development,
    is_worthless,
    logged_secrets,
)
from fastapi_architect.analyses.source_text import text_at
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Context,
    Edit,
    Finding,
    Fix,
    Function,
    Location,
    Proof,
    Rule,
    Severity,
    dotted_name,
    ir,
    last_name,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "A secret is written into the log",
    severity=Severity.IMPORTANT,
    cwe=532,
    cvss="AV:N/AC:H/PR:L/UI:N/S:U/C:H/I:N/A:N",
    references=(
        "https://cheatsheetseries.owasp.org/cheatsheets/Logging_Cheat_Sheet.html#data-to-exclude",
        "https://docs.pydantic.dev/latest/api/types/#pydantic.types.SecretStr",
    ),
)


@rule.check(per=AppGraph)
def secret_in_the_log(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    for secret in logged_secrets(graph):
        record = secret.record
        function = record.scope
        operations = graph.entries(function) if isinstance(function, Function) else ()
        what = _named(secret)
        yield rule.at(
            record,
            f"`{function.name}` logs {what}.",
            _suggestion(secret),
            reasoning=f"{what[0].upper()}{what[1:]} is in the record as it is: nothing masks, cuts or hashes it on the way.",
            exploit=f"Whoever can read the log reads {what}, and uses it.",
            confidence=_confidence(secret, graph),
            trace=steps(
                (secret.piece.scope.location(secret.piece.expr), f"{what} is read"),
                *((hop.scope.location(hop.node), hop.text) for hop in reversed(secret.piece.hops)),
                (record, "it is logged"),
            ),
            fix=_fix(secret, graph),
            routes=routes_of(operations),
            # Whoever reads the log has an account of its own kind: what the routes ask for does not matter.
            context=Context(access="user", data="secret", writes=False),
        )


def _named(secret: LoggedSecret) -> str:
    if secret.what == "headers":
        return "all headers of the request, `Authorization` among them"
    if secret.what == "cookies":
        return "the cookies of the request"
    if secret.owner is not None:
        return f"`{secret.owner.name}` with its field `{secret.name}`"
    if secret.what == "unwrapped":
        return f"the value of `{secret.name}`, unwrapped"
    return f"`{secret.name}`"


def _confidence(secret: LoggedSecret, graph: AppGraph) -> Confidence:
    if is_for_development(secret, graph) or is_worthless(secret, graph):
        return Confidence.TENTATIVE
    direct = secret.record.sure and not secret.piece.hops
    return (
        Confidence.CERTAIN
        if direct and secret.what in ("object", "settings", "unwrapped")
        else Confidence.FIRM
    )


def _suggestion(secret: LoggedSecret) -> str:
    log = dotted_name(secret.record.node.func) or "logger.info"
    log = "logger.info" if log == "print" else log
    if secret.owner is not None:
        held = dotted_name(_object_of(secret)) or "payload"
        return (
            f"Log what names the thing, not the thing, and declare `{secret.name}` as `SecretStr`, which writes itself as stars:\n"
            f'```python\n{log}("%s", {held}.model_dump(exclude={{"{secret.name}"}}))\n```'
        )
    if secret.what in ("headers", "cookies"):
        return f'Log the headers that you need:\n```python\n{log}("from %s", request.headers.get("user-agent"))\n```'
    return f'Log who it belongs to instead:\n```python\n{log}("{secret.name} of account %s", account_id)\n```'


def _object_of(secret: LoggedSecret) -> ir.Expr:
    expr = secret.piece.expr
    return expr.func.value if isinstance(expr, ir.Call) and isinstance(expr.func, ir.Attribute) else expr


def _fix(secret: LoggedSecret, graph: AppGraph) -> Fix | None:
    """`payload.model_dump()` without the field, where it is written out in the record itself."""
    call = secret.piece.expr
    if (
        secret.owner is None
        or not isinstance(call, ir.Call)
        or secret.piece.hops
        or call.args
        or call.keywords
    ):
        return None
    if last_name(call.func) not in ("model_dump", "model_dump_json", "dict", "json"):
        return None
    place = secret.piece.scope.location(call)
    if not text_at(graph, place).endswith("()"):
        return None
    inside = Location(place.path, place.end_line, place.end_column - 1, place.end_line, place.end_column - 1)
    return Fix(f"Leave `{secret.name}` out", (Edit(inside, f'exclude={{"{secret.name}"}}'),))


_HEAD = """
    import logging

    from fastapi import FastAPI
    from pydantic import BaseModel

    app = FastAPI()
    logger = logging.getLogger(__name__)


    class Registration(BaseModel):
        email: str
        password: str


    @app.post("/accounts", status_code=201)
    def register(payload: Registration) -> None:
"""

rule.bad = (
    _HEAD
    + """
        logger.warning("new account: %s", payload.model_dump())  # finding: sensitive-data-logged
"""
)

rule.good = (
    _HEAD
    + """
        logger.warning("new account: %s", payload.email)
"""
)


@rule.exploit
def the_log_holds_the_password(proof: Proof) -> None:
    """Somebody registers, and their password stands in the log."""
    body = {"email": "ada@example.org", "password": "correct horse battery"}
    assert proof.client.post("/accounts", json=body).status_code == 201
    assert any("new account" in line for line in proof.logs)
    assert any("correct horse battery" in line for line in proof.logs)
