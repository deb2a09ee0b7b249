"""Models: classes that SQLAlchemy or SQLModel maps to tables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from fastapi_architect.appgraph import column_types, constraints
from fastapi_architect.appgraph.declarations import (
    Declared,
    annotated_parts,
    annotation_heads,
    called,
    constant_keyword,
    declared,
    elements,
    flag,
    has_library_ancestor,
    is_ellipsis,
    keyword,
    seen_type,
    subscript_elements,
    text,
)
from fastapi_architect.appgraph.table_names import TableNames
from fastapi_architect.appgraph.tables import Column, ForeignKey, Table, TableItems, TableReader, assemble
from fastapi_architect.program.constants import UNKNOWN
from fastapi_architect.program.definitions import Class, Function, Scope, last_name
from fastapi_architect.program.program import Program
from fastapi_architect.program.type_inference import argument
from fastapi_architect.program.types import ClassRef, Instance, Type, options
from fastapi_architect.source.location import Location
from fastapi_architect.syntax import ir

_COLLECTIONS = frozenset(
    {
        "builtins.list",
        "builtins.set",
        "builtins.frozenset",
        "collections.abc.Sequence",
        "collections.abc.Collection",
        "collections.abc.Iterable",
        "collections.abc.MutableSequence",
    }
)
_DYNAMIC = {"WriteOnlyMapped": "write_only", "DynamicMapped": "dynamic"}
_RELATIONSHIP_CALLS = ("relationship", "Relationship", "relation", "dynamic_loader")

_SOFT_DELETE = (
    "deleted_at",
    "is_deleted",
    "deleted",
    "deleted_on",
    "soft_deleted",
    "is_removed",
    "removed_at",
    "date_deleted",
)
_TENANT = (
    "tenant_id",
    "org_id",
    "organization_id",
    "organisation_id",
    "workspace_id",
    "company_id",
    "team_id",
    "project_id",
)
_OWNER = (
    "owner_id",
    "user_id",
    "author_id",
    "created_by",
    "created_by_id",
    "creator_id",
    "customer_id",
    "account_id",
    "owner",
)
_PEOPLE = frozenset(
    [
        "user",
        "users",
        "account",
        "accounts",
        "customer",
        "customers",
        "member",
        "members",
        "profile",
        "profiles",
        "auth_user",
    ]
)


@dataclass(frozen=True, slots=True)
class Relationship:
    """An attribute that leads to rows of another table.

    Attributes:
        attribute: its name.
        owner: class that declares it (for a back reference, the class that has it in the end).
        target: the model's class, None when it could not be followed.
        target_name: as written, for messages.
        uselist: it holds many.
        lazy: loading strategy, `select` unless said otherwise; "unknown" when it is not a constant.
        back_populates: attribute on the other side, or None.
        secondary: name of the association table, or None; "" when it is there and not known.
        cascade: as written, or None.
        foreign_keys: expression, or None.
        passive_deletes: as written: True, "all", or None.
        viewonly: it is never written.
        is_backref: made by `backref=` on the other side.
        location: where.
        call: `relationship(...)`, or None.
        scope: where `call` is to be read.
    """

    attribute: str
    owner: Class
    target: Class | None
    target_name: str
    uselist: bool
    lazy: str
    back_populates: str | None
    secondary: str | None
    cascade: str | None
    foreign_keys: ir.Expr | None
    passive_deletes: Any
    viewonly: bool
    is_backref: bool
    location: Location
    call: ir.Call | None
    scope: Scope

    @property
    def loads_when_read(self) -> bool:
        """Reading the attribute of a freshly queried object runs a query of its own."""
        return self.lazy in ("select", "true", "True")


@dataclass(frozen=True, slots=True)
class HybridProperty:
    """A `@hybrid_property`, or an ordinary property of a model (`is_hybrid` False)."""

    name: str
    function: Function
    is_hybrid: bool
    location: Location


@dataclass(frozen=True, slots=True)
class AssociationProxy:
    """`association_proxy("relationship", "attribute")`: reading it reads the relationship."""

    name: str
    relationship: str
    attribute: str
    location: Location


@dataclass(frozen=True)
class Model:
    """A mapped class.

    Attributes:
        cls: the class.
        table: its table; for single-table inheritance the parent's columns and its own.
        relationships: own and inherited, back references included.
        properties: hybrid and plain properties.
        proxies: association proxies.
        parent: the mapped class it inherits from, or None.
        inheritance: "" without a mapped parent, else single or joined.
        is_sqlmodel: declared with SQLModel.
        version_column: name of the column of `version_id_col`, or None.
        is_complete: False when columns may come from a library's mixin that is not known here.
        location: where.
    """

    cls: Class
    table: Table
    relationships: tuple[Relationship, ...]
    properties: tuple[HybridProperty, ...]
    proxies: tuple[AssociationProxy, ...]
    parent: Class | None
    inheritance: str
    is_sqlmodel: bool
    version_column: str | None
    is_complete: bool
    location: Location

    @property
    def name(self) -> str:
        """The class's name."""
        return self.cls.name

    @property
    def columns(self) -> tuple[Column, ...]:
        """The table's columns."""
        return self.table.columns

    @cached_property
    def by_attribute(self) -> dict[str, Column]:
        """Columns by their name in Python."""
        return {column.attribute: column for column in self.table.columns}

    @cached_property
    def relationship_by_name(self) -> dict[str, Relationship]:
        """Relationships by attribute."""
        return {each.attribute: each for each in self.relationships}

    @cached_property
    def soft_delete_column(self) -> Column | None:
        """The column that marks a row as deleted, by its name."""
        return next((c for name in _SOFT_DELETE for c in self.columns if c.attribute == name), None)

    @cached_property
    def tenant_columns(self) -> tuple[Column, ...]:
        """Columns that say to which tenant a row belongs, by their names."""
        return tuple(c for c in self.columns if c.attribute in _TENANT)

    @cached_property
    def owner_columns(self) -> tuple[Column, ...]:
        """Columns that say whose a row is: by name, or a foreign key to a table of people."""
        found = []
        for column in self.columns:
            to_people = any(f.table.rpartition(".")[2].lower() in _PEOPLE for f in column.foreign_keys)
            by_name = column.attribute in _OWNER and not column.foreign_keys
            if by_name or (to_people and not column.primary_key):
                found.append(column)
        return tuple(found)


