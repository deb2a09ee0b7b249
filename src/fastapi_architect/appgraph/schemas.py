"""Schemas: what Pydantic, SQLModel and dataclasses accept and give out.

A field is read as Pydantic reads it: inherited along the resolution order, generic parameters filled in,
required or not by the rules of the major version.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import msgspec

from fastapi_architect.appgraph import constraints as constraint
from fastapi_architect.appgraph.declarations import (
    Declared,
    Origin,
    ancestors,
    annotated_parts,
    annotation_heads,
    called,
    declared,
    decorator_origin,
    is_ellipsis,
    keyword,
    known,
    origin,
    origin_of_name,
    seen_type,
    text,
)
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.class_hierarchy import substitute
from fastapi_architect.program.constants import UNKNOWN
from fastapi_architect.program.definitions import Class, Function, Scope, last_name
from fastapi_architect.program.program import Program
from fastapi_architect.program.types import BYTES, FLOAT, INT, STR, FunctionRef, Instance, Type, options
from fastapi_architect.source.location import Location
from fastapi_architect.syntax import ir

#: Library classes whose subclasses are schemas. Fields of the library's own class are not known.
_SCHEMA_BASES = frozenset(
    Origin(package, name)
    for package, names in (
        ("pydantic", ("BaseModel", "RootModel", "GenericModel")),
        ("sqlmodel", ("SQLModel",)),
        ("beanie", ("Document",)),
        ("odmantic", ("Model", "EmbeddedModel")),
        ("fastapi_users", ("BaseUser", "BaseUserCreate", "BaseUserUpdate", "CreateUpdateDictModel")),
        ("fastapi_camelcase", ("CamelModel",)),
    )
    for name in names
)
_SETTINGS_BASES = frozenset({Origin("pydantic", "BaseSettings"), Origin("pydantic_settings", "BaseSettings")})
#: Packages whose `Undefined` says that there is no default; "" is an import that leads nowhere.
_UNDEFINED_IN = ("pydantic", "pydantic_core", "fastapi", "sqlmodel", "")
_CONFIG_ALIASES = {
    "orm_mode": "from_attributes",
    "allow_population_by_field_name": "populate_by_name",
    "anystr_strip_whitespace": "str_strip_whitespace",
    "max_anystr_length": "str_max_length",
    "min_anystr_length": "str_min_length",
    "schema_extra": "json_schema_extra",
}


class Validator(msgspec.Struct, frozen=True):
    """A function that checks or changes input.

    Attributes:
        function: the method or function; None for a lambda or something of a library.
        kind: field, model or annotation.
        mode: before, after, wrap or plain.
        fields: names it is for; ("*",) for all; empty for a model validator.
        location: where it is attached.
    """

    function: Function | None
    kind: str
    mode: str
    fields: tuple[str, ...]
    location: Location


class SchemaField(msgspec.Struct, frozen=True):
    """One field.

    Attributes:
        name: the attribute.
        alias: name in the input (`validation_alias` before `alias`), None when it is the attribute's.
        serialization_alias: name in the output, None when it is the attribute's.
        annotation: as written; None for an untyped field of Pydantic v1.
        type: what values it holds, generic parameters filled in; None when not known.
        required: input without it is refused.
        nullable: None is accepted.
        default: expression of the default, None when there is none.
        default_factory: expression of the factory, or None.
        constraints: name (`min_length`, `max_length`, `ge`, `gt`, `le`, `lt`, `multiple_of`, `pattern`, ...)
            to value, `UNKNOWN` when it is not a constant.
        element_constraints: the same for the elements of a list or set.
        excluded: `exclude=True`: never in the output.
        is_computed: a `@computed_field`: only in the output.
        frozen: it cannot be assigned.
        discriminator: name of the tag field of a discriminated union, or None.
        owner: class that declares it.
        location: where.
        function: the method of a computed field.
    """

    name: str
    alias: str | None
    serialization_alias: str | None
    annotation: ir.Expr | None
    type: Type | None
    required: bool
    nullable: bool
    default: ir.Expr | None
    default_factory: ir.Expr | None
    constraints: dict[str, Any]
    element_constraints: dict[str, Any]
    excluded: bool
    is_computed: bool
    frozen: bool
    discriminator: str | None
    owner: Class
    location: Location
    function: Function | None = None

    def limit(self, name: str) -> Any:
        """Value of a constraint, None when absent or not a constant."""
        return constraint.constant(self.constraints, name)


class Schema(msgspec.Struct, frozen=True, dict=True):
    """A class whose instances are built from input or turned into output.

    Attributes:
        cls: the class.
        kind: pydantic, sqlmodel, sqlmodel-table, dataclass, pydantic-dataclass or typeddict.
        fields: in Pydantic's order, computed ones last.
        validators: own and inherited.
        config: merged configuration in Pydantic v2's names; values that are no constants are `UNKNOWN`.
        variables: names of its type variables.
        library_bases: dotted names of library classes it inherits from; their fields are not listed.
        pydantic_major: 1 or 2: whose rules were applied.
        location: where.
    """

    cls: Class
    kind: str
    fields: tuple[SchemaField, ...]
    validators: tuple[Validator, ...]
    config: dict[str, Any]
    variables: tuple[str, ...]
    library_bases: tuple[str, ...]
    pydantic_major: int
    location: Location

    @property
    def name(self) -> str:
        """The class's name."""
        return self.cls.name

    @cached_property
    def by_name(self) -> dict[str, SchemaField]:
        """Fields by name."""
        return {field.name: field for field in self.fields}

    @property
    def is_orm(self) -> bool:
        """It reads attributes of objects (`from_attributes`, `orm_mode`)."""
        return self.config.get("from_attributes") is True

    @property
    def extra(self) -> str:
        """What becomes of keys that are no fields: ignore, forbid, allow or unknown."""
        value = self.config.get("extra", "ignore")
        return value if isinstance(value, str) else "unknown"

    def validators_of(self, field: str) -> tuple[Validator, ...]:
        """Validators that see a field: its own and the model's."""
        return tuple(v for v in self.validators if not v.fields or field in v.fields or "*" in v.fields)


