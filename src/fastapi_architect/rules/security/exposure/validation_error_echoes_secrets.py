"""A refused login is answered, or logged, with the password in it.

FastAPI's answer to invalid input (422) repeats the input: when one field is missing, the whole body with all other
fields. What a client sees, its error tracker, its proxy and its browser's log see as well; a handler that logs
`exc.errors()` or `exc.body` writes the password into the service's own log.

Known limits: one finding for an application. A handler of one's own is taken to be safe when it picks parts of each
error (`error["loc"]`, `error["msg"]`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fastapi_architect.analyses.class_schemas import schema_of
from fastapi_architect.appgraph.applications import ExceptionHandler
from fastapi_architect.appgraph.parameters import Parameter
from fastapi_architect.rules.kit import (
    AppGraph,
    Application,
    Class,
    Confidence,
    Context,
    Finding,
    Function,
    PathOperation,
    Proof,
    Rule,
    Severity,
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
    "The answer to invalid input repeats passwords",
    severity=Severity.MINOR,
    cwe=209,
    cvss="AV:N/AC:H/PR:N/UI:N/S:U/C:L/I:N/A:N",
    references=(
        "https://fastapi.tiangolo.com/tutorial/handling-errors/#override-request-validation-exceptions",
        "https://docs.pydantic.dev/latest/errors/errors/",
    ),
)

_SECRET = lazy_pattern(
    r"^(\w*_)?(password|passwd|passphrase|secret|api_key|token|otp|cvv|card_number)$", re.IGNORECASE
)
_NOT_ONE = lazy_pattern(r"csrf|_type$|device_token|page_token|cursor", re.IGNORECASE)
_VALIDATION = ("RequestValidationError", "ValidationException", "ValidationError")


@rule.check(per=Application)
def input_is_repeated(application: Application, graph: AppGraph) -> Iterator[Finding]:
    pydantic = graph.version("pydantic")
    if application.mounted or (pydantic is not None and pydantic.major < 2):
        return
    carriers = [
        (o, p, f) for o in application.operations for p in o.parameters if (f := _secret_of(p, graph))
    ]
    if not carriers:
        return
    handlers = [h for h in application.exception_handlers if _is_for_validation(h)]
    if not handlers:
        yield _finding(application, carriers, None)
    for handler in handlers:
        function = handler.handler
        if function is not None and _repeats(function, graph):
            yield _finding(application, carriers, function)


def _secret_of(parameter: Parameter, graph: AppGraph) -> str:
    """The field of a JSON body that holds a secret beside a field that may be missing; "" when there is none."""
    if parameter.kind != "body":
        return ""
    for of in options(parameter.type):
        cls = getattr(of, "cls", None)
        schema = schema_of(cls, graph) if isinstance(cls, Class) else None
        fields = schema.fields if schema is not None else ()
        for field in fields:
            others = any(f.required for f in fields if f is not field)
            if _SECRET.match(field.name) and not _NOT_ONE.search(field.name) and others:
                return f"{schema.name}.{field.name}" if schema is not None else ""
    return ""


def _is_for_validation(handler: ExceptionHandler) -> bool:
    if handler.exception is None:
        return False
    named = last_name(handler.exception) in _VALIDATION
    return named or (handler.exception.__class__ is ir.Constant and handler.exception.value == 422)


def _repeats(function: Function, graph: AppGraph) -> bool:
    """The handler passes `exc.errors()` or `exc.body` on as it is."""
    if not function.parameters:
        return False
    names = {p.name for p in function.parameters}
    if any(
        n.__class__ is ir.Constant and n.value in ("input", "include_input") for n in _everything(function)
    ):
        return False
    for site in function.facts.calls_named("errors"):
        receiver = site.node.func.value if site.node.func.__class__ is ir.Attribute else None
        if receiver is None or not names & set(names_in(receiver)):
            continue
        without = any(k.arg == "include_input" for k in site.node.keywords)
        apart = _is_taken_apart(function, site.node) or _taken_apart_by_callee(function, site.node, graph)
        if not without and site.context.inside("iter") is None and not apart:
            return True
    return any(
        site.node.attr == "body" and site.node.value.__class__ is ir.Name and site.node.value.id in names
        for site in function.facts.sites(ir.Attribute)
    )


def _is_taken_apart(function: Function, call: ir.Call) -> bool:
    """The errors are kept in a name that is looped over, or one of them is picked."""
    name = next((n for n, bs in function.facts.bindings.items() if any(b.value is call for b in bs)), "")
    if not name:
        return any(s.node.value is call for s in function.facts.sites(ir.Subscript))
    loops = [s.node.iter for s in function.facts.sites(ir.For)]
    loops += [g.iter for s in function.facts.sites(ir.Comprehension) for g in s.node.generators]
    return any(name in names_in(each) for each in loops)


def _taken_apart_by_callee(function: Function, call: ir.Call, graph: AppGraph) -> bool:
    """The errors are handed to a function of the project that loops over them."""
    for site in function.facts.calls:
        if call not in (*site.node.args, *(k.value for k in site.node.keywords)):
            continue
        for target in graph.program.calls.targets(site):
            names = {p.name for p in target.parameters}
            loops = [s.node.iter for s in target.facts.sites(ir.For)]
            loops += [g.iter for s in target.facts.sites(ir.Comprehension) for g in s.node.generators]
            if any(names & set(names_in(each)) for each in loops):
                return True
    return False


def _everything(function: Function) -> Iterator[ir.Expr]:
    for kind in (ir.Subscript, ir.Call, ir.Compare, ir.Dict):
        for site in function.facts.sites(kind):
            yield from walk(site.node)


def _finding(
    application: Application, carriers: list[tuple[PathOperation, Parameter, str]], handler: Function | None
) -> Finding:
    fields = list(dict.fromkeys(field for _, _, field in carriers))
    shown = ", ".join(f"`{f}`" for f in fields[:3])
    operation = carriers[0][0]
    who = (
        f"`{handler.name}` passes the errors on as they are" if handler else "no handler leaves the input out"
    )
    return rule.at(
        handler if handler is not None else application,
        f"Invalid input to `{application.name}` is answered with the whole body, {shown} included: {who}.",
        "Answer with the place and the message of each error only:\n```python\n"
        f"@{application.name}.exception_handler(RequestValidationError)\n"
        "async def answer_invalid_input(request: Request, exc: RequestValidationError) -> JSONResponse:\n"
        '    errors = [{"loc": e["loc"], "msg": e["msg"], "type": e["type"]} for e in exc.errors()]\n'
        '    return JSONResponse({"detail": errors}, status_code=422)\n```',
        reasoning="With a field missing, Pydantic's `input` is the whole body, and FastAPI's answer carries it.",
        exploit=f"A mistyped `{operation}` leaves the password in every log that keeps answers.",
        confidence=Confidence.FIRM,
        trace=steps(*((o.handler, f"{o} takes {f}") for o, _, f in carriers[:4] if o.handler is not None)),
        routes=routes_of(o for o, _, _ in carriers),
        context=Context(hard=True),
    )


rule.bad = """
    from fastapi import FastAPI
    from pydantic import BaseModel

    class Login(BaseModel):
        email: str
        password: str

    app = FastAPI()  # finding: validation-error-echoes-secrets

    @app.post("/login")
    def log_in(login: Login) -> str:
        return "welcome"
"""

rule.good = """
    from fastapi import FastAPI, Request
    from fastapi.exceptions import RequestValidationError
    from fastapi.responses import JSONResponse
    from pydantic import BaseModel

    class Login(BaseModel):
        email: str
        password: str

    app = FastAPI()

    @app.exception_handler(RequestValidationError)
    async def answer_invalid_input(request: Request, exc: RequestValidationError) -> JSONResponse:
        errors = [{"loc": e["loc"], "msg": e["msg"], "type": e["type"]} for e in exc.errors()]
        return JSONResponse({"detail": errors}, status_code=422)

    @app.post("/login")
    def log_in(login: Login) -> str:
        return "welcome"
"""


@rule.exploit
def the_password_is_in_the_refusal(proof: Proof) -> None:
    """A login without an address is refused with 422, and the answer holds the password."""
    answer = proof.client.post("/login", json={"e-mail": "alice@example.com", "password": "correct horse"})
    assert answer.status_code == 422
    assert "correct horse" in answer.text
