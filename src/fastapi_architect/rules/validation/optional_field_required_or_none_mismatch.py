"""A field that looks optional is required, or a field that is None by default says that it never is.

In Pydantic 2, `note: str | None` allows null and still demands the field: a client that leaves it out is
refused with 422. The other way round, `note: str = None` holds None although its type denies it: nobody
checks for None, and a client that sends null is refused.

Known limits: a field declared with `...` is taken to be required on purpose, and so is a model in which
every field is. A header or cookie with a credential is demanded by its nature (whoever leaves it out is refused anyway), and
other headers are minor. A field that the project's own client gives, where it has one, is tentative.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec.structs import replace

from fastapi_architect.analyses.own_code import definition, written
from fastapi_architect.analyses.request_models import SchemaUse, schema_uses
from fastapi_architect.analyses.source_text import lines_of, text_at
from fastapi_architect.appgraph.declarations import is_ellipsis
from fastapi_architect.appgraph.parameters import Parameter
from fastapi_architect.appgraph.schemas import SchemaField
from fastapi_architect.program.types import NONE, may_be_none
from fastapi_architect.rules.kit import (
    AppGraph,
    Class,
    Confidence,
    Edit,
    Finding,
    Fix,
    Instance,
    Location,
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
)

rule = Rule(
    __name__,
    "A field that looks optional is required, or None although its type denies it",
    severity=Severity.IMPORTANT,
    cwe=628,
    references=(
        "https://docs.pydantic.dev/latest/migration/#required-optional-and-nullable-fields",
        "https://fastapi.tiangolo.com/python-types/#using-union-or-optional",
    ),
)

#: A comment that speaks to a tool, not to a reader.
_DIRECTIVE = lazy_pattern(r"#\s*[\w-]+:")
_SAID = lazy_pattern(r"requir|mandator|explicit|must be (given|sent|present)|nullable", re.IGNORECASE)

#: Headers and cookies that prove who is asking.
_CREDENTIAL = lazy_pattern(
    r"(?i)auth|token|secret|passw|credential|signature|session|(^|[-_])key$|api[-_]?key"
)


@rule.check(per=AppGraph)
def fields_of_requests(graph: AppGraph, _graph: AppGraph) -> Iterator[Finding]:
    reported: set[Location] = set()
    for use in schema_uses(graph).read.values():
        if use.schema.pydantic_major < 2 or use.schema.kind not in (
            "pydantic",
            "pydantic-dataclass",
            "sqlmodel",
        ):
            continue
        for field in use.schema.fields:
            if field.location in reported or field.is_computed:
                continue
            if _is_required_by_mistake(field, use, graph):
                reported.add(field.location)
                yield _required(field, use, graph)
            elif _is_none_against_its_type(field):
                reported.add(field.location)
                yield _none(field, use, graph)


def _is_required_by_mistake(field: SchemaField, use: SchemaUse, graph: AppGraph) -> bool:
    if not (field.required and field.nullable) or field.type is None or not may_be_none(field.type):
        return False
    if field.default is not None and is_ellipsis(field.default):
        return False
    others = [f for f in use.schema.fields if not f.is_computed]
    if all(f.required and f.nullable for f in others) or all(o.methods == ("PUT",) for o in use.operations):
        return False  # a state that is replaced as a whole: null is a value there
    return not _says_so(field, graph)


def _says_so(field: SchemaField, graph: AppGraph) -> bool:
    """A comment or description on the field's lines, or a comment above, says that it is required."""
    place = field.location
    lines = lines_of(graph, place.path)
    own = "\n".join(
        _DIRECTIVE.split(line)[0] for line in lines[place.line - 1 : max(place.end_line, place.line)]
    )
    above = lines[place.line - 2].strip() if place.line > 1 else ""
    return bool("#" in own or _SAID.search(own) or (above.startswith("#") and _SAID.search(above)))