#: Declarations already read, by statement, kind and major version.
FieldMemo = dict[tuple[int, str, int], SchemaField | None]


def find_schemas(program: Program, pydantic_major: int = 2) -> tuple[Schema, ...]:
    """Every Pydantic and SQLModel class and Pydantic dataclass, in order of files; settings classes left out.

    Plain dataclasses and typed dictionaries become schemas only where an application uses them:
        `read_schema` reads them.
    """
    found = []
    read: FieldMemo = {}
    for cls in program.classes:
        kind = kind_of(program, cls)
        if kind in ("pydantic", "sqlmodel", "sqlmodel-table", "pydantic-dataclass"):
            found.append(read_as(program, cls, kind, pydantic_major, read))
    return tuple(found)


def read_schema(program: Program, cls: Class, pydantic_major: int = 2) -> Schema | None:
    """The schema that a class is, None when it is none."""
    kind = kind_of(program, cls)
    return read_as(program, cls, kind, pydantic_major) if kind else None


def specialised_fields(schema: Schema, of: Instance) -> tuple[SchemaField, ...]:
    """The fields of `Page[Item]`: those of `Page` with its type variables filled in from `of.args`."""
    from msgspec.structs import replace

    given = dict(zip(schema.variables, of.args, strict=False))
    if not given:
        return schema.fields
    return tuple(replace(field, type=substitute(field.type, given)) for field in schema.fields)


