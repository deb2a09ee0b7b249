"""The tables of sign-in at a provider, for a revision of Alembic."""

from typing import Any

import sqlalchemy as sa


def create_oidc_login(op: Any) -> None:
    """Create the tables.

    Args:
        op: `alembic.op`.
    """
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "oidc_identities",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", moment, server_default=sa.func.now(), nullable=False),
        sa.Column("updated_at", moment, server_default=sa.func.now(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("issuer", sa.String(500), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_oidc_identities"),
        sa.UniqueConstraint("issuer", "subject", name="uq_oidc_identities_issuer_subject"),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_oidc_identities_account_id_accounts", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_oidc_identities_account_id", "oidc_identities", ["account_id"])
    op.create_table(
        "oidc_attempts",
        sa.Column("state_hash", sa.String(64), nullable=False),
        sa.Column("browser_hash", sa.String(64), nullable=False),
        sa.Column("nonce", sa.String(64), nullable=False),
        sa.Column("code_verifier", sa.String(128), nullable=False),
        sa.Column("expires_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("state_hash", name="pk_oidc_attempts"),
    )
    op.create_index("ix_oidc_attempts_expires_at", "oidc_attempts", ["expires_at"])


def drop_oidc_login(op: Any) -> None:
    """Drop the tables. The accounts stay; whoever has no password resets it."""
    op.drop_table("oidc_attempts")
    op.drop_table("oidc_identities")
