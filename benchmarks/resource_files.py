"""The columns, models, schemas and migration of one resource of a generated backend."""

from __future__ import annotations

import random
from dataclasses import dataclass
from string import Template

NUMBERS = ("amount", "quantity", "weight", "position", "score", "discount", "balance", "retries")
TEXTS = ("title", "code", "description", "reference", "region", "channel", "external_id", "comment", "locale")
FLAGS = ("is_active", "is_archived", "is_verified", "is_public", "needs_review")
DATES = ("due_at", "starts_at", "ends_at", "published_at", "cancelled_at")
STATES = ("draft", "pending", "approved", "rejected", "shipped", "closed", "failed", "expired")


@dataclass(frozen=True)
class Resource:
    """One entity: its names, its columns and the resources it refers to."""

    name: str
    cls: str
    area: str
    numbers: tuple[str, ...]
    texts: tuple[str, ...]
    flags: tuple[str, ...]
    dates: tuple[str, ...]
    states: tuple[str, ...]
    parents: tuple[tuple[str, str, str], ...]

    @property
    def plural(self) -> str:
        """Name of the table and of the path segment."""
        return self.name + ("es" if self.name.endswith(("s", "x")) else "s")

    @property
    def package(self) -> str:
        """Dotted name of the package that holds its files."""
        return f"app.{self.area}.{self.name}"


def draw_resource(rng: random.Random, name: str, area: str, earlier: list[Resource]) -> Resource:
    """A resource with columns drawn at random, referring to up to two earlier ones."""
    parents = rng.sample(earlier, k=min(len(earlier), rng.choice((0, 1, 1, 2))))

    def some(pool: tuple[str, ...], least: int, most: int) -> tuple[str, ...]:
        return tuple(rng.sample(pool, k=rng.randint(least, most)))

    return Resource(
        name=name,
        cls="".join(part.capitalize() for part in name.split("_")),
        area=area,
        numbers=some(NUMBERS, 2, 4),
        texts=some(TEXTS, 3, 6),
        flags=some(FLAGS, 1, 3),
        dates=some(DATES, 1, 3),
        states=some(STATES, 3, 5),
        parents=tuple((p.name, p.cls, p.package) for p in parents),
    )


class Words:
    """Fills the placeholders of a template with names of a resource, drawn anew for each use."""

    def __init__(self, resource: Resource, rng: random.Random) -> None:
        self.resource = resource
        self.rng = rng
        parent = resource.parents[0] if resource.parents else (resource.name, resource.cls, "")
        self.fixed = {
            "name": resource.name,
            "names": resource.plural,
            "Cls": resource.cls,
            "area": resource.area,
            "package": resource.package,
            "path": resource.plural.replace("_", "-"),
            "parent": parent[0],
            "Parent": parent[1],
        }

    def fill(self, template: str, **more: str) -> str:
        """The template with ``$name``-like placeholders replaced."""
        r, rng = self.resource, self.rng
        number = self.fixed.get("number") or rng.choice(r.numbers)
        text = self.fixed.get("text") or rng.choice(r.texts)
        state, target = rng.sample(r.states, 2)
        drawn = {
            "number": number,
            "other": rng.choice([name for name in r.numbers if name != number]),
            "text": text,
            "label": rng.choice([name for name in r.texts if name != text]),
            "flag": rng.choice(r.flags),
            "date": rng.choice(r.dates),
            "state": state,
            "target": target,
            "limit": str(rng.choice((10, 20, 25, 50, 100, 200, 500))),
            "days": str(rng.choice((1, 3, 7, 14, 30, 90))),
            "factor": str(rng.choice((0.05, 0.1, 0.15, 1.2, 1.5, 2.0))),
        }
        return Template(template).substitute({**drawn, **self.fixed, **more})

    def some(self, templates: dict[str, str], least: int) -> list[str]:
        """A random subset of templates, filled; ``$verb`` is the key they are filed under."""
        names = sorted(templates)
        chosen = self.rng.sample(names, k=self.rng.randint(least, len(names)))
        return [self.fill(templates[name], verb=name) for name in chosen]


