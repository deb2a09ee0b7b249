"""A new password may be so short that it is guessed in seconds, or may not be long enough to be a good one.

Length is what counts: eight characters at the very least (better twelve), and at least 64 must be allowed, so that
passphrases and password managers work. Rules about kinds of characters help less than they annoy.

Known limits: only models that are sent to create an account or to change a password; a validator or a strength check
that looks at the field counts as a policy.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fastapi_architect.appgraph.schemas import Schema, SchemaField
from fastapi_architect.program.types import Instance, options
from fastapi_architect.rules.kit import (
    UNKNOWN,
    AppGraph,
    Class,
    Confidence,
    Context,
    Edit,
    Finding,
    Fix,
    Function,
    Location,
    PathOperation,
    Proof,
    Rule,
    Severity,
    argument,
    ir,
    last_name,
    lazy_pattern,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "A new password may be very short, or must be",
    severity=Severity.MINOR,
    cwe=521,
    cvss="AV:N/AC:H/PR:N/UI:N/S:U/C:L/I:N/A:N",
    references=(
        "https://pages.nist.gov/800-63-4/sp800-63b.html#passwordver",
        "https://cheatsheetseries.owasp.org/cheatsheets/Authentication_Cheat_Sheet.html#implement-proper-password-strength-controls",
    ),
)

_FIELD = lazy_pattern(r"^(new_?|plain_?|raw_?)?(password|passwd|pwd)1?$", re.IGNORECASE)
_CREATES = lazy_pattern(
    r"creat|regist|sign_?up|new|reset|chang|updat|set|invit|recover|confirm|onboard", re.IGNORECASE
)
_ENTERS = lazy_pattern(
    r"log_?in|sign_?in|auth(?!or)|token|verif|credential|connect|delete|share|database|smtp|ldap|proxy",
    re.IGNORECASE,
)
_CHECKS = lazy_pattern(
    r"(valid|check|verif|authent|strength|polic|strong|enforce|zxcvbn|complex)\w*", re.IGNORECASE
)
_LEAST = 8
_MOST_FUNCTIONS = 40
_MOST = 64


@rule.check(per=AppGraph)
def field_without_a_length(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    schemas = {id(schema.cls): schema for schema in graph.schemas}
    reported: set[tuple[str, int]] = set()
    for operation in graph.operations:
        if not operation.is_write or operation.handler is None:
            continue
        for parameter in operation.parameters:
            cls = _model(parameter.type) if parameter.kind in ("body", "form") else None
            schema = schemas.get(id(cls)) if cls is not None else None
            if schema is None or not _is_new(schema, operation):
                continue
            for field in schema.fields:
                place = (field.location.path, field.location.line)
                if (
                    place in reported
                    or not _FIELD.search(field.name)
                    or _is_checked_elsewhere(graph, schema, field, operation)
                ):
                    continue
                wrong = _wrong(graph, field)
                if wrong:
                    reported.add(place)
                    yield _finding(graph, schema, field, operation, wrong)


def _model(of: object) -> Class | None:
    found = [o.cls for o in options(of) if isinstance(o, Instance) and isinstance(o.cls, Class)]  # type: ignore[arg-type]
    return found[0] if found else None


def _is_new(schema: Schema, operation: PathOperation) -> bool:
    """The model carries a password to be set, not one to be tested."""
    assert operation.handler is not None
    if _ENTERS.search(schema.name) and not _CREATES.search(schema.name):
        return False
    return bool(
        _CREATES.search(schema.name)
        or (_CREATES.search(operation.handler.name) and not _ENTERS.search(operation.handler.name))
    )


def _is_checked_elsewhere(
    graph: AppGraph, schema: Schema, field: SchemaField, operation: PathOperation
) -> bool:
    if any(
        v.function is None or v.fields or _reads(v.function, field.name)
        for v in schema.validators_of(field.name)
    ):
        return True
    assert operation.handler is not None
    for function in _below(graph, operation.handler):
        for site in function.facts.calls:
            name = last_name(site.node.func)
            about = "passw" in name.lower() or any("passw" in last_name(a).lower() for a in site.node.args)
            if about and (_CHECKS.search(name) or name == "len"):
                return True
    return False


def _below(graph: AppGraph, handler: Function) -> list[Function]:
    """The handler and what it calls, three levels deep."""
    found = [handler]
    frontier = found
    for _ in range(3):
        called = [t for f in frontier for site in f.facts.calls for t in graph.program.calls.targets(site)]
        frontier = [f for f in dict.fromkeys(called) if f not in found][:_MOST_FUNCTIONS]
        found = [*found, *frontier]
    return found


def _reads(function: object, name: str) -> bool:
    facts = function.facts  # type: ignore[attr-defined]
    return any(site.node.attr == name for site in facts.sites(ir.Attribute)) or any(
        argument.__class__ is ir.Constant and argument.value == name
        for site in facts.calls
        for argument in site.node.args
    )


def _wrong(graph: AppGraph, field: SchemaField) -> str:
    """What is wrong with the limits, "" when they are well or not known."""
    least, most, pattern = (_limit(graph, field, name) for name in ("min_length", "max_length", "pattern"))
    texts = {o.name.rpartition(".")[2] for o in options(field.type) if isinstance(o, Instance)}
    if not texts & {"str", "SecretStr"}:
        return ""
    if "min_length" in field.constraints and least is None:
        return ""
    if least is None and pattern is None:
        return "may have any length"
    if isinstance(least, int) and least < _LEAST:
        return f"may have {least} characters"
    if isinstance(most, int) and most < _MOST:
        return f"must not have more than {most} characters"
    return ""


def _limit(graph: AppGraph, field: SchemaField, name: str) -> object:
    """A limit of the field; also of `Query(..., min_length=8)`, which Pydantic 1 takes for a `Field`."""
    found = field.limit(name)
    if found is None and field.default.__class__ is ir.Call:
        given = argument(field.default, None, name)
        value = graph.program.constants.value(given, field.owner) if given is not None else UNKNOWN
        return None if value is UNKNOWN else value
    return found


def _finding(
    graph: AppGraph, schema: Schema, field: SchemaField, operation: PathOperation, wrong: str
) -> Finding:
    inherited = "" if field.owner is schema.cls else f" (from {field.owner.name})"
    return rule.at(
        field,
        f"`{schema.name}.{field.name}`{inherited} {wrong}.",
        "Ask for a length, and allow long ones:\n"
        f"```python\nclass {field.owner.name}(BaseModel):\n    {field.name}: str = Field(min_length=12, max_length=128)\n```",
        reasoning=f"`{operation}` sets the password that is sent in it, and nothing else looks at its length.",
        exploit=f"Try the few thousand shortest and commonest passwords: some account that `{operation}` made has one of them.",
        confidence=Confidence.FIRM,
        trace=steps((operation, f"{operation} sets the password"), (field, wrong)),
        fix=_fix(graph, field),
        routes=routes_of([operation]),
        context=Context(hard=True),
        symbol=f"{field.owner.full_name}.{field.name}",
    )


def _fix(graph: AppGraph, field: SchemaField) -> Fix | None:
    """Raise a `min_length` that is written as a number."""
    bindings = field.owner.facts.bindings.get(field.name, ())
    call = bindings[-1].value if bindings else None
    if call.__class__ is not ir.Call:
        return None
    for keyword in call.keywords:
        value = graph.program.constants.value(keyword.value, field.owner)
        if (
            keyword.arg == "min_length"
            and keyword.value.__class__ is ir.Constant
            and isinstance(value, int)
            and value < _LEAST
        ):
            place: Location = field.owner.location(keyword.value)
            return Fix("Ask for twelve characters", (Edit(place, "12"),), changes_contract=True)
    return None


rule.bad = """
    from fastapi import FastAPI
    from pydantic import BaseModel, Field

    class Registration(BaseModel):
        name: str
        password: str = Field(min_length=4)  # finding: weak-password-policy

    app = FastAPI()

    @app.post("/accounts", status_code=201)
    def register(new: Registration) -> str:
        return new.name
"""

rule.good = """
    from fastapi import FastAPI
    from pydantic import BaseModel, Field

    class Registration(BaseModel):
        name: str
        password: str = Field(min_length=12, max_length=128)

    app = FastAPI()

    @app.post("/accounts", status_code=201)
    def register(new: Registration) -> str:
        return new.name
"""


@rule.exploit
def four_digits_are_a_password(proof: Proof) -> None:
    """An account is opened with the password 1234, which is the first that anybody tries."""
    answer = proof.client.post("/accounts", json={"name": "alice", "password": "1234"})
    assert answer.status_code == 201
