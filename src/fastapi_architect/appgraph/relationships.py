"""Relationships of models: where an attribute leads, and how it is loaded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec.structs import replace

from fastapi_architect.appgraph.declarations import Declared, annotation_heads, called, keyword, seen_type
from fastapi_architect.appgraph.mapped_columns import (
    DYNAMIC,
    RELATIONSHIP_CALLS,
    dict_entries,
    is_declared_attr,
    mapped_argument,
)
from fastapi_architect.appgraph.tables import Table, TableReader
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.definitions import Class, Scope, last_name
from fastapi_architect.program.program import Program
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


class Relationship(msgspec.Struct, frozen=True):
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


class AssociationProxy(msgspec.Struct, frozen=True):
    """`association_proxy("relationship", "attribute")`: reading it reads the relationship."""

    name: str
    relationship: str
    attribute: str
    location: Location


class RelationshipReader:
    """Reads the relationships that the body of a model declares."""

    def __init__(self, program: Program, reader: TableReader, by_name: dict[str, list[Class]]) -> None:
        """Read in `program`; `by_name` holds the mapped classes by their names."""
        self.program = program
        self.reader = reader
        self._by_name = by_name

    def relationship(
        self, cls: Class, each: Declared, variables: dict[str, Type | None], table: Table
    ) -> Relationship | None:
        """The relationship that a declaration makes on `cls`, None when it makes none."""
        written, scope, annotation = self._relationship_call(each)
        dynamic = self._dynamic_strategy(each)
        if written is None and dynamic is None:
            return None
        call = written or ir.Call(each.node.span, ir.Name(0, ""), [], [])
        of = seen_type(self.program, annotation, each.cls, variables) if annotation is not None else None
        of = mapped_argument(of) or of
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
            call=written,
            scope=scope,
        )

    def _relationship_call(self, each: Declared) -> tuple[ir.Call | None, Scope, ir.Expr | None]:
        program = self.program
        if each.function is not None:
            if is_declared_attr(each.function):
                for site in each.function.facts.sites(ir.Return):
                    value = site.node.value
                    if (
                        isinstance(value, ir.Call)
                        and called(program, value, each.function).name in RELATIONSHIP_CALLS
                    ):
                        return value, each.function, each.function.node.returns
            return None, each.cls, None
        value = each.value
        if isinstance(value, ir.Call) and called(program, value, each.cls).name in RELATIONSHIP_CALLS:
            return value, each.cls, each.annotation
        return None, each.cls, each.annotation

    def _dynamic_strategy(self, each: Declared) -> str | None:
        for head, _ in annotation_heads(self.program, each.annotation, each.cls):
            if isinstance(head, ir.Subscript) and last_name(head.value) in DYNAMIC:
                return DYNAMIC[last_name(head.value)]
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
        table |= dict_entries(self.program, table.get("sa_relationship_kwargs"), scope)
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

    def proxies(
        self, attributes: list[tuple[Declared, dict[str, Type | None]]]
    ) -> Iterator[AssociationProxy]:
        """`association_proxy(...)` attributes."""
        for each, _ in attributes:
            if (
                isinstance(each.value, ir.Call)
                and called(self.program, each.value, each.cls).name == "association_proxy"
            ):
                names = [
                    self.program.constants.string(argument(each.value, i), each.cls) or "" for i in (0, 1)
                ]
                yield AssociationProxy(each.name, names[0], names[1], each.location)


class _Options(msgspec.Struct, frozen=True):
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


def _strategy(value: Any) -> str:
    """The loading strategy's name: True and None mean `select`, False `joined`."""
    if value is None or value is True:
        return "select"
    if value is False:
        return "joined"
    return value if isinstance(value, str) else "unknown"


def back_reference(each: Relationship) -> Relationship | None:
    """The attribute that `backref=` makes on the other side, or None."""
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