def find_models(program: Program) -> tuple[Model, ...]:
    """Every mapped class, in order of files."""
    return ModelReader(program).models()


class ModelReader:
    """Reads the models of one program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.names = TableNames(program)
        self.reader = TableReader(program)
        self._mapped: list[Class] = []
        self._by_name: dict[str, list[Class]] = {}
        self._tables: dict[int, Table] = {}

    def models(self) -> tuple[Model, ...]:
        """All of them."""
        self._mapped = [cls for cls in self.program.classes if self.names.is_mapped(cls)]
        for cls in self._mapped:
            self._by_name.setdefault(cls.name, []).append(cls)
            self.reader.table_of_class[id(cls)] = self._qualified(cls)
        found = [self._model(cls) for cls in self._mapped]
        return tuple(_with_back_references(found))

    def _qualified(self, cls: Class) -> str:
        name = self.names.name(cls) or ""
        schema = self._items(cls).schema if name else None
        return f"{schema}.{name}" if schema else name

    # ── one model ───────────────────────────────────────────────────────────────────────────────────────────

    def _model(self, cls: Class) -> Model:
        attributes = list(self._attributes(cls))
        parent = self.names.parent(cls)
        table = self._table(cls)
        relationships = [
            r for each, variables in attributes if (r := self._relationship(cls, each, variables, table))
        ]
        if parent is not None:
            own = {r.attribute for r in relationships}
            relationships += [r for r in self._model(parent).relationships if r.attribute not in own]
        single = parent is not None and not self.names.declares_own_table(cls)
        return Model(
            cls=cls,
            table=table,
            relationships=tuple(relationships),
            properties=tuple(_properties(attributes)),
            proxies=tuple(self._proxies(attributes)),
            parent=parent,
            inheritance="" if parent is None else "single" if single else "joined",
            is_sqlmodel=has_library_ancestor(self.program, cls, "sqlmodel", "SQLModel"),
            version_column=self._version_column(cls),
            is_complete=self._is_complete(cls),
            location=cls.location(),
        )

    def _attributes(self, cls: Class) -> Iterator[tuple[Declared, dict[str, Type | None]]]:
        """What the class and its unmapped ancestors declare; nearer declarations win, at the place of the
        farther.
        """
        parent = self.names.parent(cls)
        beyond = {id(e.cls) for e in self.names.lineage(parent)} if parent is not None else set()
        found: dict[str, tuple[Declared, dict[str, Type | None]]] = {}
        for entry in reversed(self.names.lineage(cls)):
            if isinstance(entry.cls, Class) and id(entry.cls) not in beyond:
                for each in declared(entry.cls):
                    found[each.name] = (each, entry.variables)
        yield from found.values()

    def _table(self, cls: Class) -> Table:
        known = self._tables.get(id(cls))
        if known is None:
            known = self._tables[id(cls)] = self._read_table(cls)
        return known

    def _read_table(self, cls: Class) -> Table:
        explicit = self._explicit_table(cls)
        if explicit is not None:
            return explicit
        columns = [
            c for each, variables in self._attributes(cls) if (c := self._column(cls, each, variables))
        ]
        parent = self.names.parent(cls)
        if parent is not None and not self.names.declares_own_table(cls):
            base = self._table(parent)
            extra = assemble(base.name, columns, TableItems(), cls.location())
            return replace(
                base,
                columns=(*base.columns, *extra.columns),
                indexes=(*base.indexes, *extra.indexes),
                uniques=(*base.uniques, *extra.uniques),
                foreign_keys=(*base.foreign_keys, *extra.foreign_keys),
                location=cls.location(),
            )
        named = {c.attribute: c.name for c in columns if c.attribute}
        return assemble(self.names.name(cls) or "", columns, self._items(cls, named), cls.location())

    def _explicit_table(self, cls: Class) -> Table | None:
        """`__table__ = Table(...)`."""
        bound = cls.facts.bindings.get("__table__")
        if not bound or bound[-1].value is None:
            return None
        call, scope = self.program.inference.expand(bound[-1].value, cls)
        if not isinstance(call, ir.Call):
            return None
        table = read_table(self.reader, call, scope, cls.location())
        columns = tuple(replace(c, attribute=c.name, owner=cls) for c in table.columns)
        return replace(table, columns=columns)

    def _items(self, cls: Class, names: dict[str, str] | None = None) -> TableItems:
        """`__table_args__`, own or inherited from a mixin."""
        for entry in self.names.lineage(cls):
            bound = entry.cls.facts.bindings.get("__table_args__") if isinstance(entry.cls, Class) else None
            if not bound or not isinstance(entry.cls, Class):
                continue
            scope: Scope = entry.cls
            value = bound[-1].value
            if isinstance(bound[-1].definition, Function):
                scope = bound[-1].definition
                value = next(
                    (s.node.value for s in scope.facts.sites(ir.Return) if s.node.value is not None), None
                )
            return self.reader.items(elements(value), scope, names)
        return TableItems()

    def _version_column(self, cls: Class) -> str | None:
        for entry in self.names.lineage(cls):
            bound = entry.cls.facts.bindings.get("__mapper_args__") if isinstance(entry.cls, Class) else None
            if not bound or not isinstance(entry.cls, Class):
                continue
            value = bound[-1].value
            if isinstance(bound[-1].definition, Function):
                returns = bound[-1].definition.facts.sites(ir.Return)
                value = returns[-1].node.value if returns else None
            if isinstance(value, ir.Dict):
                for key, item in zip(value.keys, value.values, strict=True):
                    if self.program.constants.string(key, entry.cls) == "version_id_col":
                        return last_name(item) or self.program.constants.string(item, entry.cls)
        return None

    def _is_complete(self, cls: Class) -> bool:
        """No ancestor is a library's class that could bring columns."""
        for entry in self.names.lineage(cls):
            if isinstance(entry.cls, str):
                package = entry.cls.partition(".")[0]
                if package not in _NO_COLUMNS:
                    return False
                continue
            for base in entry.cls.node.bases:
                head = base.value if isinstance(base, ir.Subscript) else base
                if not list(options(self.program.inference.reference(head, entry.cls.parent))):
                    return False
        return True

    # ── columns ─────────────────────────────────────────────────────────────────────────────────────────────

    def _column(self, cls: Class, each: Declared, variables: dict[str, Type | None]) -> Column | None:
        if each.name.startswith("__") or each.name in ("metadata", "registry", "model_config"):
            return None
        if each.function is not None:
            return self._declared_column(cls, each)
        call = _column_call(self.program, each.value, each.cls)
        if call is not None:
            return self._mapped_column(cls, each, variables, call)
        kind = called(self.program, each.value, each.cls).name
        if kind in _RELATIONSHIP_CALLS or each.annotation is None:
            return None
        if has_library_ancestor(self.program, cls, "sqlmodel", "SQLModel"):
            return self._sqlmodel_column(cls, each, variables)
        inner = self._mapped_annotation(each)
        if inner is None or kind:
            return None
        return self._mapped_column(cls, each, variables, ir.Call(each.node.span, ir.Name(0, ""), [], []))

    def _declared_column(self, cls: Class, each: Declared) -> Column | None:
        function = each.function
        if function is None or not _is_declared_attr(function):
            return None
        for site in function.facts.sites(ir.Return):
            call = _column_call(self.program, site.node.value, function)
            if call is not None:
                python_type = _mapped_argument(
                    self.program.inference.annotation(function.node.returns, each.cls)
                )
                return self.reader.column(
                    call, function, each.name, cls, python_type, each.location, mapped=python_type is not None
                )
        return None

    def _mapped_annotation(self, each: Declared) -> tuple[ir.Expr, Scope] | None:
        """`T` of `Mapped[T]`, with where to read it; None for other annotations."""
        if each.annotation is None:
            return None
        for head, scope in annotation_heads(self.program, each.annotation, each.cls):
            parts = subscript_elements(head)
            if isinstance(head, ir.Subscript) and parts and last_name(head.value) in ("Mapped", *_DYNAMIC):
                return parts[0], scope
        return None

    def _mapped_column(
        self, cls: Class, each: Declared, variables: dict[str, Type | None], call: ir.Call
    ) -> Column:
        inner = self._mapped_annotation(each)
        python_type: Type | None = None
        defaults: Column | None = None
        mapped = False
        if inner is not None:
            of = seen_type(self.program, each.annotation, each.cls, variables)
            python_type = _mapped_argument(of)
            mapped = called(self.program, call, each.cls).name != "Column" or not _nullable_by_column(call)
            defaults = self._metadata_column(inner, each)
        elif each.annotation is not None:
            python_type = seen_type(self.program, each.annotation, each.cls, variables)
        column = self.reader.column(
            call, each.cls, each.name, cls, python_type, each.location, mapped=mapped, defaults=defaults
        )
        if inner is not None:
            column = self._by_annotation_map(cls, column, inner, call)
            if (
                python_type is None
                and keyword(call, "nullable") is None
                and not column.primary_key
                and defaults is None
            ):
                # The type is not known, but `| None` can be seen.
                column = replace(column, nullable=_allows_none(self.program, *inner))
        return column

    def _metadata_column(self, inner: tuple[ir.Expr, Scope], each: Declared) -> Column | None:
        """`mapped_column(...)` inside `Annotated[...]`."""
        for part, scope in annotated_parts(self.program, *inner):
            part, scope = self.program.inference.expand(part, scope)
            if isinstance(part, ir.Call) and called(self.program, part, scope).name == "mapped_column":
                found = self.reader.column(part, scope, "", None, None, each.location)
                keys = tuple(replace(f, columns=(each.name,)) for f in found.foreign_keys)
                return replace(found, name=found.name or each.name, foreign_keys=keys)
        return None

    def _by_annotation_map(
        self, cls: Class, column: Column, inner: tuple[ir.Expr, Scope], call: ir.Call
    ) -> Column:
        """The base's `type_annotation_map` decides where the column does not name a type."""
        if self.reader.column(call, column.scope).type is not None:
            return column
        inference = self.program.inference
        for entry in self.names.lineage(cls):
            bound = (
                entry.cls.facts.bindings.get("type_annotation_map") if isinstance(entry.cls, Class) else None
            )
            if not bound or not isinstance(entry.cls, Class) or not isinstance(bound[-1].value, ir.Dict):
                continue
            plain = None
            for key, value in zip(bound[-1].value.keys, bound[-1].value.values, strict=True):
                if key is None:
                    continue
                if _same_binding(
                    inference.bindings_of(key, entry.cls), inference.bindings_of(_bare(inner[0]), inner[1])
                ):
                    kind = column_types.of_expression(self.program, value, entry.cls)
                    return replace(column, type=kind or column.type)
                if next(annotated_parts(self.program, key, entry.cls), None) is not None:
                    continue  # an `Annotated` alias stands for itself, not for its plain type
                of = inference.annotation(key, entry.cls)
                if of is not None and of in tuple(options(column.python_type)):
                    plain = column_types.of_expression(self.program, value, entry.cls)
            if plain is not None:
                return replace(column, type=plain)
        return column

    # ── SQLModel ────────────────────────────────────────────────────────────────────────────────────────────

    def _sqlmodel_column(
        self, cls: Class, each: Declared, variables: dict[str, Type | None]
    ) -> Column | None:
        program = self.program
        head = each.annotation.value if isinstance(each.annotation, ir.Subscript) else each.annotation
        if head is not None and last_name(head) == "ClassVar":
            return None
        python_type = seen_type(program, each.annotation, each.cls, variables)
        call = each.value if isinstance(each.value, ir.Call) else None
        field = call if call is not None and called(program, call, each.cls).name == "Field" else None
        given = keyword(field, "sa_column") if field is not None else None
        if given is not None:
            inner, scope = program.inference.expand(given, each.cls)
            if isinstance(inner, ir.Call):
                return self.reader.column(inner, scope, each.name, cls, python_type, each.location)
        rest = keyword(field, "sa_column_kwargs") if field is not None else None
        extra = _dict_entries(program, rest, each.cls)
        empty = ir.Call(each.node.span, ir.Name(0, ""), [], [])
        base = self.reader.column(empty, each.cls, each.name, cls, python_type, each.location)
        column = replace(base, call=field, type=self._sqlmodel_type(each, field, python_type))
        if field is None:
            nullable = column_types.is_optional(python_type)
            return replace(column, nullable=nullable, default=each.value)
        primary_key = flag(program, field, each.cls, "primary_key", default=False) is True
        nullable_said = flag(program, field, each.cls, "nullable")
        default = argument(field, 0, "default") or keyword(field, "default_factory")
        args = keyword(field, "sa_column_args")
        more = [e for e in elements(args) if isinstance(e, ir.Call)] if args is not None else []
        return replace(
            column,
            name=program.constants.string(extra.get("name"), each.cls) or each.name,
            primary_key=primary_key,
            nullable=not primary_key
            and (nullable_said if nullable_said is not None else column_types.is_optional(python_type)),
            unique=flag(program, field, each.cls, "unique", default=False) is True
            or program.constants.value(extra.get("unique"), each.cls) is True,
            index=flag(program, field, each.cls, "index", default=False) is True
            or program.constants.value(extra.get("index"), each.cls) is True,
            default=extra.get("default") or (None if is_ellipsis(default) else default),
            server_default=extra.get("server_default"),
            onupdate=extra.get("onupdate"),
            server_onupdate=extra.get("server_onupdate"),
            foreign_keys=self._sqlmodel_references(each, field, more),
        )

    def _sqlmodel_type(
        self, each: Declared, field: ir.Call | None, of: Type | None
    ) -> column_types.ColumnType | None:
        if field is not None:
            said = column_types.of_expression(self.program, keyword(field, "sa_type"), each.cls)
            if said is not None:
                return said
        kind = column_types.of_python_type(self.program, of)
        limits = constraints.of_annotation(self.program, each.annotation, each.cls)
        if field is not None:
            limits |= constraints.of_keywords(self.program, field, each.cls)
        if kind is not None and kind.name == "String":
            length = constraints.constant(limits, "max_length")
            return replace(kind, length=length if isinstance(length, int) else None)
        if kind is not None and kind.name == "Numeric":
            precision, scale = limits.get("max_digits"), limits.get("decimal_places")
            return replace(
                kind,
                precision=precision if isinstance(precision, int) else None,
                scale=scale if isinstance(scale, int) else None,
            )
        return kind

    def _sqlmodel_references(
        self, each: Declared, field: ir.Call, more: list[ir.Call]
    ) -> tuple[ForeignKey, ...]:
        target = keyword(field, "foreign_key")
        found = []
        if target is not None:
            table, column = self.reader.reference(target, each.cls)
            ondelete = text(self.program, field, each.cls, "ondelete")
            targets = (column,) if column else ()
            found.append(ForeignKey((each.name,), table, targets, ondelete, None, None, each.location))
        found += [
            self.reader.foreign_key(call, each.cls, each.name, each.location)
            for call in more
            if called(self.program, call, each.cls).name == "ForeignKey"
        ]
        return tuple(found)

    # ── relationships ───────────────────────────────────────────────────────────────────────────────────────

    def _relationship(
        self, cls: Class, each: Declared, variables: dict[str, Type | None], table: Table
    ) -> Relationship | None:
        call, scope, annotation = self._relationship_call(each)
        dynamic = self._dynamic_strategy(each)
        if call is None and dynamic is None:
            return None
        call = call or ir.Call(each.node.span, ir.Name(0, ""), [], [])
        of = seen_type(self.program, annotation, each.cls, variables) if annotation is not None else None
        of = _mapped_argument(of) or of
        target, many = self._target_of_type(of)
        target_name = target.name if target is not None else ""
        first = argument(call, 0, "argument")
        if target is None:
            target, target_name = self._target_of_argument(first, scope)
        options_of = self._relationship_options(call, scope)
        secondary = self._secondary(options_of)
        uselist = self._uselist(cls, options_of, many, of, target, table, secondary)
        if dynamic is not None:
            uselist = True
        cascade = options_of.constant("cascade")
        return Relationship(
            attribute=each.name,
            owner=each.cls,
            target=target,
            target_name=target_name,
            uselist=uselist,
            lazy=dynamic or _strategy(options_of.constant("lazy")),
            back_populates=options_of.text("back_populates"),
            secondary=secondary,
            cascade=cascade if isinstance(cascade, str) else None,
            foreign_keys=options_of.get("foreign_keys"),
            passive_deletes=options_of.constant("passive_deletes"),
            viewonly=options_of.constant("viewonly") is True,
            is_backref=False,
            location=each.location,
            call=call,
            scope=scope,
        )

    def _relationship_call(self, each: Declared) -> tuple[ir.Call | None, Scope, ir.Expr | None]:
        program = self.program
        if each.function is not None:
            if _is_declared_attr(each.function):
                for site in each.function.facts.sites(ir.Return):
                    value = site.node.value
                    if (
                        isinstance(value, ir.Call)
                        and called(program, value, each.function).name in _RELATIONSHIP_CALLS
                    ):
                        return value, each.function, each.function.node.returns
            return None, each.cls, None
        value = each.value
        if isinstance(value, ir.Call) and called(program, value, each.cls).name in _RELATIONSHIP_CALLS:
            return value, each.cls, each.annotation
        return None, each.cls, each.annotation

    def _dynamic_strategy(self, each: Declared) -> str | None:
        for head, _ in annotation_heads(self.program, each.annotation, each.cls):
            if isinstance(head, ir.Subscript) and last_name(head.value) in _DYNAMIC:
                return _DYNAMIC[last_name(head.value)]
        return None

    def _target_of_type(self, of: Type | None) -> tuple[Class | None, bool]:
        for option in options(of):
            if not isinstance(option, Instance):
                continue
            if isinstance(option.cls, Class):
                return option.cls, False
            if option.args and (option.name in _COLLECTIONS or option.name.endswith(("dict", "Mapping"))):
                inner, _ = self._target_of_type(option.args[-1])
                return inner, True
        return None, False

    def _target_of_argument(self, expr: ir.Expr | None, scope: Scope) -> tuple[Class | None, str]:
        if isinstance(expr, ir.Lambda):
            expr = expr.body
        if expr is None:
            return None, ""
        name = self.program.constants.string(expr, scope)
        if name is not None:
            return self._class_named(name, scope), name
        for of in options(self.program.inference.type_of(expr, scope)):
            if isinstance(of, ClassRef) and isinstance(of.cls, Class):
                return of.cls, of.cls.name
        return self._class_named(last_name(expr), scope), last_name(expr)

    def _class_named(self, name: str, scope: Scope) -> Class | None:
        """The mapped class of that name, as SQLAlchemy's registry would find it."""
        candidates = self._by_name.get(name.rpartition(".")[2], [])
        if len(candidates) > 1 and "." in name:
            candidates = [c for c in candidates if c.full_name.endswith(name)]
        if len(candidates) > 1:
            near = [c for c in candidates if c.module is scope.module]
            candidates = near or [c for c in candidates if c.module.root == scope.module.root]
        return candidates[0] if len(candidates) == 1 else None

    def _relationship_options(self, call: ir.Call, scope: Scope) -> _Options:
        table = {k.arg: k.value for k in call.keywords if k.arg is not None}
        table |= _dict_entries(self.program, table.get("sa_relationship_kwargs"), scope)
        return _Options(self.program, table, scope)

    def _secondary(self, given: _Options) -> str | None:
        expr = given.get("secondary") or given.get("link_model")
        if expr is None:
            return None
        if isinstance(expr, ir.Lambda):
            expr = expr.body
        name = self.program.constants.string(expr, given.scope)
        if name is not None:
            return name
        if isinstance(expr, ir.Attribute) and expr.attr == "__table__":
            expr = expr.value
        scope = given.scope
        if isinstance(expr, ir.Name) and isinstance(scope, Class) and expr.id in scope.facts.bindings:
            # `tags = relationship(secondary=tags)`: the class's own name is not bound yet.
            scope = scope.parent or scope.module
        for of in options(self.program.inference.type_of(expr, scope)):
            if isinstance(of, ClassRef) and isinstance(of.cls, Class):
                return self.reader.table_of_class.get(id(of.cls), "")
        call, scope = self.program.inference.expand(expr, scope)
        if isinstance(call, ir.Call) and called(self.program, call, scope).name == "Table":
            return self.program.constants.string(argument(call, 0, "name"), scope) or ""
        return ""

    def _uselist(
        self,
        cls: Class,
        given: _Options,
        many: bool,
        annotated: Type | None,
        target: Class | None,
        table: Table,
        secondary: str | None,
    ) -> bool:
        said = given.constant("uselist")
        if isinstance(said, bool):
            return said
        if any(isinstance(o, Instance) for o in options(annotated)):
            return many
        if secondary is not None or target is None:
            return True
        # Without an annotation the foreign keys decide: the side that has the key holds one.
        other = self.reader.table_of_class.get(id(target), "")
        if target is cls or other == table.full_name:
            return given.get("remote_side") is None
        return not any(f.table == other for f in table.foreign_keys)

    def _proxies(
        self, attributes: list[tuple[Declared, dict[str, Type | None]]]
    ) -> Iterator[AssociationProxy]:
        for each, _ in attributes:
            if (
                isinstance(each.value, ir.Call)
                and called(self.program, each.value, each.cls).name == "association_proxy"
            ):
                names = [
                    self.program.constants.string(argument(each.value, i), each.cls) or "" for i in (0, 1)
                ]
                yield AssociationProxy(each.name, names[0], names[1], each.location)


