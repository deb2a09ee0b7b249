"""Columns of models: `Mapped[...]`, `mapped_column(...)`, `Column(...)` in classes, fields of SQLModel."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from fastapi_architect.appgraph import column_types, constraints
from fastapi_architect.appgraph.declarations import (
    Declared,
    annotated_parts,
    annotation_heads,
    called,
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
from fastapi_architect.appgraph.tables import Column, ForeignKey, TableReader
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.constants import UNKNOWN
from fastapi_architect.program.definitions import Class, Function, Scope, last_name
from fastapi_architect.program.program import Program
from fastapi_architect.program.types import Instance, Type, options
from fastapi_architect.syntax import ir

#: Annotations of collections that are never loaded whole, to their strategy.
DYNAMIC = {"WriteOnlyMapped": "write_only", "DynamicMapped": "dynamic"}
RELATIONSHIP_CALLS = ("relationship", "Relationship", "relation", "dynamic_loader")


class MappedColumnReader:
    """Reads the columns that the body of a model declares."""

    def __init__(self, program: Program, names: TableNames, reader: TableReader) -> None:
        self.program = program
        self.names = names
        self.reader = reader
        self._maps: dict[int, tuple[tuple[Class, ir.Dict], ...]] = {}

    def column(self, cls: Class, each: Declared, variables: dict[str, Type | None]) -> Column | None:
        """The column that a declaration makes in the table of `cls`, None when it makes none."""
        if each.name.startswith("__") or each.name in ("metadata", "registry", "model_config"):
            return None
        if each.function is not None:
            return self._declared_column(cls, each)
        call = _column_call(self.program, each.value, each.cls)
        if call is not None:
            return self._mapped_column(cls, each, variables, call)
        kind = called(self.program, each.value, each.cls).name
        if kind in RELATIONSHIP_CALLS or each.annotation is None:
            return None
        if has_library_ancestor(self.program, cls, "sqlmodel", "SQLModel"):
            # Pydantic takes a name that begins with an underscore for a private attribute.
            return None if each.name.startswith("_") else self._sqlmodel_column(cls, each, variables)
        inner = self._mapped_annotation(each)
        if inner is None or kind:
            return None
        nothing = ir.Call(each.node.span, ir.Name(0, ""), [], [])  # as if it were `mapped_column()`
        return replace(self._mapped_column(cls, each, variables, nothing), call=None)

    def _declared_column(self, cls: Class, each: Declared) -> Column | None:
        function = each.function
        if function is None or not is_declared_attr(function):
            return None
        for site in function.facts.sites(ir.Return):
            call = _column_call(self.program, site.node.value, function)
            if call is not None:
                python_type = mapped_argument(
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
            if isinstance(head, ir.Subscript) and parts and last_name(head.value) in ("Mapped", *DYNAMIC):
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
            python_type = mapped_argument(of)
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
        maps = self._annotation_maps(cls)
        if not maps or self.reader.named_type(call, column.scope) is not None:
            return column
        inference = self.program.inference
        for owner, known in maps:
            plain = None
            for key, value in zip(known.keys, known.values, strict=True):
                if key is None:
                    continue
                if _same_binding(
                    inference.bindings_of(key, owner), inference.bindings_of(_bare(inner[0]), inner[1])
                ):
                    kind = column_types.of_expression(self.program, value, owner)
                    return replace(column, type=kind or column.type)
                if next(annotated_parts(self.program, key, owner), None) is not None:
                    continue  # an `Annotated` alias stands for itself, not for its plain type
                of = inference.annotation(key, owner)
                if of is not None and of in tuple(options(column.python_type)):
                    plain = column_types.of_expression(self.program, value, owner)
            if plain is not None:
                return replace(column, type=plain)
        return column

    def _annotation_maps(self, cls: Class) -> tuple[tuple[Class, ir.Dict], ...]:
        """The `type_annotation_map` of each class in the lineage that has one, nearest first."""
        known = self._maps.get(id(cls))
        if known is None:
            owners = [entry.cls for entry in self.names.lineage(cls) if isinstance(entry.cls, Class)]
            bound = [(owner, owner.facts.bindings.get("type_annotation_map")) for owner in owners]
            written = [(owner, each[-1].value) for owner, each in bound if each]
            known = self._maps[id(cls)] = tuple((o, v) for o, v in written if isinstance(v, ir.Dict))
        return known

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
        extra = dict_entries(program, rest, each.cls)
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
            said = text(self.program, field, each.cls, "ondelete")
            ondelete = said.upper() if said is not None else None
            targets = (column,) if column else ()
            found.append(ForeignKey((each.name,), table, targets, ondelete, None, None, each.location))
        found += [
            self.reader.foreign_key(call, each.cls, each.name, each.location)
            for call in more
            if called(self.program, call, each.cls).name == "ForeignKey"
        ]
        return tuple(found)


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


def is_declared_attr(function: Function) -> bool:
    """Decorated with `declared_attr` or one of its variants."""
    for decorator in function.node.decorators:
        expr = decorator.func if isinstance(decorator, ir.Call) else decorator
        if last_name(expr) == "declared_attr" or (
            isinstance(expr, ir.Attribute) and last_name(expr.value) == "declared_attr"
        ):
            return True
    return False


def mapped_argument(of: Type | None) -> Type | None:
    """`T` of an instance of `Mapped[T]`, None for any other type."""
    for option in options(of):
        if (
            isinstance(option, Instance)
            and option.args
            and option.name.rpartition(".")[2] in ("Mapped", *DYNAMIC)
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


def dict_entries(program: Program, expr: ir.Expr | None, scope: Scope) -> dict[str, ir.Expr]:
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
