"""Which classes are mapped to tables, and under which names."""

from __future__ import annotations

import re

from fastapi_architect.appgraph.declarations import (
    called,
    decorator_origin,
    has_library_ancestor,
    keyword,
    origin_of_name,
)
from fastapi_architect.appgraph.schemas import is_table
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.class_hierarchy import Ancestor
from fastapi_architect.program.definitions import Class, Function, Scope, last_name
from fastapi_architect.program.program import Program
from fastapi_architect.program.types import ClassRef, options
from fastapi_architect.syntax import ir

#: Calls that make a declarative base.
_MAKERS = ("declarative_base", "generate_base", "automap_base")
#: Declarative bases of libraries: package to names.
_BASES = (
    ("sqlalchemy", ("DeclarativeBase", "DeclarativeBaseNoMeta")),
    (
        "advanced_alchemy",
        (
            *tuple(
                f"{key}{kind}Base"
                for key in ("UUID", "UUIDv6", "UUIDv7", "NanoID", "BigInt", "IdentityBase")
                for kind in ("", "Audit")
            ),
            "DefaultBase",
            "CommonTableAttributes",
            "AdvancedDeclarativeBase",
        ),
    ),
)


class TableNames:
    """Answers about mapping of one program's classes; memoised."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._declarative: dict[int, bool] = {}
        self._lineages: dict[int, tuple[Ancestor, ...]] = {}
        self._mapped: dict[int, bool] = {}
        self._names: dict[int, str | None] = {}

    def lineage(self, cls: Class) -> tuple[Ancestor, ...]:
        """The class and its ancestors, those of `declarative_base(cls=Custom)` included."""
        known = self._lineages.get(id(cls))
        if known is None:
            order = list(self.program.inference.hierarchy.order(cls))
            for entry in tuple(order):
                if isinstance(entry.cls, Class):
                    for custom in self._custom_bases(entry.cls):
                        present = {id(e.cls) for e in order if isinstance(e.cls, Class)}
                        extra = self.program.inference.hierarchy.order(custom)
                        order += [
                            e for e in extra if not isinstance(e.cls, Class) or id(e.cls) not in present
                        ]
            known = self._lineages[id(cls)] = tuple(order)
        return known

    def _made_bases(self, cls: Class) -> list[tuple[ir.Call, Scope]]:
        """`declarative_base(...)` calls among the direct bases."""
        found = []
        for base in cls.node.bases:
            expr, scope = self.program.inference.expand(base, cls.parent or cls.module)
            if isinstance(expr, ir.Call) and called(self.program, expr, scope).name in _MAKERS:
                found.append((expr, scope))
        return found

    def _custom_bases(self, cls: Class) -> list[Class]:
        found = []
        for call, scope in self._made_bases(cls):
            types = options(self.program.inference.type_of(keyword(call, "cls"), scope))
            found += [of.cls for of in types if isinstance(of, ClassRef) and isinstance(of.cls, Class)]
        return found

    def is_declarative(self, cls: Class) -> bool:
        """SQLAlchemy maps this class, or its subclasses, when it is defined."""
        key = id(cls)
        if key not in self._declarative:
            self._declarative[key] = False
            self._declarative[key] = self._find_declarative(cls)
        return self._declarative[key]

    def _find_declarative(self, cls: Class) -> bool:
        if cls.node.bases or cls.node.decorators:
            for package, names in _BASES:
                if has_library_ancestor(self.program, cls, package, *names):
                    return True
            if has_library_ancestor(self.program, cls, "sqlmodel", "SQLModel"):
                return is_table(self.program, cls)
            for entry in self.program.inference.hierarchy.order(cls):
                if isinstance(entry.cls, Class) and (
                    self._made_bases(entry.cls) or self._decorated(entry.cls)
                ):
                    return True
        # The base could not be followed: a table's name in the body is as good. Not for a mixin without
        # bases.
        return bool(cls.node.bases) and any(n in cls.facts.bindings for n in ("__tablename__", "__table__"))

    def _decorated(self, cls: Class) -> bool:
        scope = cls.parent or cls.module
        names = ("mapped", "mapped_as_dataclass", "as_declarative", "as_declarative_base", "reconstructor")
        for decorator in cls.node.decorators:
            of = decorator_origin(self.program, decorator, scope)
            if of.is_one_of("sqlalchemy", *names):
                return True
        return False

    def is_abstract(self, cls: Class) -> bool:
        """`__abstract__ = True` in its own body."""
        bound = cls.facts.bindings.get("__abstract__")
        return bound is not None and self.program.constants.value(bound[-1].value, cls) is True

    def is_mapped(self, cls: Class) -> bool:
        """It has a table, its own or its parent's."""
        key = id(cls)
        if key not in self._mapped:
            self._mapped[key] = False
            self._mapped[key] = (
                self.is_declarative(cls)
                and not self.is_abstract(cls)
                and (self._declares_table(cls) or self.parent(cls) is not None)
            )
        return self._mapped[key]

    def parent(self, cls: Class) -> Class | None:
        """The nearest ancestor that is mapped itself."""
        for entry in self.lineage(cls)[1:]:
            if isinstance(entry.cls, Class) and self.is_mapped(entry.cls):
                return entry.cls
        return None

    def _declares_table(self, cls: Class) -> bool:
        if is_table(self.program, cls) or "__table__" in cls.facts.bindings:
            return True
        if "__tablename__" in cls.facts.bindings:
            return not self._is_base_itself(cls)
        if self._is_base_itself(cls):
            return False
        # From a mixin or base: an attribute or a `declared_attr`, unless a mapped parent's plain attribute.
        for entry in self.lineage(cls)[1:]:
            if isinstance(entry.cls, Class) and "__tablename__" in entry.cls.facts.bindings:
                return self._is_computed(entry.cls) or not self.is_mapped(entry.cls)
            if isinstance(entry.cls, str) and origin_of_name(entry.cls).package == "advanced_alchemy":
                return True
        return False

    def _is_base_itself(self, cls: Class) -> bool:
        """It is the declarative base: a direct subclass of `DeclarativeBase`, or made by a decorator."""
        direct = [b.cls for b in self.program.inference.hierarchy.bases(cls)]
        names = {origin_of_name(b).name for b in direct if isinstance(b, str)}
        if names & {"DeclarativeBase", "DeclarativeBaseNoMeta"} and not self._made_bases(cls):
            return True
        scope = cls.parent or cls.module
        return any(
            decorator_origin(self.program, d, scope).name in ("as_declarative", "as_declarative_base")
            for d in cls.node.decorators
        )

    def _is_computed(self, cls: Class) -> bool:
        return isinstance(cls.facts.bindings["__tablename__"][-1].definition, Function)

    def name(self, cls: Class) -> str | None:
        """Name of the table: None when it is not known; the parent's for single-table inheritance."""
        key = id(cls)
        if key not in self._names:
            self._names[key] = None
            self._names[key] = self._find_name(cls)
        return self._names[key]

    def declares_own_table(self, cls: Class) -> bool:
        """The class has a table of its own rather than its parent's."""
        return self._declares_table(cls)

    def _find_name(self, cls: Class) -> str | None:
        bound = cls.facts.bindings.get("__table__")
        if bound and bound[-1].value is not None:
            expr, scope = self.program.inference.expand(bound[-1].value, cls)
            if isinstance(expr, ir.Call):
                return self.program.constants.string(argument(expr, 0, "name"), scope)
        if not self._declares_table(cls):
            parent = self.parent(cls)
            return self.name(parent) if parent is not None else None
        for entry in self.lineage(cls):
            if not isinstance(entry.cls, Class):
                continue
            bindings = entry.cls.facts.bindings.get("__tablename__")
            if not bindings:
                continue
            definition = bindings[-1].definition
            if isinstance(definition, Function):
                return _computed_name(self.program, definition, cls)
            return self.program.constants.string(bindings[-1].value, entry.cls)
        if is_table(self.program, cls):
            return cls.name.lower()
        return snake_case(cls.name)  # advanced_alchemy


