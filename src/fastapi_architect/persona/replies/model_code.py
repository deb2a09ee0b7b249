"""SQLAlchemy 2 models as source."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

_FIELDS: dict[str, tuple[tuple[str, str], ...]] = {
    "users": (
        ("email", "Mapped[str] = mapped_column(String(320), unique=True)"),
        ("display_name", "Mapped[str] = mapped_column(String(200))"),
    ),
    "result": (
        ("status", 'Mapped[str] = mapped_column(String(20), default="queued")'),
        ("finished_at", "Mapped[datetime | None] = mapped_column(DateTime(timezone=True))"),
        ("summary", "Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)"),
    ),
    "report": (
        ("title", "Mapped[str] = mapped_column(String(200))"),
        ("body", "Mapped[str] = mapped_column(Text)"),
    ),
    "item": (
        ("quantity", "Mapped[int] = mapped_column()"),
        ("unit_price", "Mapped[Decimal] = mapped_column(Numeric(12, 2))"),
    ),
    "": (("name", "Mapped[str] = mapped_column(String(200))"),),
}
_IMPORTS = {
    "datetime": "from datetime import datetime",
    "Decimal": "from decimal import Decimal",
    "Any": "from typing import Any",
    "UUID": "from uuid import UUID, uuid4",
}


class Entity(msgspec.Struct, frozen=True):
    """A thing that gets a table.

    Attributes:
        words: of its name, singular, lower case.
    """

    words: tuple[str, ...]

    @classmethod
    def named(cls, words: Sequence[str]) -> Entity:
        """From words as people write them: ["scan", "results"]."""
        lower = [each.lower() for each in words]
        return cls((*lower[:-1], _singular(lower[-1])))

    @property
    def class_name(self) -> str:
        """`ScanResult`."""
        return "".join(each.capitalize() for each in self.words)

    @property
    def table(self) -> str:
        """`scan_results`."""
        return "_".join((*self.words[:-1], _plural(self.words[-1])))

    @property
    def attribute(self) -> str:
        """`scan_result`."""
        return "_".join(self.words)


def module_code(
    path: str,
    entities: Sequence[Entity],
    existing: Sequence[Entity],
    base: tuple[str, str],
    key: str = "UUID",
) -> str:
    """The whole file with the entities that do not exist yet; the first entity owns the others.

    Args:
        path: of the file.
        entities: all that were named.
        existing: those whose tables are there: they are referred to by name and not written again.
        base: module and name of the declarative base; a new one is written where empty.
        key: Python type of the owner's key: int, str or UUID.
    """
    owner = entities[0]
    there = {each.table for each in existing}
    classes = [
        _class(each, owner, entities, there, base[1] or "Base", key)
        for each in entities
        if each.table not in there
    ]
    body = "\n\n\n".join(([] if base[0] else [_NEW_BASE]) + classes)
    return f"# {path}\n{_imports(body, base)}\n\n\n{body}\n"


_NEW_BASE = 'class Base(DeclarativeBase):\n    """The metadata of the service."""'


def _class(
    entity: Entity, owner: Entity, entities: Sequence[Entity], there: set[str], base: str, key: str
) -> str:
    lines = [
        f"class {entity.class_name}({base}):",
        f'    """One of the {" ".join((*entity.words[:-1], _plural(entity.words[-1])))}."""',
        "",
        f'    __tablename__ = "{entity.table}"',
        "",
        "    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)",
    ]
    if entity is not owner:
        lines.append(
            f'    {owner.attribute}_id: Mapped[{key}] = mapped_column(ForeignKey("{owner.table}.id", ondelete="CASCADE"), index=True)'
        )
    fields = _FIELDS.get(entity.table) or _FIELDS.get(entity.words[-1]) or _FIELDS[""]
    lines += [f"    {name}: {declared}" for name, declared in fields]
    lines.append(
        "    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())"
    )
    links = []
    if entity is owner:
        links = [
            f'    {each.table}: Mapped[list["{each.class_name}"]] = relationship(back_populates="{owner.attribute}", lazy="raise", '
            f"passive_deletes=True)"
            for each in entities
            if each is not owner and each.table not in there
        ]
    elif owner.table not in there:
        links = [
            f'    {owner.attribute}: Mapped["{owner.class_name}"] = relationship(back_populates="{entity.table}", lazy="raise")'
        ]
    return "\n".join([*lines, *([""] if links else []), *links])


def _imports(body: str, base: tuple[str, str]) -> str:
    standard = [line for name, line in _IMPORTS.items() if name in body]
    kinds = ("JSON", "DateTime", "ForeignKey", "Numeric", "String", "Text")
    columns = [name for name in kinds if re.search(rf"\b{name}\b", body)]
    orm = [n for n in ("DeclarativeBase", "Mapped", "mapped_column", "relationship") if n in body]
    library = [
        f"from sqlalchemy import {', '.join([*columns, 'func'])}",
        f"from sqlalchemy.orm import {', '.join(orm)}",
    ]
    own = [f"from {base[0]} import {base[1]}"] if base[0] else []
    return "\n\n".join("\n".join(group) for group in (standard, library, own) if group)


def _singular(word: str) -> str:
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def _plural(word: str) -> str:
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return word[:-1] + "ies"
    return word + ("es" if word.endswith(("s", "x", "ch", "sh")) else "s")