def _is_none_against_its_type(field: SchemaField) -> bool:
    default = field.default
    if default is None or default.__class__ is not ir.Constant or default.kind != "none":
        return False
    if field.type is None or field.nullable or may_be_none(field.type) or field.annotation is None:
        return False
    return not {"Optional", "None", "Any", "Union"} & set(names_in(field.annotation))


def _required(field: SchemaField, use: SchemaUse, graph: AppGraph) -> Finding:
    model = field.owner.name
    return rule.at(
        field.location,
        f"`{model}.{field.name}` allows None, but has no default: a request without "
        f"`{field.alias or field.name}` is "
        "refused with 422.",
        f"Give it the default that its type promises:\n```python\nclass {model}(BaseModel):\n"
        f"    {field.name}: {_written(field, graph)} = None\n```\n"
        "or write `= ...` to say that null has to be sent.",
        reasoning="Pydantic 2 takes a field without a default as required, whatever its type; "
        f"{use.operations[0]} reads this model.",
        exploit=f"A client sends `{use.operations[0]}` without `{field.alias or field.name}`, as its type allows, and is refused with 422.",
        confidence=_sureness(field, use, graph),
        routes=routes_of(use.operations),
        fix=_with_default(field, graph),
        symbol=field.owner.full_name,
    )


def _sureness(field: SchemaField, use: SchemaUse, graph: AppGraph) -> Confidence:
    """`Optional[X]` is a habit of Pydantic 1; who writes `X | None` may well want null to be sent."""
    if id(use.schema.cls) in schema_uses(graph).given or field.annotation is None:
        return Confidence.TENTATIVE
    if _is_sent_from_here(field, use, graph):
        return Confidence.TENTATIVE
    return Confidence.FIRM if "Optional" in names_in(field.annotation) else Confidence.TENTATIVE


def _is_sent_from_here(field: SchemaField, use: SchemaUse, graph: AppGraph) -> bool:
    """The project makes such requests itself, and gives them this field: its own client is not refused."""
    cls = use.schema.cls
    return any(
        any(k.arg == field.name for k in site.node.keywords)
        for each in (cls, *graph.program.inference.hierarchy.subclasses(cls))
        for site in graph.program.call_sites_named(each.name)
        if site.scope.module.kind == "source"
    )


def _written(field: SchemaField, graph: AppGraph) -> str:
    text = text_at(graph, field.owner.location(field.annotation)) if field.annotation is not None else ""
    return text if text and "\n" not in text else "str | None"


def _with_default(field: SchemaField, graph: AppGraph) -> Fix | None:
    """`= None` behind the annotation, or `default=None` in `Field(...)`."""
    if field.annotation is None:
        return None
    owner = field.owner
    bindings = owner.facts.bindings.get(field.name, ())
    value = bindings[-1].value if bindings else None
    title = f"Default {field.name} to None"
    if value is None:
        place = owner.location(field.annotation)
        lines = lines_of(graph, place.path)
        if not lines or field.location.line != place.line:
            return None
        return Fix(title, (Edit(_behind(place), " = None"),), safe=True, changes_contract=True)
    if isinstance(value, ir.Call) and last_name(value.func) == "Field" and not value.args:
        call = owner.location(value)
        name = owner.location(value.func)
        if (call.line, call.column) != (name.line, name.column):
            return None
        start = Location(name.path, name.end_line, name.end_column + 1)
        return Fix(
            title,
            (Edit(start, "default=None" + (", " if value.keywords else "")),),
            safe=True,
            changes_contract=True,
        )
    return None


def _behind(place: Location) -> Location:
    return Location(place.path, place.end_line or place.line, place.end_column)


def _none(field: SchemaField, use: SchemaUse, graph: AppGraph) -> Finding:
    model = field.owner.name
    declared = _written(field, graph)
    found = rule.at(
        field.location,
        f"`{model}.{field.name}` is None by default, but its type is `{declared}`: null is refused with "
        "422, and code that "
        "trusts the type meets None.",
        f"Say that it may be None:\n```python\nclass {model}(BaseModel):\n    {field.name}: {declared} | "
        "None = None\n```",
        reasoning=f"Pydantic does not check defaults. {use.operations[0]} reads this model.",
        exploit=f"A client sends null for `{field.alias or field.name}`, which is its default, to "
        f"`{use.operations[0]}`, and is refused with 422.",
        confidence=Confidence.CERTAIN,
        routes=routes_of(use.operations),
        symbol=field.owner.full_name,
    )
    return replace(found, severity=Severity.MINOR)


