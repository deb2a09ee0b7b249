"""Models as the analyser reads them are the models that SQLAlchemy builds from the same text."""

import sys
from functools import cache
from textwrap import dedent
from types import ModuleType

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import configure_mappers
from tests.appgraph.sample import program_of

from fastapi_architect.appgraph.models import find_models

DECLARATIVE = """
from __future__ import annotations
import enum
import uuid
from datetime import datetime
from decimal import Decimal
from typing import Annotated, List, Optional, cast
from sqlalchemy import (CheckConstraint, Column, DateTime, Enum, ForeignKey, ForeignKeyConstraint, Index, Integer, Numeric,
    String, Table, Text, UniqueConstraint, func)
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, deferred, mapped_column, relationship

intpk = Annotated[int, mapped_column(primary_key=True)]
str50 = Annotated[str, 50]
user_fk = Annotated[int, mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)]

class Base(DeclarativeBase):
    type_annotation_map = {str50: String(50), datetime: DateTime(timezone=True)}

class Timestamps:
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime | None] = mapped_column(onupdate=func.now())

class Named:
    @declared_attr.directive
    def __tablename__(cls) -> str:
        return cls.__name__.lower() + "s"

class Owned:
    @declared_attr
    def owner_id(cls) -> Mapped[int]:
        return mapped_column(ForeignKey("users.id"))
    @declared_attr
    def owner(cls) -> Mapped[User]:
        return relationship("User", foreign_keys=lambda: cls.owner_id)

class Role(enum.Enum):
    admin = "a"
    user = "u"

tags = Table(
    "item_tags", Base.metadata,
    Column("item_id", ForeignKey("items.id"), primary_key=True),
    Column("tag_id", ForeignKey("tags.id"), primary_key=True),
)

class User(Timestamps, Named, Base):
    id: Mapped[intpk]
    email: Mapped[str] = mapped_column(String(255), unique=True, index=True)
    nick: Mapped[Optional[str50]]
    short: Mapped[str50]
    role: Mapped[Role]
    balance: Mapped[Decimal] = mapped_column(Numeric(10, 2), default=0)
    token: Mapped[uuid.UUID] = mapped_column("api_token", unique=True)
    bio = deferred(Column(Text))
    plain = Column(Integer)
    wrapped: Mapped[int | None] = cast(Mapped[int | None], mapped_column(Integer))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    parent: Mapped[User | None] = relationship(remote_side="User.id", back_populates="children")
    children: Mapped[List[User]] = relationship(back_populates="parent")
    items: Mapped[list[Item]] = relationship(back_populates="user", foreign_keys="Item.user_id", lazy="selectin")

class Item(Owned, Named, Base):
    id: Mapped[intpk]
    user_id: Mapped[user_fk]
    sku: Mapped[str] = mapped_column()
    shelf: Mapped[int] = mapped_column()
    row: Mapped[int] = mapped_column()
    user: Mapped[User] = relationship(back_populates="items", foreign_keys="Item.user_id")
    tags = relationship("Tag", secondary=tags, backref="items")
    note = relationship("Note", uselist=False)
    notes2 = relationship("Note", viewonly=True)
    __table_args__ = (
        UniqueConstraint("sku", "shelf", name="uq_sku_shelf"),
        Index("ix_row", "row", shelf.desc(), postgresql_where=row > 0),
        Index("ix_lower", func.lower(sku), unique=True),
        CheckConstraint("row > 0", name="ck_row"),
    )

class Tag(Named, Base):
    id: Mapped[intpk]
    label: Mapped[str]

class Note(Base):
    __tablename__ = "notes"
    __table_args__ = {"schema": "extra"}
    id = Column(Integer, primary_key=True)
    item_id = Column(Integer, ForeignKey(Item.id, ondelete="SET NULL"))
    item = relationship(Item, overlaps="note,notes2")

class Abstract(Base):
    __abstract__ = True
    version: Mapped[int]

class Doc(Abstract):
    __tablename__ = "docs"
    id: Mapped[intpk]
    kind: Mapped[str]
    __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "doc"}

class Letter(Doc):
    stamp: Mapped[str | None]
    __mapper_args__ = {"polymorphic_identity": "letter"}

class Contract(Doc):
    __tablename__ = "contracts"
    id: Mapped[int] = mapped_column(ForeignKey("docs.id"), primary_key=True)
    value: Mapped[int]
    __mapper_args__ = {"polymorphic_identity": "contract"}
"""