def kind_of(program: Program, cls: Class) -> str:
    """pydantic, sqlmodel, sqlmodel-table, dataclass, pydantic-dataclass, typeddict; "" when it is no
    schema.
    """
    if not cls.node.bases and not cls.node.decorators:
        return ""
    order = program.inference.hierarchy.order(cls)
    inherited = {origin_of_name(entry.cls) for entry in order if isinstance(entry.cls, str)}
    if Origin("sqlmodel", "SQLModel") in inherited:
        return "sqlmodel-table" if is_table(program, cls) else "sqlmodel"
    if not inherited.isdisjoint(_SETTINGS_BASES):
        return ""
    if not inherited.isdisjoint(_SCHEMA_BASES):
        return "pydantic"
    for decorator in cls.node.decorators:
        of = decorator_origin(program, decorator, cls.parent or cls.module)
        if of.name == "dataclass":
            return "pydantic-dataclass" if of.package == "pydantic" else "dataclass"
    return "typeddict" if Origin("typing", "TypedDict") in inherited else ""


def is_table(program: Program, cls: Class) -> bool:
    """An SQLModel class declared with `table=True`, or inheriting from one."""
    for each, _ in ancestors(program, cls):
        for item in each.node.keywords:
            if item.arg == "table" and program.constants.value(item.value, each.module) is True:
                return True
    return False


# ── reading one class ───────────────────────────────────────────────────────────────────────────────────────


def read_as(
    program: Program, cls: Class, kind: str, pydantic_major: int, read: FieldMemo | None = None
) -> Schema:
    """Read a class by the rules of a kind (see `Schema.kind`), whatever its bases are.

    `read` remembers fields that subclasses inherit unchanged.
    """
    lineage = ancestors(program, cls)
    major = 1 if _is_v1(program, cls) else pydantic_major
    config = _config(program, lineage)
    fields: dict[str, SchemaField] = {}
    computed: dict[str, SchemaField] = {}
    for owner, variables in reversed(lineage):
        for each in declared(owner):
            if each.function is not None:
                field = _computed(program, each, variables)
                if field is not None:
                    computed[each.name] = field
                continue
            key = (id(each.node), kind, major)
            if read is None or variables or key not in read:
                field = _field(program, each, variables, kind, major)
                if read is not None and not variables:
                    read[key] = field
            else:
                field = read[key]
            if field is not None:
                # An overriding field keeps the place of the field it replaces, as in Pydantic.
                fields[each.name] = _with_alias(field, config)
    if major == 1:
        _apply_v1_field_config(program, lineage, fields)
    order = program.inference.hierarchy.order(cls)
    return Schema(
        cls,
        kind,
        (*fields.values(), *computed.values()),
        tuple(_validators(program, lineage)),
        config,
        program.inference.hierarchy.variables(cls),
        tuple(
            e.cls for e in order if isinstance(e.cls, str) and not e.cls.startswith(("typing.", "builtins."))
        ),
        major,
        cls.location(),
    )


def _is_v1(program: Program, cls: Class) -> bool:
    order = program.inference.hierarchy.order(cls)
    return any(isinstance(e.cls, str) and e.cls.startswith("pydantic.v1.") for e in order)


def _with_alias(field: SchemaField, config: dict[str, Any]) -> SchemaField:
    """`alias_generator=to_camel` gives every field an alias."""
    generator = config.get("alias_generator")
    if generator != "to_camel" or field.alias is not None:
        return field
    from msgspec.structs import replace

    head, *rest = field.name.split("_")
    camel = head + "".join(part.capitalize() for part in rest)
    return replace(field, alias=camel, serialization_alias=field.serialization_alias or camel)