def model_file(words: Words) -> str:
    """Two SQLAlchemy models with columns, indexes and relationships."""
    r, rng = words.resource, words.rng
    lines = [
        f'"""Database models of {r.plural.replace("_", " ")}."""',
        "",
        "from __future__ import annotations",
        "",
        "from datetime import datetime",
        "from decimal import Decimal",
        "",
        "from sqlalchemy import Boolean, DateTime, ForeignKey, Index, Integer, Numeric, String, Text",
        "from sqlalchemy.orm import Mapped, mapped_column, relationship",
        "",
        "from app.core.database import Base, TimestampMixin",
        "",
        "",
        f"class {r.cls}(TimestampMixin, Base):",
        f'    """A {r.name.replace("_", " ")} of an organization."""',
        "",
        f'    __tablename__ = "{r.plural}"',
        f'    __table_args__ = (Index("ix_{r.plural}_status", "organization_id", "status"),)',
        "",
        "    id: Mapped[int] = mapped_column(Integer, primary_key=True)",
        '    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id"), index=True)',
        '    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)',
        f'    status: Mapped[str] = mapped_column(String(32), default="{r.states[0]}", nullable=False)',
    ]
    for name, _, _ in r.parents:
        plural = name + ("es" if name.endswith(("s", "x")) else "s")
        key = f'ForeignKey("{plural}.id", ondelete="CASCADE")'
        lines.append(f"    {name}_id: Mapped[int | None] = mapped_column({key})")
    for text in r.texts:
        kind = rng.choice(("String(64)", "String(255)", "Text"))
        lines.append(f"    {text}: Mapped[str] = mapped_column({kind}, nullable=False)")
    lines += [
        f"    {number}: Mapped[Decimal] = mapped_column(Numeric(12, 2), default=Decimal(0))"
        for number in r.numbers
    ]
    lines += [f"    {flag}: Mapped[bool] = mapped_column(Boolean, default=False)" for flag in r.flags]
    lines += [
        f"    {date}: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))" for date in r.dates
    ]
    lines.append("")
    for name, cls, _ in r.parents:
        lazy = rng.choice(("select", "selectin", "raise"))
        lines.append(f'    {name}: Mapped["{cls}"] = relationship(lazy="{lazy}")')
    lines.append(
        f'    notes: Mapped[list["{r.cls}Note"]] = relationship(back_populates="{r.name}", lazy="select")'
    )
    lines += ["", *words.fill(MODEL_PROPERTIES).splitlines(), "", ""]
    lines += words.fill(NOTE_MODEL).splitlines()
    return "\n".join(lines) + "\n"


MODEL_PROPERTIES = '''    @property
    def is_open(self) -> bool:
        """Whether work on it may go on."""
        return self.status in {"$state", "$target"} and not self.$flag

    def value(self) -> Decimal:
        """What it is worth after $other."""
        if self.$number is None:
            return Decimal(0)
        return (self.$number - self.$other).quantize(Decimal("0.01"))

    def __repr__(self) -> str:
        return f"<$Cls id={self.id!r} status={self.status!r}>"'''

NOTE_MODEL = '''class ${Cls}Note(TimestampMixin, Base):
    """A remark on a $name."""

    __tablename__ = "${name}_notes"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    ${name}_id: Mapped[int] = mapped_column(ForeignKey("$names.id", ondelete="CASCADE"), index=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    body: Mapped[str] = mapped_column(Text, nullable=False)

    $name: Mapped["$Cls"] = relationship(back_populates="notes")'''


