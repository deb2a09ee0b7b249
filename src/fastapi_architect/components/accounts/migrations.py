"""The tables of accounts, for a revision of Alembic."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY


def create_accounts(op: Any) -> None:
    """Create the tables.

    Args:
        op: `alembic.op`.
    """
    _create_accounts(op)
    _create_sessions(op)
    _create_mailed_tokens(op)
    op.create_table(
        "account_attempts",
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("window_ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_account_attempts"),
    )
    op.create_index("ix_account_attempts_window_ends_at", "account_attempts", ["window_ends_at"])


def drop_accounts(op: Any) -> None:
    """Drop the tables, and with them every account."""
    for table in ("account_attempts", "account_mailed_tokens", "account_sessions", "accounts"):
        op.drop_table(table)


def add_initial_passwords(op: Any) -> None:
    """Let passwords be known as made for somebody; those that there are stay their owners' own."""
    op.add_column("accounts", sa.Column("initial_password_until", sa.DateTime(timezone=True), nullable=True))


def drop_initial_passwords(op: Any) -> None:
    """Forget it: they become passwords as any other."""
    op.drop_column("accounts", "initial_password_until")


def _create_accounts(op: Any) -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "accounts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("email_key", sa.String(300), nullable=False),
        sa.Column("display_name", sa.String(100), server_default="", nullable=False),
        sa.Column("password_hash", sa.String(255), nullable=True),
        sa.Column("roles", ARRAY(sa.String(64)), server_default="{}", nullable=False),
        sa.Column("access_epoch", sa.Integer(), server_default="0", nullable=False),
        sa.Column("deactivated_at", moment, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", moment, server_default=sa.func.now(), nullable=False),
        sa.Column("updated_at", moment, server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_accounts"),
        sa.UniqueConstraint("email_key", name="uq_accounts_email_key"),
    )


def _create_sessions(op: Any) -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "account_sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("family_hash", sa.String(64), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("client", sa.String(200), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("refreshed_at", moment, nullable=False),
        sa.Column("expires_at", moment, nullable=False),
        sa.Column("revoked_at", moment, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_account_sessions"),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name="fk_account_sessions_account_id_accounts",
            ondelete="CASCADE",
        ),
        sa.UniqueConstraint("family_hash", name="uq_account_sessions_family_hash"),
    )
    op.create_index("ix_account_sessions_account_id_id", "account_sessions", ["account_id", "id"])
    op.create_index("ix_account_sessions_expires_at", "account_sessions", ["expires_at"])


def _create_mailed_tokens(op: Any) -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "account_mailed_tokens",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("purpose", sa.String(20), nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("expires_at", moment, nullable=False),
        sa.Column("used_at", moment, nullable=True),
        sa.Column("used_address", sa.String(64), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_account_mailed_tokens"),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name="fk_account_mailed_tokens_account_id_accounts",
            ondelete="CASCADE",
        ),
        sa.UniqueConstraint("token_hash", name="uq_account_mailed_tokens_token_hash"),
        sa.CheckConstraint(
            "purpose IN ('register', 'reset_password', 'change_email')",
            name="ck_account_mailed_tokens_purpose",
        ),
    )
    op.create_index("ix_account_mailed_tokens_account_id", "account_mailed_tokens", ["account_id"])
    op.create_index("ix_account_mailed_tokens_expires_at", "account_mailed_tokens", ["expires_at"])
