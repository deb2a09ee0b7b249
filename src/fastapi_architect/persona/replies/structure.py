"""How should this be structured? The ways there are, what the project looks like today, and the first step."""

from __future__ import annotations

from collections import Counter

from fastapi_architect.persona.answer import Answer
from fastapi_architect.persona.hands import Hands
from fastapi_architect.persona.replies.build import Wish, begin, decision_sentence, options_table
from fastapi_architect.persona.replies.review import found_text
from fastapi_architect.persona.replies.wording import code, commands, counted, line, table
from fastapi_architect.persona.understanding import TENANTS, Understood, says

_TENANTS = (
    (
        "One schema, a tenant column, row-level security",
        "one migration, one pool; PostgreSQL hides other tenants' rows from a query that forgot",
        "a noisy tenant is everybody's neighbour; restoring one tenant is work",
    ),
    (
        "A schema for each tenant",
        "one tenant is restored or moved by itself",
        "migrations run once a tenant; hundreds of schemas are slow to plan for",
    ),
    (
        "A database for each tenant",
        "separate keys, places and backups; what auditors like best",
        "a pool and a migration for each; costs grow with every customer",
    ),
)
_LAYERS = (
    (
        "Folders by domain, the same files in each",
        "what changes together lies together; a domain can leave as a service",
        "shared code needs a place of its own",
    ),
    (
        "Folders by layer (routers, services, repositories)",
        "familiar, small projects fit on one screen",
        "each change touches every folder",
    ),
    (
        "Services from the start",
        "teams deploy alone",
        "networks, messages and two-phase problems before there is a product",
    ),
)
_TREE = """\
app/
  main.py          the application: routers, middleware, components
  registry.py      what the service is made of, in order
  components/      accounts, tenancy, database, audit log: copied, yours
  projects/        one folder a domain, the same files in each
    router.py        thin: takes the input, gives the answer
    schemas.py       what clients send and see
    service.py       what may happen; free of FastAPI
    repository.py    queries, each with its tenant
    models.py        tables, each with `tenant_id`
migrations/        one history, row-level security beside each table
tests/             mirrors app/"""
_MODEL = '''\
# app/projects/models.py
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import DateTime, ForeignKey, Index, String, func
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """The metadata of the service."""


class Organisation(Base):
    """A tenant."""

    __tablename__ = "organisations"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    name: Mapped[str] = mapped_column(String(200))


class Project(Base):
    """A row of a tenant: every table of a tenant has the column, and every query names it."""

    __tablename__ = "projects"
    __table_args__ = (Index("ix_projects_tenant_id_created_at", "tenant_id", "created_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
'''


def answer(hands: Hands, understood: Understood) -> Answer:
    """Two or three ways with what speaks for and against each, and the first step here."""
    tenants = says(TENANTS, understood.request)
    if hands.is_empty and not tenants:
        return begin(
            hands,
            Wish(
                what="the structure of a service",
                components=("database",),
                options=_LAYERS,
                decision=("framework", "How the code is divided"),
            ),
        )
    options = _TENANTS if tenants else _LAYERS
    decision = (
        ("database design", "How tenants are kept apart")
        if tenants
        else ("framework", "How the code is divided")
    )
    parts = ["```text\n" + _TREE + "\n```"]
    rules = (
        (
            "tenant-filter-missing",
            "idor-object-fetched-without-owner-scope",
            "nested-resource-parent-mismatch",
        )
        if tenants
        else ("code_quality",)
    )
    if hands.is_empty:
        first: tuple[str, ...] = ("architect new my-saas --preset saas", "cd my-saas", "make run")
    else:
        found = hands.review(rules)
        if found.findings:
            parts.insert(0, "What the review says today:\n\n" + found_text(found.findings, hands, detailed=1))
        first = (
            ("architect add tenancy --dry-run",) if tenants else ("architect review --select code_quality",)
        )
    if tenants:
        parts.append(code(_MODEL))
        if not hands.is_empty:
            planned = hands.plan(("tenancy",))
            parts += [
                f"`{name}` cannot be added as things are: {line(reason, 300)}"
                for name, reason in planned.refused.items()
            ]
            if planned.plan is None:
                first = ("architect new my-saas --preset saas",)
    parts.append(commands(*first))
    return Answer(
        context=_context(hands),
        approach=f"The ways there are; the choice is yours, as it is dear to change later:\n\n{options_table(options)}",
        implementation="\n\n".join(parts),
        validation=(
            "Done when a test that signs in as one organisation and asks for rows of another gets 404 from every route, and a query "
            "without the tenant returns no "
            "row.\n\n" if tenants else "Done when no domain imports another one's repository, and the tests pass.\n\n"
        )
        + commands("architect review --select authorization" if tenants else "architect review --select code_quality"),
        considerations=(
            "The service connects as a role that owns no table, or row-level security does not hold. A schema change to existing tables "
            "(the new column) is filled before it is made NOT NULL. " if tenants else "Move one domain at a time, without changing "
                                                                                      "its contract. "
        )
        + decision_sentence(*decision),
        follow_ups=(
            (
                "How many tenants, and how unequal are they?",
                "Must one tenant's data live in a country or a key of its own?",
                "May a person belong to several organisations?",
            )
            if tenants
            else ("How many people work on it, and what changes most often?",)
        ),
    )  # fmt: skip


def _context(hands: Hands) -> str:
    if hands.is_empty:
        return f"There is no application in `{line(hands.workspace.root.name)}` yet: it can begin with the right structure."
    folders = Counter(o["file"].rpartition("/")[0] or "." for o in hands.operations)
    rows = ((f"`{line(folder)}`", str(count)) for folder, count in folders.most_common(6))
    tables = sorted({t for o in hands.operations for t in o["tables"]})
    return (
        f"The project has {counted(len(hands.operations), 'route')} over {counted(len(tables), 'table')}"
        + (f" ({line(', '.join(tables), 160)})" if tables else "")
        + ". Where its handlers lie:\n\n"
        + table(("Folder", "Routes"), rows)
    )