def _field(
    program: Program, each: Declared, variables: dict[str, Type | None], kind: str, major: int
) -> SchemaField | None:
    if not _is_field(program, each, kind, major):
        return None
    call = _field_call(program, each)
    heads = tuple(annotation_heads(program, each.annotation, each.cls))
    parts = [program.inference.expand(*part) for part in annotated_parts(program, each.annotation, each.cls)]
    metadata = _annotated_field_call(program, parts)
    default, factory = _default(each, call, metadata)
    found = constraint.of_parts(program, heads, parts)
    if call is not None:
        found.update(constraint.of_keywords(program, call, each.cls))
    asked = [(c, s) for c, s in ((call, each.cls), metadata or (None, each.cls)) if c is not None]
    nullable = _nullable(program, heads)
    return SchemaField(
        name=each.name,
        alias=_first_text(program, asked, "validation_alias", "alias"),
        serialization_alias=_first_text(program, asked, "serialization_alias", "alias"),
        annotation=each.annotation,
        type=_type(program, each, variables),
        required=_required(program, each, default, factory, nullable, kind, major),
        nullable=nullable,
        default=default,
        default_factory=factory,
        constraints=found,
        element_constraints=constraint.of_elements(program, heads),
        excluded=any(_keyword_value(program, c, s, "exclude") is True for c, s in asked),
        is_computed=False,
        frozen=any(_keyword_value(program, c, s, "frozen") is True for c, s in asked),
        discriminator=_first_text(program, asked, "discriminator"),
        owner=each.cls,
        location=each.location,
    )


_CONSTRAINED = {
    "constr": STR,
    "conint": INT,
    "confloat": FLOAT,
    "conbytes": BYTES,
    "condecimal": Instance("decimal.Decimal"),
}
_CONSTRAINED_COLLECTIONS = {
    "conlist": "builtins.list",
    "conset": "builtins.set",
    "confrozenset": "builtins.frozenset",
}


def _type(program: Program, each: Declared, variables: dict[str, Type | None]) -> Type | None:
    if each.annotation is None:
        return program.inference.type_of(each.value, each.cls)
    of = seen_type(program, each.annotation, each.cls, variables)
    if of is not None:
        return of
    for head, scope in annotation_heads(program, each.annotation, each.cls):
        if isinstance(head, ir.Call):
            name = called(program, head, scope).name
            if name in _CONSTRAINED_COLLECTIONS:
                inner = program.inference.annotation(argument(head, 0, "item_type"), scope)
                return Instance(_CONSTRAINED_COLLECTIONS[name], (substitute(inner, variables),))
            return _CONSTRAINED.get(name)
    return None


def _is_field(program: Program, each: Declared, kind: str, major: int) -> bool:
    if each.name.startswith("_") or each.name in ("model_config", "Config"):
        return False
    if each.annotation is None:
        # Pydantic v1 infers a type from the value; v2 refuses, and a dataclass ignores it.
        return (
            major == 1 and kind == "pydantic" and each.value is not None and not _is_callable(program, each)
        )
    head = each.annotation.value if isinstance(each.annotation, ir.Subscript) else each.annotation
    if last_name(head) in ("ClassVar", "InitVar", "TypeAlias"):
        return False
    if last_name(head) == "KW_ONLY":
        return False
    value = called(program, each.value, each.cls)
    if value.name == "PrivateAttr":
        return False
    return not (kind.startswith("sqlmodel") and value.name == "Relationship")


def _is_callable(program: Program, each: Declared) -> bool:
    return any(isinstance(o, FunctionRef) for o in options(program.inference.type_of(each.value, each.cls)))


def _field_call(program: Program, each: Declared) -> ir.Call | None:
    """The `Field(...)` on the right-hand side."""
    if isinstance(each.value, ir.Call) and called(program, each.value, each.cls).name in ("Field", "field"):
        return each.value
    return None


def _annotated_field_call(
    program: Program, metadata: list[tuple[ir.Expr, Scope]]
) -> tuple[ir.Call, Scope] | None:
    for part, scope in metadata:
        if isinstance(part, ir.Call) and called(program, part, scope).name == "Field":
            return part, scope
    return None


def _default(
    each: Declared, call: ir.Call | None, metadata: tuple[ir.Call, Scope] | None
) -> tuple[ir.Expr | None, ir.Expr | None]:
    """The default's expression (`...` included) and the factory's."""
    if call is None and each.value is not None:
        return each.value, None
    for candidate in (call, metadata[0] if metadata is not None else None):
        if candidate is None:
            continue
        default = argument(candidate, 0, "default")
        factory = keyword(candidate, "default_factory")
        if default is not None or factory is not None:
            return default, factory
    return None, None


