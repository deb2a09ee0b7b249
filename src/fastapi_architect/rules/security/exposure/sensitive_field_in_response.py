"""A route gives out a password hash or another secret.

Without a response model FastAPI writes out everything that an object holds; a model that has the field writes it
out as well; and a union such as `UserOut | UserInDB` filters nothing when the wider one is returned.

The settings of the application are one such object: a route that shows them whole shows every key that it signs in with elsewhere.

Known limits: secrets are known by the names of fields. Settings that only some roles may read are left alone. API keys, client
secrets and reset tokens may be shown once, when they are made: they are reported for reading routes only, as tentative. What the
client has to ask for by a parameter such as `include_credentials`, which the code tests before it fills the field, is minor and
tentative.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec.structs import replace

from fastapi_architect.analyses.class_schemas import schema_of
from fastapi_architect.analyses.effects import effects
from fastapi_architect.analyses.exposed_fields import ExposedField, exposure, left_out
from fastapi_architect.analyses.own_code import registered, written
from fastapi_architect.analyses.unfilled_fields import stays_out
from fastapi_architect.program.types import Type
from fastapi_architect.rules.kit import (
    AccessLevel,
    AppGraph,
    Class,
    Confidence,
    Context,
    Finding,
    Instance,
    PathOperation,
    Proof,
    Rule,
    Severity,
    ir,
    names_in,
    options,
    routes_of,
    steps,
)
from fastapi_architect.source.lazy_pattern import lazy_pattern

rule = Rule(
    __name__,
    "A route gives out a secret field",
    severity=Severity.CRITICAL,
    cwe=200,
    cvss="AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N",
    references=(
        "https://fastapi.tiangolo.com/tutorial/response-model/#response_model-or-return-type",
        "https://owasp.org/API-Security/editions/2023/en/0xa3-broken-object-property-level-authorization/",
    ),
)

#: A parameter by which a client asks for secrets: `include_creds`, `with_secrets`, `reveal_password`.
_WISH = lazy_pattern(
    r"^(include|with|show|reveal|expose|return)_\w*(cred|secret|password|key|token|sensitive)", re.IGNORECASE
)
_OPEN_TYPES = frozenset(
    {"typing.Any", "builtins.dict", "builtins.object", "builtins.list", "collections.abc.Mapping"}
)

#: Fields of the model, in the code that is suggested.
_SHOWN = 8


@rule.check(per=PathOperation)
def secret_in_answer(operation: PathOperation, graph: AppGraph) -> Iterator[Finding]:
    if operation.handler is None or operation.kind != "http":
        return
    found, source = _exposed(operation, graph)
    if not found:
        return
    excluded, included = left_out(operation, graph)
    shown = [
        f
        for f in found
        if not ({f.name, f.path.partition(".")[0]} & excluded)
        and (not included or f.path.partition(".")[0] in included)
        and (f.always_secret or operation.methods == ("GET",))
        and not (f.configured and graph.access(operation).level > AccessLevel.USER)
        and not _is_blanked(operation, f.name, graph)
        and not stays_out(operation, f.owner, f.name, graph)
    ]
    if not shown:
        return
    finding = _finding(operation, shown, source, graph)
    if _is_asked_for(operation, graph) or _is_said(operation):
        finding = replace(finding, severity=Severity.MINOR, confidence=Confidence.TENTATIVE)
    yield finding


#: Models that say themselves that they carry secrets: somebody decided that this route shows them.
_SAID = lazy_pattern(r"With(Creds|Credentials?|Secrets?|Tokens?|Passwords?|(Api)?Keys?)(?![a-z])")


def _is_said(operation: PathOperation) -> bool:
    """The declared model is named for its secrets (`BackendWithCreds`)."""
    handler = operation.handler
    declared = operation.response_model or (handler.node.returns if handler is not None else None)
    return any(_SAID.search(name) for name in names_in(declared))


def _exposed(operation: PathOperation, graph: AppGraph) -> tuple[list[ExposedField], str]:
    """Secret fields of the answer, and what gives them out: the model's name, or what is returned."""
    declared = operation.response_type
    reader = exposure(graph)
    if declared is not None and not _is_open(declared):
        if any(_is_response(o) for o in options(declared)):
            return [], ""
        return list(reader.secrets_in(declared)), "declared"
    if operation.response_model is not None and declared is None and not _is_none(operation.response_model):
        return [], ""  # declared, and not known
    found: list[ExposedField] = []
    assert operation.handler is not None
    for _, of in reader.returned(operation.handler):
        found += reader.secrets_in(of)
    return list(dict.fromkeys(found)), "returned"


def _is_none(expr: ir.Expr) -> bool:
    return expr.__class__ is ir.Constant and expr.kind == "none"


def _is_open(of: Type) -> bool:
    """`Any`, `dict`, `object`: a declaration that filters nothing."""
    return all(
        (getattr(o, "name", "") in _OPEN_TYPES and not any(getattr(o, "args", ()) or ())) or
        getattr(o, "name", "") in ("typing.Any", "builtins.object")
        for o in options(of)
    )  # fmt: skip


def _is_response(of: Type) -> bool:
    return isinstance(of, Instance) and of.name.rpartition(".")[2].endswith("Response")


