"""An operation answers strangers with the process's environment, or with the settings as a whole.

Environment variables and settings are where a deployment keeps its passwords and keys. A debug page, or a route that
shows the frontend "the configuration", sends all of them along: what was added last week, too.

Known limits: followed are `os.environ` as a whole, and instances of settings classes with a secret field that is neither
`SecretStr` nor excluded, as declared response models, as parts of these, or as what is returned. Operations that ask for a
login are tentative, those for administrators are left out, and so are bodies that call something which masks, redacts or excludes.
Metrics and consoles of libraries are not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fastapi_architect.analyses.class_schemas import schema_of
from fastapi_architect.analyses.made_of import Piece, pieces
from fastapi_architect.appgraph.question import question
from fastapi_architect.appgraph.settings import SettingsClass
from fastapi_architect.program.definitions import all_functions
from fastapi_architect.rules.kit import (
    AccessLevel,
    AppGraph,
    Class,
    Confidence,
    Context,
    Finding,
    Function,
    Instance,
    PathOperation,
    Proof,
    Rule,
    Severity,
    Site,
    Type,
    dotted_name,
    ir,
    last_name,
    lazy_pattern,
    options,
    routes_of,
    steps,
    walk,
)

rule = Rule(
    __name__,
    "An operation shows the environment or the settings",
    severity=Severity.IMPORTANT,
    cwe=497,
    cvss="AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N",
    references=(
        "https://owasp.org/API-Security/editions/2023/en/0xa8-security-misconfiguration/",
        "https://fastapi.tiangolo.com/tutorial/response-model/",
    ),
)

_DEPTH = 3
#: Words in calls by which a body decides what may be seen.
_CHOOSES = lazy_pattern(
    r"saniti|redact|mask|scrub|censor|public|exclude|filter|strip_secret|hide", re.IGNORECASE
)
_ASKS = lazy_pattern(
    r"auth|token|user|admin|trusted|client|login|permission|require|verif|api_?key|principal|guard|role",
    re.IGNORECASE,
)
_PLAIN_TYPES = frozenset({"builtins.bool", "builtins.int", "builtins.float", "builtins.None"})
#: What is left of a mapping in them are its keys.
_NAMES_ONLY = frozenset({"sorted", "list", "set", "tuple", "frozenset", "join", "keys"})
_DUMPS = frozenset({"model_dump", "dict", "model_dump_json", "json", "vars", "jsonable_encoder", "asdict"})


# ── the environment ──────────────────────────────────────────────────────────────────────────────────────────────


@rule.check(per=AppGraph)
def environment_in_an_answer(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    told: set[int] = set()
    for module in graph.program.mentioning("environ"):
        for function in all_functions(module) if module.kind == "source" else ():
            whole = _whole_environments(function)
            for operation in graph.entries(function) if whole else ():
                place = _answered(graph, operation, whole) if id(operation) not in told else None
                if place is None or operation.handler is None:
                    continue
                told.add(id(operation))
                yield from _finding(
                    graph, operation, place, "every environment variable of the process", "os.environ",
                    'return {"status": "ok", "region": os.environ["REGION"]}',
                )  # fmt: skip


def _whole_environments(function: Function) -> frozenset[int]:
    """Expressions of a body that stand for all variables: `os.environ` neither indexed nor asked for one of them."""
    inner = {id(site.node.value) for site in function.facts.sites(ir.Subscript)}
    asked = {
        id(site.node.func.value)
        for site in function.facts.calls
        if site.node.func.__class__ is ir.Attribute and site.node.func.attr not in ("copy", "items")
    }
    named = [site.node for site in function.facts.sites(ir.Attribute) if site.node.attr == "environ"]
    return frozenset(
        id(node) for node in named if dotted_name(node) == "os.environ" and id(node) not in inner | asked
    )


def _answered(graph: AppGraph, operation: PathOperation, whole: frozenset[int]) -> Site | None:
    """The `return` of the handler whose value holds one of some expressions."""

    def judge(piece: Piece) -> bool | None:
        expr = piece.expr
        if id(expr) in whole:
            return True
        if expr.__class__ is ir.Call and (
            _CHOOSES.search(last_name(expr.func)) or last_name(expr.func) in _NAMES_ONLY
        ):
            return False
        if expr.__class__ is ir.Call and last_name(expr.func) in ("copy", "items", "dict"):
            return True if any(id(node) in whole for node in walk(expr)) else None
        if expr.__class__ is ir.Comprehension:
            over = [node for each in expr.generators if not each.ifs for node in walk(each.iter)]
            return any(id(node) in whole for node in over) and not _chooses_values(expr)
        return None

    assert operation.handler is not None
    for site in operation.handler.facts.sites(ir.Return):
        if any(True for _ in pieces(graph, site.node.value, operation.handler, judge)):
            return site
    return None


def _chooses_values(comprehension: ir.Comprehension) -> bool:
    """What is kept of a variable is its name, or something that is made of its value."""
    return comprehension.value is None or comprehension.value.__class__ is not ir.Name


# ── settings ─────────────────────────────────────────────────────────────────────────────────────────────────────


@rule.check(per=PathOperation)
def settings_in_an_answer(operation: PathOperation, graph: AppGraph) -> Iterator[Finding]:
    handler = operation.handler
    classes = _with_secrets(graph)
    if handler is None or operation.kind != "http" or not classes or _is_chosen(handler):
        return
    declared = operation.response_type
    shown = next(_settings_in(graph, declared, classes, 0), None) if declared is not None else None
    site = next(iter(handler.facts.sites(ir.Return)), None)
    if shown is None and (operation.response_model is None or _filters_nothing(declared)):
        site, shown = next(_returned(graph, handler, classes), (site, None))
    if shown is None or site is None:
        return
    names = [f"`{s.name}`" for s in shown.settings if _is_shown(s.is_secret, s.has_secret_type, s.field)]
    what = f"all of `{shown.name}`, {', '.join(names[:3])} among it"
    yield from _finding(graph, operation, site, what, shown.name, 'return {"version": settings.version}')


def _filters_nothing(declared: Type | None) -> bool:
    return declared is None or all(
        getattr(each, "name", "") in ("builtins.dict", "typing.Any", "builtins.object")
        for each in options(declared)
    )


@question
def _with_secrets(graph: AppGraph) -> dict[int, SettingsClass]:
    """Settings classes that write out a secret, by the identity of the class."""
    return {
        id(each.cls): each
        for each in graph.settings.classes
        if any(_is_shown(s.is_secret, s.has_secret_type, s.field) for s in each.settings)
    }


def _is_shown(is_secret: bool, wrapped: bool, field: object) -> bool:
    """A secret that serialising writes out."""
    types = [getattr(each, "name", "") for each in options(getattr(field, "type", None))]
    plain = bool(types) and all(name in _PLAIN_TYPES for name in types)
    return is_secret and not wrapped and not getattr(field, "excluded", False) and not plain


def _settings_in(
    graph: AppGraph, of: Type | None, classes: dict[int, SettingsClass], depth: int
) -> Iterator[SettingsClass]:
    """Settings classes that a type holds: itself, in a list, or as a field of a model."""
    for each in options(of) if depth <= _DEPTH else ():
        if not isinstance(each, Instance):
            continue
        if isinstance(each.cls, Class) and id(each.cls) in classes:
            yield classes[id(each.cls)]
        elif isinstance(each.cls, Class):
            schema = schema_of(each.cls, graph)
            for field in schema.fields if schema is not None else ():
                if not field.excluded:
                    yield from _settings_in(graph, field.type, classes, depth + 1)
        else:
            for inner in each.args:
                yield from _settings_in(graph, inner, classes, depth + 1)


def _returned(
    graph: AppGraph, handler: Function, classes: dict[int, SettingsClass]
) -> Iterator[tuple[Site, SettingsClass]]:
    """What a handler without a filtering model gives back: settings, or all fields of them."""
    type_of = graph.program.inference.type_of
    for site in handler.facts.sites(ir.Return):
        for node in _values(site.node.value):
            held = node
            if node.__class__ is ir.Call and last_name(node.func) in _DUMPS and not node.keywords:
                held = node.func.value if node.func.__class__ is ir.Attribute else next(iter(node.args), node)
            elif node.__class__ is ir.Attribute and node.attr == "__dict__":
                held = node.value
            for each in options(type_of(held, handler)):
                cls = each.cls if isinstance(each, Instance) else None
                if isinstance(cls, Class) and id(cls) in classes:
                    yield site, classes[id(cls)]


def _values(expr: ir.Expr | None) -> Iterator[ir.Expr]:
    """The returned value, or the values of the mapping that it is."""
    if expr.__class__ is ir.Dict:
        for value in expr.values:
            yield from _values(value)
    elif expr is not None:
        yield expr


def _is_chosen(handler: Function) -> bool:
    """The body calls something that decides what may be seen, or names fields to leave out or to keep."""
    return any(
        _CHOOSES.search(last_name(site.node.func))
        or any(each.arg in ("exclude", "include", "update") for each in site.node.keywords)
        for site in handler.facts.calls
    )


def _finding(
    graph: AppGraph, operation: PathOperation, place: Site, what: str, held: str, instead: str
) -> Iterator[Finding]:
    handler, level = operation.handler, graph.access(operation).level
    assert handler is not None
    if level >= AccessLevel.SCOPED:
        return
    open_to_all = level < AccessLevel.USER and not _asks(operation)
    yield rule.at(
        place,
        f"`{operation}` ({handler.name}) answers {'anybody' if open_to_all else 'every user'} with {what}.",
        f"Answer with the few values that a client needs, by name:\n```python\n{instead}\n```",
        reasoning=f"`{held}` goes out as it is: passwords, keys and addresses that are in it, now and later.",
        exploit=f"Send `{operation}` {'without a login' if open_to_all else 'as any user'}, and use the credentials in the answer.",
        confidence=Confidence.FIRM if open_to_all else Confidence.TENTATIVE,
        trace=steps(
            (handler, f"{operation} asks for {'no login' if open_to_all else 'a login only'}"),
            (place, f"{held} is answered"),
        ),
        routes=routes_of([operation]),
        context=Context(access="none" if open_to_all else "user", data="secret", writes=False),
    )


def _asks(operation: PathOperation) -> bool:
    """A dependency is named for asking who calls, whatever it does."""
    return any(_ASKS.search(each.name.rpartition(".")[2]) for each in operation.all_dependencies())


_HEAD = """
    import os

    from fastapi import FastAPI

    os.environ["PAYMENT_KEY"] = "pk-17"
    app = FastAPI()
"""

rule.bad = (
    _HEAD
    + """
    @app.get("/debug")
    def read_debug_information() -> dict:
        variables = dict(os.environ)
        return {"variables": variables}  # finding: internal-endpoint-exposed
"""
)

rule.good = (
    _HEAD
    + """
    @app.get("/debug")
    def read_debug_information() -> dict:
        return {"variables": len(os.environ), "region": os.environ.get("REGION", "")}
"""
)


@rule.exploit
def a_stranger_reads_the_payment_key(proof: Proof) -> None:
    """A stranger reads the key of the payment provider on the debug page."""
    assert "pk-17" in proof.client.get("/debug").text
