"""The tables of tenancy, for a revision of Alembic."""

from typing import Any

import sqlalchemy as sa

from ..database import session_setting
from .row_level_security import INVITATION, PRINCIPAL, TENANT, protect

_TENANT = session_setting(TENANT, "uuid")
_PRINCIPAL = session_setting(PRINCIPAL, "uuid")


def create_tenancy(op: Any) -> None:
    """Create the tables, with row-level security on each.

    Args:
        op: `alembic.op`.
    """
    op.create_table(
        "organisations",
        *_identified(),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_organisations"),
    )
    op.create_table(
        "memberships",
        *_identified(),
        _tenant("memberships"),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(50), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_memberships"),
        sa.UniqueConstraint("account_id", "tenant_id", name="uq_memberships_account_id_tenant_id"),
    )
    op.create_index("ix_memberships_tenant_id", "memberships", ["tenant_id"])
    op.create_table(
        "invitations",
        *_identified(),
        _tenant("invitations"),
        sa.Column("role", sa.String(50), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("invited_by", sa.Uuid(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_invitations"),
        sa.UniqueConstraint("token_hash", name="uq_invitations_token_hash"),
    )
    op.create_index("ix_invitations_tenant_id", "invitations", ["tenant_id"])
    own = f"tenant_id = {_TENANT}"
    # One's own memberships are visible without a tenant: that is how a tenant is chosen.
    protect(op, "memberships", f"{own} OR account_id = {_PRINCIPAL}", own)
    # All of it is constant.
    mine = f"id IN (SELECT tenant_id FROM memberships WHERE account_id = {_PRINCIPAL})"  # nosec B608
    protect(op, "organisations", f"id = {_TENANT} OR {mine}", f"id = {_TENANT}")
    # Whoever holds the token sees the one invitation that it belongs to.
    protect(op, "invitations", f"{own} OR token_hash = {session_setting(INVITATION)}", own)


def drop_tenancy(op: Any) -> None:
    """Drop the tables."""
    for table in ("invitations", "organisations"):
        op.execute(f"DROP POLICY tenant_isolation ON {table}")
    for table in ("invitations", "memberships", "organisations"):
        op.drop_table(table)


def create_tenant_list(op: Any) -> None:
    """Let periodic work find the tenants that it has to go through (`every_tenant`): their identifiers, and nothing else.

    The function runs as the owner of the table, to whom its policy does not apply.

    Args:
        op: `alembic.op`.
    """
    op.execute(
        "CREATE FUNCTION every_tenant() RETURNS SETOF uuid LANGUAGE sql STABLE SECURITY DEFINER "
        "SET search_path = pg_catalog, pg_temp AS $$ SELECT id FROM public.organisations ORDER BY id $$"
    )


def drop_tenant_list(op: Any) -> None:
    """Drop the function."""
    op.execute("DROP FUNCTION every_tenant()")


def _identified() -> list[sa.Column[Any]]:
    moment = sa.DateTime(timezone=True)
    return [
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", moment, server_default=sa.func.now(), nullable=False),
        sa.Column("updated_at", moment, server_default=sa.func.now(), nullable=False),
    ]


def _tenant(table: str) -> sa.Column[Any]:
    reference = sa.ForeignKey(
        "organisations.id", ondelete="CASCADE", name=f"fk_{table}_tenant_id_organisations"
    )
    return sa.Column("tenant_id", sa.Uuid(), reference, nullable=False)
