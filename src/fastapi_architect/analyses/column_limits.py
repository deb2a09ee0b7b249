"""Which fields of requests are stored in columns that hold less than the field takes?

A column is the field's when it has its name and is filled from it, through services and repositories. What is computed from a
field, cut, measured or looked up first is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from fastapi_architect.analyses.body_events import Creation
from fastapi_architect.analyses.caught_around import is_caught
from fastapi_architect.analyses.class_schemas import schema_of
from fastapi_architect.analyses.effects import effects
from fastapi_architect.analyses.principal import story
from fastapi_architect.appgraph.applications import Application
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.models import Model
from fastapi_architect.appgraph.path_operations import PathOperation
from fastapi_architect.appgraph.question import question, question_about
from fastapi_architect.appgraph.schemas import Schema, SchemaField, Validator
from fastapi_architect.appgraph.tables import Column
from fastapi_architect.concepts.database import Commit, SessionFlush
from fastapi_architect.program.definitions import Class, last_name
from fastapi_architect.program.types import Instance, Type, options
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.syntax import ir

#: What drivers raise when a value does not fit, and what catches that.
_CATCHING = frozenset({"DataError", "DBAPIError", "DatabaseError", "StatementError", "SQLAlchemyError"})
_BROAD = _CATCHING | {"Exception", "BaseException"}
#: Databases that refuse a text that is too long; SQLite keeps it.
_STRICT = frozenset({"postgresql", "mysql", "mssql", "oracle"})
#: Largest values of the integer types.
_LARGEST = {"SMALLINTEGER": 2**15 - 1, "SMALLINT": 2**15 - 1, "BIGINTEGER": 2**63 - 1, "BIGINT": 2**63 - 1}
_LARGEST_INTEGER = 2**31 - 1
#: What is looked up or compared with a list before it is stored, and so refused earlier.
_LOOKED_UP = lazy_pattern(
    r"(^|_)(id|uuid|key|slug|type|kind|status|state|role|currency|language|locale|code)$", re.IGNORECASE
)
#: How many schemas within one another are looked at.
_MOST_SCHEMAS = 30
#: Numbers that are measured and counted, and refer to nothing.
_MEASURED = lazy_pattern(
    r"count|quantit|amount|size|number|price|total|points|score|weight|height|width|length|pages|stock|(view|sort)_?order|"
    r"position|priority|retries|attempts|duration|interval|seconds|minutes|hours|days|lifetime|_time$|cost|capacity|"
    r"distance|limit|window|delay|retention",
    re.IGNORECASE,
)
_CHECKS = lazy_pattern(
    r"valid|check|verif|sanit|normali|slug|clean|match|parse|truncat|ensure|assert", re.IGNORECASE
)


class Overflow(msgspec.Struct, frozen=True, eq=False):
    """A field that takes more than its column.

    Attributes:
        field: the field.
        model: the mapped class.
        column: its column.
        constraint: what the field lacks: max_length or le.
        limit: its value.
        operation: a request that stores it.
        creation: where the row is made or changed.
        sure: the database is known to refuse it, and nothing looks the value up before.
    """

    field: SchemaField
    model: Model
    column: Column
    constraint: str
    limit: int
    operation: PathOperation
    creation: Creation
    sure: bool


@question
def overflows(graph: AppGraph) -> tuple[Overflow, ...]:
    """Every such field once, in order of operations."""
    found: dict[tuple[int, str], Overflow] = {}
    for application in graph.applications:
        if _answers_itself(application):
            continue
        for operation in application.operations:
            if operation.is_write and operation.handler is not None:
                for each in _of_operation(operation, graph):
                    found.setdefault((id(each.field.owner), each.field.name), each)
    return tuple(found.values())


def _answers_itself(application: Application) -> bool:
    """A handler of the application turns the database's refusal into an answer."""
    return any(
        handled.exception is not None and last_name(handled.exception) in _CATCHING
        for handled in application.exception_handlers
    )


def _of_operation(operation: PathOperation, graph: AppGraph) -> Iterator[Overflow]:
    schemas = {p.name: s for p in operation.parameters if (s := _schema(p.type, graph)) is not None}
    schemas = {name: schema for name, schema in schemas.items() if _may_overflow(graph, schema.cls)}
    if not schemas:
        return
    found = [
        overflow
        for _, creation in story(graph, operation).creations
        for overflow in _of_creation(creation, schemas, operation, graph)
    ]
    if found and not _is_handled(operation, graph):
        checked = _checked_names(operation, graph)
        yield from (each for each in found if each.field.name not in checked)


def _of_creation(
    creation: Creation, schemas: dict[str, Schema], operation: PathOperation, graph: AppGraph
) -> Iterator[Overflow]:
    for path, origin in creation.given:
        schema = schemas.get(origin[1]) if origin[0] == "client" else None
        if schema is None:
            continue
        for field, of in _fields(schema, path, origin[2:], graph):
            column = creation.model.by_attribute.get(field.name)
            if column is None or not _is_limited(column):
                continue
            for overflow in _too_much(field, column, operation, creation, graph):
                if not _is_changed_first(field, creation) and not _is_validated(field, of):
                    yield overflow