def _required(
    program: Program,
    each: Declared,
    default: ir.Expr | None,
    factory: ir.Expr | None,
    nullable: bool,
    kind: str,
    major: int,
) -> bool:
    if factory is not None:
        return False
    if kind == "typeddict":
        return _typeddict_required(program, each)
    if default is None:
        # Pydantic v1 gives `Optional[X]` and `Any` the default None; so does SQLModel for nothing but itself.
        return not (major == 1 and kind in ("pydantic", "pydantic-dataclass") and nullable)
    if is_ellipsis(default):
        return True
    if default.__class__ is ir.Constant:
        return False
    of = origin(program, default, each.cls)  # a class of the program's own that is called so is a default
    return of.name in ("PydanticUndefined", "Undefined", "Required") and of.package in _UNDEFINED_IN


def _typeddict_required(program: Program, each: Declared) -> bool:
    head = each.annotation.value if isinstance(each.annotation, ir.Subscript) else None
    if head is not None and last_name(head) in ("Required", "NotRequired"):
        return last_name(head) == "Required"
    total = next((k.value for k in each.cls.node.keywords if k.arg == "total"), None)
    return total is None or program.constants.value(total, each.cls.module) is not False


def _nullable(program: Program, heads: tuple[tuple[ir.Expr, Scope], ...]) -> bool:
    for head, scope in heads:
        if isinstance(head, ir.Constant) and head.kind == "none":
            return True
        if last_name(head) in ("Any", "object") and origin(program, head, scope).name in ("Any", "object"):
            return True
    return False


def _first_text(program: Program, calls: list[tuple[ir.Call, Scope]], *names: str) -> str | None:
    for name in names:
        for call, scope in calls:
            value = text(program, call, scope, name)
            if value is not None:
                return value
    return None


def _keyword_value(program: Program, call: ir.Call, scope: Scope, name: str) -> Any:
    return program.constants.value(keyword(call, name), scope)


def _computed(program: Program, each: Declared, variables: dict[str, Type | None]) -> SchemaField | None:
    function = each.function
    if function is None or not function.has_decorator("computed_field"):
        return None
    of = program.inference.return_type(function)
    return SchemaField(
        name=each.name,
        alias=None,
        serialization_alias=None,
        annotation=function.node.returns,
        type=substitute(of, variables),
        required=False,
        nullable=False,
        default=None,
        default_factory=None,
        constraints={},
        element_constraints={},
        excluded=False,
        is_computed=True,
        frozen=True,
        discriminator=None,
        owner=each.cls,
        location=function.location(),
        function=function,
    )


# ── validators and configuration ────────────────────────────────────────────────────────────────────────────


def _validators(program: Program, lineage: list[tuple[Class, dict[str, Type | None]]]) -> Iterator[Validator]:
    seen: set[str] = set()
    for owner, _ in lineage:
        for function in owner.functions:
            if function.name in seen:
                continue  # overridden by a nearer class
            found = _validator(program, function)
            if found is not None:
                seen.add(function.name)
                yield found
        for each in declared(owner):
            if each.function is None:
                yield from _annotation_validators(program, each)


def _validator(program: Program, function: Function) -> Validator | None:
    for decorator in function.node.decorators:
        call = decorator if isinstance(decorator, ir.Call) else None
        name = last_name(call.func if call is not None else decorator)
        scope = function.parent or function.module
        if name in ("field_validator", "validator"):
            fields = tuple(
                f for a in (call.args if call is not None else ()) if (f := _text_of(program, a, scope))
            )
            return Validator(
                function, "field", _mode(program, call, scope, "after"), fields, function.location()
            )
        if name in ("model_validator", "root_validator"):
            mode = _mode(program, call, scope, "after")
            return Validator(function, "model", mode, (), function.location())
    return None