@rule.check(per=PathOperation)
def parameters_of_operations(operation: PathOperation, graph: AppGraph) -> Iterator[Finding]:
    if graph.pydantic_major < 2:
        return
    for parameter in operation.parameters:
        if parameter.kind not in ("query", "header", "cookie") or not parameter.required:
            continue
        if parameter.marker is None and not _is_plain(parameter):
            continue
        if parameter.model is not None or not may_be_none(parameter.type) or _is_explicit(parameter):
            continue
        found = _required_parameter(parameter, operation, graph)
        if parameter.kind == "query":
            yield found
        elif not _CREDENTIAL.search(parameter.alias or parameter.name):
            yield replace(
                found, severity=Severity.MINOR
            )  # the program that sends it was written with this service


def _is_plain(parameter: Parameter) -> bool:
    """Its classes are known: one of a package that is not here may be a model, which is read from the body."""
    kinds = [option for option in options(parameter.type) if option != NONE]
    return all(
        isinstance(of, Instance)
        and (isinstance(of.cls, Class) or of.name.partition(".")[0] in _PLAIN_PACKAGES)
        for of in kinds
    ) and bool(kinds)


#: Packages whose classes FastAPI reads from a query.
_PLAIN_PACKAGES = frozenset(
    {"builtins", "datetime", "decimal", "enum", "ipaddress", "pathlib", "pydantic", "pydantic_core", "uuid"}
)


def _is_explicit(parameter: Parameter) -> bool:
    given = [parameter.default, *(parameter.marker.args[:1] if parameter.marker is not None else ())]
    return any(each is not None and is_ellipsis(each) for each in given)


def _required_parameter(parameter: Parameter, operation: PathOperation, graph: AppGraph) -> Finding:
    name = operation.handler.name if operation.handler is not None else operation.handler_name
    code = f"{parameter.name} = None"
    if operation.handler is not None:
        annotation = written(graph, parameter.scope, parameter.annotation) or "str | None"
        code = definition(graph, operation.handler, parameters={parameter.name: (annotation, "None")})
    return rule.at(
        parameter.location,
        f"`{parameter.name}` of `{name}` allows None, but has no default: `{operation}` without "
        f"`{parameter.alias}` is refused with 422.",
        f"Give it a default:\n```python\n{code}\n```",
        reasoning="FastAPI takes a parameter without a default as required, and a query cannot hold null.",
        exploit=f"A client sends `{operation}` without `{parameter.alias}`, as its type allows, and is refused with 422.",
        confidence=Confidence.CERTAIN,
        routes=routes_of([operation]),
        symbol=operation.handler.full_name if operation.handler is not None else "",
    )


rule.bad = """
    from fastapi import FastAPI
    from pydantic import BaseModel, Field

    app = FastAPI()


    class Address(BaseModel):
        street: str
        street_extra: str | None = Field(max_length=120)  # finding: optional-field-required-or-none-mismatch


    @app.post("/addresses")
    def add_address(address: Address) -> str:
        return address.street
"""

rule.good = """
    from fastapi import FastAPI
    from pydantic import BaseModel, Field

    app = FastAPI()


    class Address(BaseModel):
        street: str
        street_extra: str | None = Field(default=None, max_length=120)


    @app.post("/addresses")
    def add_address(address: Address) -> str:
        return address.street
"""


@rule.symptom
def an_address_without_the_optional_part_is_refused(proof: Proof) -> None:
    """A request that leaves the optional field out is refused with 422."""
    assert proof.client.post("/addresses", json={"street": "Main Road 1"}).status_code == 422