@question
def _limited_columns(graph: AppGraph) -> frozenset[str]:
    """Attributes whose columns hold no more than so much."""
    return frozenset(
        column.attribute for model in graph.models for column in model.columns if _is_limited(column)
    )


def _is_limited(column: Column) -> bool:
    of = column.type
    if of is None or column.primary_key or column.foreign_keys or _LOOKED_UP.search(column.attribute):
        return False
    return of.family == "integer" or (of.family == "string" and of.length is not None)


@question_about
def _may_overflow(graph: AppGraph, cls: Class) -> bool:
    """The schema, or one in it, has a text or number that is called like such a column."""
    seen: set[int] = set()
    queue = [cls]
    while queue and len(seen) < _MOST_SCHEMAS:
        current = queue.pop()
        schema = schema_of(current, graph) if id(current) not in seen else None
        seen.add(id(current))
        for field in schema.fields if schema is not None else ():
            if field.name in _limited_columns(graph):
                return True
            inner = _schema(field.type, graph)
            if inner is not None:
                queue.append(inner.cls)
    return False


def _schema(of: Type | None, graph: AppGraph) -> Schema | None:
    for option in options(of):
        if not isinstance(option, Instance):
            continue
        found = schema_of(option.cls, graph) if isinstance(option.cls, Class) else None
        found = found or next((s for arg in option.args if (s := _schema(arg, graph)) is not None), None)
        if found is not None:
            return found if found.kind != "sqlmodel-table" else None
    return None


def _fields(
    schema: Schema, path: tuple[str, ...], steps: tuple[str, ...], graph: AppGraph
) -> Iterator[tuple[SchemaField, Schema]]:
    """The field that fills the column of its own name; all of them where a whole object fills the row."""
    current: Schema | None = schema
    while steps and (len(steps) > 1 or not path):
        field = current.by_name.get(steps[0]) if current is not None else None
        current = _schema(field.type, graph) if field is not None else None
        steps = steps[1:]
    if current is None:
        return
    if not path:
        yield from ((field, current) for field in current.fields if not field.is_computed)
    elif len(path) == 1 and steps == path:
        field = current.by_name.get(steps[0])
        if field is not None:
            yield field, current


def _too_much(
    field: SchemaField, column: Column, operation: PathOperation, creation: Creation, graph: AppGraph
) -> Iterator[Overflow]:
    assert column.type is not None  # else it has no limit
    names = {o.name for o in options(field.type) if isinstance(o, Instance)}
    of, given = column.type, field.constraints
    if of.length is not None and "builtins.str" in names and "pattern" not in given:
        most = field.limit("max_length")
        unknown = "max_length" in given and most is None
        if graph.dialect != "sqlite" and not unknown and (most is None or most > of.length):
            sure = graph.dialect in _STRICT
            yield Overflow(field, creation.model, column, "max_length", of.length, operation, creation, sure)
    elif of.family == "integer" and "builtins.int" in names and not {"le", "lt"} & set(given):
        largest = _LARGEST.get((of.impl or of.name).upper(), _LARGEST_INTEGER)
        sure = bool(_MEASURED.search(field.name))
        yield Overflow(field, creation.model, column, "le", largest, operation, creation, sure)


def _is_changed_first(field: SchemaField, creation: Creation) -> bool:
    """`Book(title=book.title[:50])`: what fills the column is not the field itself."""
    call = creation.site.node
    for keyword in call.keywords if isinstance(call, ir.Call) else ():
        if keyword.arg == field.name:
            return isinstance(keyword.value, ir.Subscript | ir.Call | ir.BinOp | ir.IfExp)
    return False


def _is_validated(field: SchemaField, schema: Schema) -> bool:
    """A validator sees the field."""
    return any(v.fields or _mentions(v, field.name) for v in schema.validators_of(field.name))


def _checked_names(operation: PathOperation, graph: AppGraph) -> set[str]:
    """Names of what is handed to `len` or to a check on the way."""
    return {
        last_name(given)
        for function in effects(graph).of_operation(operation).functions
        for site in function.facts.calls
        if (name := last_name(site.node.func)) == "len" or _CHECKS.search(name)
        for given in site.node.args
    }


def _mentions(validator: Validator, name: str) -> bool:
    function = validator.function
    return function is None or any(site.node.attr == name for site in function.facts.sites(ir.Attribute))


def _is_handled(operation: PathOperation, graph: AppGraph) -> bool:
    """Somebody on the way catches what the database says."""
    functions = effects(graph).of_operation(operation).functions
    return any(
        is_caught(sent.site, _BROAD)
        for function in functions
        for kind in (Commit, SessionFlush)
        for sent in graph.within(kind, function)
    )