def _is_blanked(operation: PathOperation, name: str, graph: AppGraph) -> bool:
    """The handler, or what it calls, overwrites or deletes the field before it answers."""
    for function in effects(graph).of_handler(operation).functions[:40]:
        for site in function.facts.sites(ir.Assign):
            for target in site.node.targets:
                if (
                    target.__class__ is ir.Attribute
                    and target.attr == name
                    and site.node.value.__class__ is ir.Constant
                ):
                    return True
        for site in function.facts.sites(ir.Delete):
            if any(getattr(t, "attr", "") == name for t in site.node.targets):
                return True
    return False


def _is_asked_for(operation: PathOperation, graph: AppGraph) -> bool:
    """A parameter that stands for the client's wish to see secrets decides in the handler or below."""
    names = {name for name in _input_names(operation, graph) if _WISH.search(name)}
    if not names:
        return False
    functions = effects(graph).of_handler(operation).functions[:40]
    tests = (s.node.test for f in functions for kind in (ir.If, ir.IfExp) for s in f.facts.sites(kind))
    return any(names & set(names_in(test)) for test in tests)


def _input_names(operation: PathOperation, graph: AppGraph) -> Iterator[str]:
    """Parameters, and the fields of those that are models."""
    for parameter in operation.all_parameters():
        yield parameter.name
        for of in options(parameter.type):
            cls = of.cls if isinstance(of, Instance) else None
            schema = schema_of(cls, graph) if isinstance(cls, Class) else None
            yield from (field.name for field in schema.fields) if schema is not None else ()


def _finding(operation: PathOperation, shown: list[ExposedField], source: str, graph: AppGraph) -> Finding:
    assert operation.handler is not None
    handler, first = operation.handler, shown[0]
    names = ", ".join(dict.fromkeys(f"`{f.name}`" for f in shown))
    owner = first.owner.name
    how = (
        f"its response model writes out {names} of `{owner}`"
        if source == "declared"
        else f"it declares no model that filters, and {names} of `{owner}` goes out with the rest"
    )
    secret = any(f.always_secret for f in shown)
    public = f"{owner.removesuffix('InDB').removesuffix('Record').removesuffix('DB')}Out"
    public = public if public != owner else f"Public{owner}"
    offline = any(re.search("pass|pwd|hash", f.name, re.IGNORECASE) for f in shown)
    return rule.at(
        handler,
        f"`{operation}` ({handler.name}) answers with {names}: {how}.",
        f"Answer with a model that holds only what a client may see:\n```python\n"
        f"{_without_secrets(public, shown, graph)}{_use_of(public, operation, first, graph)}",
        reasoning=f"The answer reaches `{owner}.{first.name}` as `{first.path}`, and nothing excludes it.",
        exploit=f"Whoever may send `{operation}` reads {names}"
        f"{', and guesses the password offline where it is a hash' if offline else ''}.",
        confidence=(Confidence.CERTAIN if source == "declared" else Confidence.FIRM)
        if secret
        else Confidence.TENTATIVE,
        trace=steps((first.location, f"{owner}.{first.name}"), (handler, f"{operation} answers with it")),
        routes=routes_of([operation]),
        context=Context(data="secret", writes=False),
    )


def _without_secrets(public: str, shown: list[ExposedField], graph: AppGraph) -> str:
    """The model that has the secrets, without them."""
    owner, secret = shown[0].owner, {f.name for f in shown}
    schema = next((s for s in graph.schemas if s.cls is owner), None)
    declared = [(f.name, f.owner, f.annotation) for f in schema.fields] if schema is not None else []
    fields = [
        f"    {name}: {written(graph, holder, annotation)}\n"
        for name, holder, annotation in declared
        if name not in secret and annotation is not None
    ]
    kept = "".join(fields[:_SHOWN]) or "    ...\n"
    return f"class {public}(BaseModel):\n{kept}    # no {', '.join(sorted(secret))}\n"


def _use_of(public: str, operation: PathOperation, first: ExposedField, graph: AppGraph) -> str:
    """Where the model belongs: in the decorator, or in the model that holds the one with the secret."""
    if "." not in first.path:
        return f"\n\n{registered(graph, operation, keywords={'response_model': public})}\n```"
    return f"```\nand declare `{first.path.rpartition('.')[0]}` of the answer as `{public}`."


rule.bad = """
    from fastapi import FastAPI
    from pydantic import BaseModel

    class UserOut(BaseModel):
        name: str

    class UserInDB(UserOut):
        hashed_password: str

    ALICE = UserInDB(name="alice", hashed_password="$argon2id$v=19$m=65536$c2FsdA$aGFzaA")
    app = FastAPI()

    @app.get("/users/alice")
    def read_user() -> UserOut | UserInDB:  # finding: sensitive-field-in-response
        return ALICE

    @app.get("/users")
    def list_users():  # finding: sensitive-field-in-response
        return [ALICE]
"""

rule.good = """
    from fastapi import FastAPI
    from pydantic import BaseModel

    class UserOut(BaseModel):
        name: str

    class UserInDB(UserOut):
        hashed_password: str

    ALICE = UserInDB(name="alice", hashed_password="$argon2id$v=19$m=65536$c2FsdA$aGFzaA")
    app = FastAPI()

    @app.get("/users/alice")
    def read_user() -> UserOut:
        return ALICE

    @app.get("/users", response_model=list[UserOut])
    def list_users():
        return [ALICE]
"""


@rule.exploit
def the_hash_is_in_the_answer(proof: Proof) -> None:
    """The password hash of alice stands in the answers of /users/alice and /users."""
    assert proof.client.get("/users/alice").json().get("hashed_password", "").startswith("$argon2id$")
    assert proof.client.get("/users").json()[0].get("hashed_password", "").startswith("$argon2id$")
