"""Models: classes that SQLAlchemy or SQLModel maps to tables."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import msgspec
from msgspec.structs import replace

from fastapi_architect.appgraph.declarations import (
    Declared,
    constant_keyword,
    declared,
    elements,
    has_library_ancestor,
)
from fastapi_architect.appgraph.mapped_columns import MappedColumnReader
from fastapi_architect.appgraph.relationships import (
    AssociationProxy,
    Relationship,
    RelationshipReader,
    back_reference,
)
from fastapi_architect.appgraph.table_names import TableNames
from fastapi_architect.appgraph.tables import Column, Table, TableItems, TableReader, assemble
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.definitions import Class, Function, Scope, last_name
from fastapi_architect.program.program import Program
from fastapi_architect.program.types import Type, options
from fastapi_architect.source.location import Location
from fastapi_architect.syntax import ir

__all__ = [
    "AssociationProxy",
    "HybridProperty",
    "Model",
    "ModelReader",
    "Relationship",
    "find_models",
    "read_table",
]

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


class HybridProperty(msgspec.Struct, frozen=True):
    """A `@hybrid_property`, or an ordinary property of a model (`is_hybrid` False)."""

    name: str
    function: Function
    is_hybrid: bool
    location: Location


class Model(msgspec.Struct, frozen=True, dict=True):
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
        self.column_reader = MappedColumnReader(program, self.names, self.reader)
        self._mapped: list[Class] = []
        self._by_name: dict[str, list[Class]] = {}
        self.relationship_reader = RelationshipReader(program, self.reader, self._by_name)
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
            r
            for each, variables in attributes
            if (r := self.relationship_reader.relationship(cls, each, variables, table))
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
            proxies=tuple(self.relationship_reader.proxies(attributes)),
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
            c
            for each, variables in self._attributes(cls)
            if (c := self.column_reader.column(cls, each, variables))
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
        items = self._with_bare_items(cls, self._items(cls, named), named)
        return assemble(self.names.name(cls) or "", columns, items, cls.location())

    def _with_bare_items(self, cls: Class, items: TableItems, named: dict[str, str]) -> TableItems:
        """`UniqueConstraint(a, b)` as a statement of the body attaches itself to the table of its columns."""
        bare = [
            statement.value
            for statement in cls.body
            if isinstance(statement, ir.ExprStmt)
            and isinstance(statement.value, ir.Call)
            and last_name(statement.value.func) in ("UniqueConstraint", "Index", "ForeignKeyConstraint")
        ]
        if not bare:
            return items
        more = self.reader.items(bare, cls, named)
        return replace(
            items,
            indexes=(*items.indexes, *more.indexes),
            uniques=(*items.uniques, *more.uniques),
            foreign_keys=(*items.foreign_keys, *more.foreign_keys),
        )

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


#: Libraries whose classes bring no columns of their own.
_NO_COLUMNS = frozenset({
    "abc", "builtins", "enum", "pydantic", "sqlalchemy", "sqlmodel", "typing", "typing_extensions",
    "collections", "dataclasses",
})  # fmt: skip


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
            found = back_reference(each)
            if found is not None:
                made.setdefault(id(each.target), []).append(found)
    for model in models:
        extra = [r for r in made.get(id(model.cls), ()) if r.attribute not in model.relationship_by_name]
        yield replace(model, relationships=(*model.relationships, *extra)) if extra else model


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
