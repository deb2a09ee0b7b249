"""Columns and references that the tables of several domains share: as models say them, and as revisions write them.

PostgreSQL checks a foreign key with the rights of the table's owner, who sees the rows of all organisations. What belongs to a
project therefore refers to it by both columns, the organisation's and its own.
"""

from typing import Any

import sqlalchemy as sa


def moment() -> sa.DateTime:
    """A moment, with its zone."""
    return sa.DateTime(timezone=True)


def identified() -> list[sa.Column[Any]]:
    """The identifier of a row, and when it was made and last changed."""
    return [
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", moment(), server_default=sa.func.now(), nullable=False),
        sa.Column("updated_at", moment(), server_default=sa.func.now(), nullable=False),
    ]


def tenant(table: str) -> sa.Column[Any]:
    """The organisation whose row it is."""
    reference = sa.ForeignKey(
        "organisations.id", ondelete="CASCADE", name=f"fk_{table}_tenant_id_organisations"
    )
    return sa.Column("tenant_id", sa.Uuid(), reference, nullable=False)


def project_of_tenant() -> sa.ForeignKeyConstraint:
    """A project of the same organisation, in a model."""
    return sa.ForeignKeyConstraint(
        ["tenant_id", "project_id"], ["projects.tenant_id", "projects.id"], ondelete="CASCADE"
    )


def of_project(table: str) -> sa.ForeignKeyConstraint:
    """The same in a revision, where it has a name."""
    return sa.ForeignKeyConstraint(
        ["tenant_id", "project_id"],
        ["projects.tenant_id", "projects.id"],
        ondelete="CASCADE",
        name=f"fk_{table}_tenant_id_project_id_projects",
    )