@dataclass(frozen=True, slots=True)
class _Options:
    """Keyword arguments of `relationship(...)` wherever they were written."""

    program: Program
    table: dict[str, ir.Expr]
    scope: Scope

    def get(self, name: str) -> ir.Expr | None:
        return self.table.get(name)

    def constant(self, name: str) -> Any:
        expr = self.table.get(name)
        return None if expr is None else self.program.constants.value(expr, self.scope)

    def text(self, name: str) -> str | None:
        value = self.constant(name)
        return value if isinstance(value, str) else None


#: Libraries whose classes bring no columns of their own.
_NO_COLUMNS = frozenset({
    "abc", "builtins", "enum", "pydantic", "sqlalchemy", "sqlmodel", "typing", "typing_extensions", "collections",
    "dataclasses",
})  # fmt: skip


def _column_call(program: Program, value: ir.Expr | None, scope: Scope) -> ir.Call | None:
    """`Column(...)` or `mapped_column(...)`, out of `deferred(...)` and `column_property(...)` too."""
    if not isinstance(value, ir.Call):
        return None
    of = called(program, value, scope)
    if of.name in ("Column", "mapped_column", "MappedColumn"):
        return value
    if of.name in ("deferred", "column_property", "query_expression") and value.args:
        return _column_call(program, value.args[0], scope)
    if of.is_one_of("typing", "cast") and len(value.args) == 2:
        return _column_call(program, value.args[1], scope)
    return None