def _text_of(program: Program, expr: ir.Expr, scope: Scope) -> str | None:
    return program.constants.string(expr, scope)


def _mode(program: Program, call: ir.Call | None, scope: Scope, default: str) -> str:
    if call is None:
        return default
    if known(_keyword_value(program, call, scope, "pre")) is True:
        return "before"
    mode = text(program, call, scope, "mode")
    return mode if mode is not None else default


_ANNOTATION_VALIDATORS = {
    "AfterValidator": "after",
    "BeforeValidator": "before",
    "PlainValidator": "plain",
    "WrapValidator": "wrap",
}


def _annotation_validators(program: Program, each: Declared) -> Iterator[Validator]:
    for part, scope in annotated_parts(program, each.annotation, each.cls):
        part, scope = program.inference.expand(part, scope)
        if not isinstance(part, ir.Call):
            continue
        mode = _ANNOTATION_VALIDATORS.get(called(program, part, scope).name)
        if mode is None:
            continue
        of = program.inference.type_of(argument(part, 0, "func"), scope)
        function = next((o.function for o in options(of) if isinstance(o, FunctionRef)), None)
        yield Validator(function, "annotation", mode, (each.name,), each.location)


def _config(program: Program, lineage: list[tuple[Class, dict[str, Type | None]]]) -> dict[str, Any]:
    """`model_config`, `class Config` and class keywords of all ancestors, nearer ones winning."""
    found: dict[str, Any] = {}
    for owner, _ in reversed(lineage):
        for name, value, scope in _config_entries(program, owner):
            found[_CONFIG_ALIASES.get(name, name)] = _config_value(program, value, scope)
    return found


def _config_entries(program: Program, owner: Class) -> Iterator[tuple[str, ir.Expr, Scope]]:
    for inner in owner.classes:
        if inner.name == "Config":
            for config, _ in reversed(ancestors(program, inner)):
                for each in declared(config):
                    if each.value is not None:
                        yield each.name, each.value, config
    for bound in owner.facts.bindings.get("model_config", ())[-1:]:
        if bound.value is not None:
            yield from _config_call(program, bound.value, owner)
    for item in owner.node.keywords:
        if item.arg is not None and item.arg not in ("table", "metaclass", "registry"):
            yield item.arg, item.value, owner.parent or owner.module


def _config_call(program: Program, expr: ir.Expr, scope: Scope) -> Iterator[tuple[str, ir.Expr, Scope]]:
    expr, scope = program.inference.expand(expr, scope)
    if isinstance(expr, ir.Call):
        for item in expr.keywords:
            if item.arg is not None:
                yield item.arg, item.value, scope
            else:
                yield from _config_call(program, item.value, scope)
    elif isinstance(expr, ir.Dict):
        for key, value in zip(expr.keys, expr.values, strict=True):
            name = program.constants.string(key, scope)
            if name is not None:
                yield name, value, scope


def _config_value(program: Program, expr: ir.Expr, scope: Scope) -> Any:
    value = program.constants.value(expr, scope)
    if value is not UNKNOWN:
        return value
    name = last_name(expr.func if isinstance(expr, ir.Call) else expr)
    # `Extra.forbid` is a member of a library's enumeration; a generator is known by its name.
    return name if name in ("forbid", "ignore", "allow", "to_camel", "to_snake", "to_pascal") else UNKNOWN


def _apply_v1_field_config(
    program: Program, lineage: list[tuple[Class, dict[str, Type | None]]], fields: dict[str, SchemaField]
) -> None:
    """`class Config: fields = {"x": {"exclude": True}}` of Pydantic v1."""
    from msgspec.structs import replace

    for owner, _ in reversed(lineage):
        for name, value, scope in _config_entries(program, owner):
            table = program.constants.value(value, scope) if name == "fields" else None
            for field, said in table.items() if isinstance(table, dict) else ():
                if field in fields and isinstance(said, dict) and said.get("exclude") is True:
                    fields[field] = replace(fields[field], excluded=True)