def schema_file(words: Words) -> str:
    """Pydantic models for input and output."""
    r, rng = words.resource, words.rng
    shared = []
    for text in r.texts:
        bounds = rng.choice(("min_length=1, max_length=255", "max_length=64", 'pattern=r"^[a-zA-Z0-9_-]+$"'))
        shared.append(f"    {text}: str = Field({bounds})")
    shared += [
        f"    {number}: Decimal = Field(default=Decimal(0), ge=0, decimal_places=2)" for number in r.numbers
    ]
    shared += [f"    {flag}: bool = False" for flag in r.flags]
    shared += [f"    {date}: datetime | None = None" for date in r.dates]
    optional = [f"    {text}: str | None = None" for text in r.texts]
    optional += [f"    {number}: Decimal | None = Field(default=None, ge=0)" for number in r.numbers]
    literal = ", ".join(f'"{state}"' for state in r.states)
    head = words.fill(SCHEMA_HEAD, literal=literal)
    return "\n".join(
        [head, *shared, "", "", words.fill(SCHEMA_CREATE), *optional, "", words.fill(SCHEMA_REST)]
    )


SCHEMA_HEAD = '''"""Request and response bodies of $names."""

from datetime import datetime
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from app.core.pagination import PageInfo

${Cls}Status = Literal[$literal]


class ${Cls}Base(BaseModel):
    """What clients may write."""

    model_config = ConfigDict(extra="forbid")
'''

SCHEMA_CREATE = '''class ${Cls}Create(${Cls}Base):
    """A new $name."""

    status: ${Cls}Status = "$state"

    @field_validator("$text")
    @classmethod
    def strip_$text(cls, value: str) -> str:
        """Surrounding blanks are not part of it."""
        cleaned = value.strip()
        if not cleaned:
            raise ValueError("$text must not be blank")
        return cleaned

    @model_validator(mode="after")
    def check_$number(self) -> "${Cls}Create":
        """A $number needs a $label."""
        if self.$number > 0 and not self.$label:
            raise ValueError("$label is required with $number")
        return self


class ${Cls}Update(BaseModel):
    """The changed fields of a $name."""
'''

SCHEMA_REST = '''
class ${Cls}Read(${Cls}Base):
    """A $name as clients see it."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    status: ${Cls}Status
    owner_id: int
    created_at: datetime
    updated_at: datetime | None = None


class ${Cls}Page(BaseModel):
    """One page of $names."""

    items: list[${Cls}Read]
    page: PageInfo


class ${Cls}Summary(BaseModel):
    """Figures over all $names of an organization."""

    total: int = 0
    open: int = 0
    $number: Decimal = Decimal(0)
    by_status: dict[str, int] = Field(default_factory=dict)


class ${Cls}NoteCreate(BaseModel):
    """A remark to add."""

    body: str = Field(min_length=1, max_length=4000)
'''


def migration_file(words: Words, revision: str, down: str | None) -> str:
    """An Alembic revision that creates the two tables."""
    r = words.resource
    columns = [f'        sa.Column("{text}", sa.String(255), nullable=False),' for text in r.texts]
    columns += [f'        sa.Column("{number}", sa.Numeric(12, 2), nullable=True),' for number in r.numbers]
    columns += [f'        sa.Column("{flag}", sa.Boolean(), nullable=True),' for flag in r.flags]
    columns += [f'        sa.Column("{date}", sa.DateTime(timezone=True)),' for date in r.dates]
    return words.fill(
        MIGRATION, revision=revision, down=repr(down).replace("'", '"'), columns="\n".join(columns)
    )


MIGRATION = '''"""Create $names."""

import sqlalchemy as sa
from alembic import op

revision = "$revision"
down_revision = $down
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "$names",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("organization_id", sa.Integer(), sa.ForeignKey("organizations.id"), nullable=False),
        sa.Column("owner_id", sa.Integer(), sa.ForeignKey("users.id"), nullable=True),
        sa.Column("status", sa.String(32), nullable=False),
$columns
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now()),
        sa.Column("updated_at", sa.DateTime(timezone=True)),
    )
    op.create_index("ix_${names}_status", "$names", ["organization_id", "status"])
    op.create_table(
        "${name}_notes",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("${name}_id", sa.Integer(), sa.ForeignKey("$names.id"), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
    )
    op.add_column("$names", sa.Column("search", sa.Text(), nullable=True))


def downgrade() -> None:
    """Revert."""
    op.drop_column("$names", "search")
    op.drop_table("${name}_notes")
    op.drop_index("ix_${names}_status", table_name="$names")
    op.drop_table("$names")
'''