def _nullable_by_column(call: ir.Call) -> bool:
    return keyword(call, "nullable") is not None


def _is_declared_attr(function: Function) -> bool:
    for decorator in function.node.decorators:
        expr = decorator.func if isinstance(decorator, ir.Call) else decorator
        if last_name(expr) == "declared_attr" or (
            isinstance(expr, ir.Attribute) and last_name(expr.value) == "declared_attr"
        ):
            return True
    return False


def _mapped_argument(of: Type | None) -> Type | None:
    """`T` of an instance of `Mapped[T]`, None for any other type."""
    for option in options(of):
        if (
            isinstance(option, Instance)
            and option.args
            and option.name.rpartition(".")[2] in ("Mapped", *_DYNAMIC)
        ):
            return option.args[0]
    return None


def _allows_none(program: Program, expr: ir.Expr, scope: Scope) -> bool:
    heads = annotation_heads(program, expr, scope)
    return any(isinstance(head, ir.Constant) and head.kind == "none" for head, _ in heads)


def _bare(expr: ir.Expr) -> ir.Expr:
    """`str50` of `str50 | None` and `Optional[str50]`."""
    if isinstance(expr, ir.BinOp) and expr.op == "|":
        return _bare(expr.left)
    if isinstance(expr, ir.Subscript) and last_name(expr.value) == "Optional":
        return _bare(expr.slice)
    return expr