OLD_STYLE = """
from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, Integer, JSON, LargeBinary, String, UniqueConstraint
from sqlalchemy import BigInteger, Date
from sqlalchemy.ext.declarative import as_declarative, declared_attr
from sqlalchemy.orm import declarative_base, relationship, backref
import sqlalchemy as sa

class CustomBase:
    id = Column(Integer, primary_key=True, index=True)
    @declared_attr
    def __tablename__(cls):
        return f"{cls.__name__.lower()}"

Base = declarative_base(cls=CustomBase)

class Author(Base):
    name = Column(String(80), nullable=False)
    books = relationship("Book", backref=backref("author", lazy="joined"), cascade="all, delete-orphan")

class Book(Base):
    __tablename__ = "books"
    author_id = Column(sa.Integer, sa.ForeignKey("author.id"))
    title = Column(String, nullable=False, unique=True)
    price = Column(Float)
    data = Column("payload", JSON)
    blob = Column(LargeBinary)
    shelf = Column(Integer)
    row = Column(Integer)
    UniqueConstraint(shelf, row)
    Index("ix_row", row)
    big = Column(BigInteger, server_default="0", nullable=False)
    ok = Column(Boolean, default=True)
    day = Column(Date)
"""

SQLMODEL = """
import uuid
from datetime import datetime
from decimal import Decimal
from typing import List, Optional
from sqlalchemy import Column, DateTime, Text, UniqueConstraint
from sqlmodel import Field, Relationship, SQLModel

class HeroBase(SQLModel):
    name: str = Field(index=True, max_length=40)
    secret: Optional[str] = None
    age: int | None = Field(default=None, ge=0)
    score: float = 1.0

class Team(SQLModel, table=True):
    id: Optional[int] = Field(default=None, primary_key=True)
    title: str = Field(unique=True)
    heroes: List["Hero"] = Relationship(back_populates="team", sa_relationship_kwargs={"lazy": "selectin"})

class HeroTag(SQLModel, table=True):
    hero_id: int = Field(foreign_key="hero.id", primary_key=True)
    tag_id: int = Field(foreign_key="tag.id", primary_key=True)

class Tag(SQLModel, table=True):
    __table_args__ = (UniqueConstraint("label"),)
    id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)
    label: str = Field(sa_type=Text)
    heroes: list["Hero"] = Relationship(back_populates="tags", link_model=HeroTag)

class Hero(HeroBase, table=True):
    id: int | None = Field(default=None, primary_key=True)
    team_id: int | None = Field(default=None, foreign_key="team.id", ondelete="SET NULL", nullable=True)
    made: datetime = Field(sa_column=Column("made_at", DateTime(timezone=True), nullable=False))
    cost: Decimal = Field(default=0, max_digits=5, decimal_places=2)
    team: Team | None = Relationship(back_populates="heroes")
    tags: list[Tag] = Relationship(back_populates="heroes", link_model=HeroTag)

class HeroRead(HeroBase):
    id: int
"""


@cache
def _imported(text: str, name: str) -> ModuleType:
    """Once a sample: SQLModel keeps one registry for the whole process."""
    module = ModuleType(name)
    sys.modules[name] = module
    exec(compile(dedent(text), name, "exec"), module.__dict__)
    return module


def _index_column(expression) -> str:
    if isinstance(expression, sa.Column):
        return expression.name
    if isinstance(expression, sa.sql.elements.UnaryExpression):
        return _index_column(expression.element)
    if isinstance(expression, sa.sql.functions.Function):
        return f"{expression.name}({_index_column(next(iter(expression.clauses)))})"
    return str(expression)


def _real_table(table: sa.Table) -> dict:
    return {
        "columns": {
            c.name: (
                c.nullable,
                c.primary_key,
                type(c.type).__name__.replace("AutoString", "String"),
                getattr(c.type, "length", None) if not isinstance(c.type, sa.Enum) else None,
                c.server_default is not None,
            )
            for c in table.columns
        },
        "foreign_keys": sorted((f.parent.name, f.target_fullname, f.ondelete) for f in table.foreign_keys),
        "indexes": sorted((tuple(map(_index_column, i.expressions)), bool(i.unique)) for i in table.indexes),
        "uniques": sorted(
            tuple(c.name for c in u.columns) for u in table.constraints if isinstance(u, sa.UniqueConstraint)
        ),
    }


def _read_table(table) -> dict:
    return {
        "columns": {
            c.name: (
                c.nullable,
                c.primary_key,
                c.type.name if c.type else _by_reference(c),
                c.type.length if c.type else None,
                c.server_default is not None,
            )
            for c in table.columns
        },
        "foreign_keys": sorted(
            (f.columns[0], f"{f.table}.{f.target_columns[0]}", f.ondelete) for f in table.foreign_keys
        ),
        "indexes": sorted((i.columns, i.unique) for i in table.indexes),
        "uniques": sorted(u.columns for u in table.uniques),
    }


def _by_reference(column) -> str:
    """A column with a foreign key and no type takes the type it refers to: Integer in these samples."""
    return "Integer" if column.foreign_keys else "NullType"