def snake_case(name: str) -> str:
    """`order_line` for `OrderLine`, `http_log` for `HTTPLog`."""
    split = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", split).lower()


def _computed_name(program: Program, function: Function, cls: Class) -> str | None:
    """What a `declared_attr` for `__tablename__` returns for `cls`, for the forms people write."""
    returns = [s.node.value for s in function.facts.sites(ir.Return) if s.node.value is not None]
    if len(returns) != 1:
        return None
    return _NameOf(program, function, cls).value(returns[0], 0)


class _NameOf:
    """Evaluates an expression over `cls.__name__`; never runs a pattern from the reviewed code."""

    def __init__(self, program: Program, function: Function, cls: Class) -> None:
        self.program = program
        self.function = function
        self.cls = cls

    def value(self, expr: ir.Expr, depth: int) -> str | None:
        if depth > 12:
            return None
        if isinstance(expr, ir.Attribute) and expr.attr in ("__name__", "__qualname__"):
            return self.cls.name
        if isinstance(expr, ir.JoinedStr):
            parts = [
                self.value(p.value if isinstance(p, ir.FormattedValue) else p, depth + 1) for p in expr.values
            ]
            return None if None in parts else "".join(p for p in parts if p is not None)
        if isinstance(expr, ir.BinOp) and expr.op == "+":
            left, right = self.value(expr.left, depth + 1), self.value(expr.right, depth + 1)
            return None if left is None or right is None else left + right
        if isinstance(expr, ir.Call):
            return self._call(expr, depth)
        if isinstance(expr, ir.Name):
            found = self.function.facts.bindings.get(expr.id)
            if found and found[-1].kind in ("assign", "annotated") and found[-1].value is not None:
                return self.value(found[-1].value, depth + 1)
        constant = self.program.constants.value(expr, self.function)
        return constant if isinstance(constant, str) else None

    def _call(self, call: ir.Call, depth: int) -> str | None:
        method = last_name(call.func)
        if method in ("lower", "upper", "strip", "lstrip", "rstrip", "title") and isinstance(
            call.func, ir.Attribute
        ):
            base = self.value(call.func.value, depth + 1)
            arguments = [self.value(a, depth + 1) for a in call.args]
            if base is None or None in arguments:
                return None
            return str(getattr(base, method)(*arguments))
        if method in ("replace", "removesuffix", "removeprefix") and isinstance(call.func, ir.Attribute):
            base = self.value(call.func.value, depth + 1)
            arguments = [self.value(a, depth + 1) for a in call.args]
            return None if base is None or None in arguments else str(getattr(base, method)(*arguments))
        if method in ("sub", "join") or "snake" in method or "underscore" in method:
            # `re.sub(...)`, `camel_to_snake(cls.__name__)`: they all mean one thing here.
            return snake_case(self.cls.name)
        if method in ("str", "resolve_table_name"):
            return self.value(call.args[0], depth + 1) if call.args else None
        return None