def _same_binding(left: Any, right: Any) -> bool:
    if left is None or right is None:
        return False
    kinds = ("assign", "annotated")
    return left[1][-1] is right[1][-1] and left[1][-1].kind in kinds


def _dict_entries(program: Program, expr: ir.Expr | None, scope: Scope) -> dict[str, ir.Expr]:
    """`{"a": x}` or `dict(a=x)` as names to expressions."""
    if isinstance(expr, ir.Call):
        return {k.arg: k.value for k in expr.keywords if k.arg is not None}
    found: dict[str, ir.Expr] = {}
    if isinstance(expr, ir.Dict):
        for key, value in zip(expr.keys, expr.values, strict=True):
            name = program.constants.value(key, scope) if key is not None else UNKNOWN
            if isinstance(name, str):
                found[name] = value
    return found


def _strategy(value: Any) -> str:
    """The loading strategy's name: True and None mean `select`, False `joined`."""
    if value is None or value is True:
        return "select"
    if value is False:
        return "joined"
    return value if isinstance(value, str) else "unknown"


def _properties(attributes: list[tuple[Declared, dict[str, Type | None]]]) -> Iterator[HybridProperty]:
    for each, _ in attributes:
        function = each.function
        if function is None:
            continue
        hybrid = function.has_decorator("hybrid_property")
        if hybrid or function.has_decorator("property") or function.has_decorator("cached_property"):
            yield HybridProperty(each.name, function, hybrid, function.location())