@pytest.mark.parametrize(
    ("text", "name"),
    [(DECLARATIVE, "declarative_sample"), (OLD_STYLE, "old_sample"), (SQLMODEL, "sqlmodel_sample")],
)
def test_tables_of_models_equal_the_metadata_that_sqlalchemy_builds(text, name):
    module = _imported(text, name)
    configure_mappers()
    models = find_models(program_of(text))
    expected = {}
    actual = {}
    for model in models:
        cls = getattr(module, model.name)
        expected[model.name] = _real_table(cls.__table__)
        actual[model.name] = _read_table(model.table)
    for model in models:
        if (
            model.inheritance == "single"
        ):  # its columns are in the parent's table, which SQLAlchemy shows with them
            expected.pop(model.parent.name)
            actual.pop(model.parent.name)
    assert actual == expected
    mapped = {n for n, c in vars(module).items() if isinstance(c, type) and hasattr(c, "__mapper__")}
    assert {m.name for m in models} == mapped


@pytest.mark.parametrize(
    ("text", "name"),
    [(DECLARATIVE, "declarative_sample"), (OLD_STYLE, "old_sample"), (SQLMODEL, "sqlmodel_sample")],
)
def test_relationships_equal_those_that_sqlalchemy_configures(text, name):
    module = _imported(text, name)
    configure_mappers()
    for model in find_models(program_of(text)):
        mapper = getattr(module, model.name).__mapper__
        expected = {
            r.key: (
                r.mapper.class_.__name__,
                bool(r.uselist),
                r.lazy,
                r.secondary.name if r.secondary is not None else None,
            )
            for r in mapper.relationships
        }
        actual = {r.attribute: (r.target.name, r.uselist, r.lazy, r.secondary) for r in model.relationships}
        assert actual == expected, model.name


def test_a_model_names_its_version_soft_delete_tenant_and_owner_columns():
    models = find_models(
        program_of("""
        from sqlalchemy import ForeignKey
        from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
        from datetime import datetime
        class Base(DeclarativeBase): pass
        class Order(Base):
            __tablename__ = "orders"
            id: Mapped[int] = mapped_column(primary_key=True)
            version: Mapped[int] = mapped_column()
            deleted_at: Mapped[datetime | None]
            tenant_id: Mapped[int]
            buyer: Mapped[int] = mapped_column(ForeignKey("users.id"))
            __mapper_args__ = {"version_id_col": version}
        """)
    )
    assert models[0].version_column == "version"
    assert models[0].soft_delete_column.name == "deleted_at"
    assert [c.name for c in models[0].tenant_columns] == ["tenant_id"]
    assert [c.name for c in models[0].owner_columns] == ["buyer"]


def test_an_unknown_base_is_a_model_when_it_names_a_table_and_is_then_incomplete():
    models = find_models(
        program_of("""
        from somewhere import Base
        from sqlalchemy import Column, Integer
        class Thing(Base):
            __tablename__ = "things"
            id = Column(Integer, primary_key=True)
        """)
    )
    assert [(m.table.name, m.is_complete) for m in models] == [("things", False)]


def test_a_table_name_computed_from_the_class_name_is_known():
    models = find_models(
        program_of("""
        import re
        from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, declared_attr
        class Base(DeclarativeBase):
            @declared_attr.directive
            def __tablename__(cls):
                return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()
        class OrderLine(Base):
            id: Mapped[int] = mapped_column(primary_key=True)
        """)
    )
    assert [m.table.name for m in models] == ["order_line"]


def test_a_type_that_a_function_makes_and_an_enumeration_stored_as_text_have_their_families():
    columns = find_models(
        program_of("""
        import enum
        import sqlalchemy as sa
        from sqlalchemy.dialects import postgresql
        from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
        from sqlalchemy.types import TypeDecorator
        class Base(DeclarativeBase): pass
        class Kind(enum.Enum):
            a = 1
        class Encrypted(TypeDecorator):
            impl = sa.String(40)
        def Document(**options):
            return sa.JSON(**options).with_variant(postgresql.JSONB(), "postgresql")
        class Thing(Base):
            __tablename__ = "things"
            id: Mapped[int] = mapped_column(primary_key=True)
            body: Mapped[dict] = mapped_column(Document())
            kind: Mapped[Kind] = mapped_column(sa.Enum(Kind, native_enum=False))
            native: Mapped[Kind]
            secret: Mapped[str] = mapped_column(Encrypted)
            tags: Mapped[list[str]] = mapped_column(postgresql.ARRAY(sa.Text))
        """)
    )[0].columns
    assert {c.name: c.type.family for c in columns} == {
        "id": "integer", "body": "json", "kind": "string", "native": "enum", "secret": "string", "tags": "array",
    }  # fmt: skip
    assert {c.name: (c.type.name, c.type.length) for c in columns}["secret"] == ("Encrypted", 40)