def _with_back_references(models: list[Model]) -> Iterator[Model]:
    """Add the attributes that `backref=` makes on the other side."""
    made: dict[int, list[Relationship]] = {}
    for model in models:
        for each in model.relationships:
            if each.target is None or each.call is None or each.owner is not model.cls:
                continue
            found = _back_reference(each)
            if found is not None:
                made.setdefault(id(each.target), []).append(found)
    for model in models:
        extra = [r for r in made.get(id(model.cls), ()) if r.attribute not in model.relationship_by_name]
        yield replace(model, relationships=(*model.relationships, *extra)) if extra else model


def _back_reference(each: Relationship) -> Relationship | None:
    expr = keyword(each.call, "backref") if each.call is not None else None
    if expr is None or each.target is None:
        return None
    name: Any = expr.value if isinstance(expr, ir.Constant) else None
    lazy = "select"
    uselist = not each.uselist or each.secondary is not None
    if isinstance(expr, ir.Call) and expr.args and isinstance(expr.args[0], ir.Constant):
        name = expr.args[0].value
        said, many = keyword(expr, "lazy"), keyword(expr, "uselist")
        lazy = (
            _strategy(said.value)
            if isinstance(said, ir.Constant)
            else "select"
            if said is None
            else "unknown"
        )
        if isinstance(many, ir.Constant) and isinstance(many.value, bool):
            uselist = many.value
    if not isinstance(name, str):
        return None
    return replace(
        each,
        attribute=name,
        owner=each.target,
        target=each.owner,
        target_name=each.owner.name,
        uselist=uselist,
        lazy=lazy,
        back_populates=each.attribute,
        cascade=None,
        passive_deletes=None,
        is_backref=True,
    )


def read_table(
    reader: TableReader, call: ir.Call, scope: Scope, location: Location, variable: str = ""
) -> Table:
    """Read `Table("name", metadata, *items, schema=...)`."""
    name = reader.program.constants.string(argument(call, 0, "name"), scope) or ""
    items = reader.items(call.args[1:], scope)
    columns = tuple(replace(c, attribute=c.name) for c in items.columns)
    table = assemble(name, columns, items, location, variable)
    schema = constant_keyword(reader.program, call, scope, "schema")
    return replace(table, schema=schema) if isinstance(schema, str) else table
