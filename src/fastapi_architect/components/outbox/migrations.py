"""The tables of the outbox, for a revision of Alembic."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

_OPEN = sa.text("processed_at IS NULL AND dead_at IS NULL")
_IN_LINE = sa.text("processed_at IS NULL AND dead_at IS NULL AND attempts = 0 AND lane IS NOT NULL")


def create_outbox(op: Any) -> None:
    """Create the tables.

    Args:
        op: `alembic.op`.
    """
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "outbox_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("topic", sa.String(100), nullable=False),
        sa.Column("handler", sa.String(200), nullable=True),
        sa.Column("payload", JSONB(), nullable=False),
        sa.Column("unique_key", sa.String(200), nullable=True),
        sa.Column("request_id", sa.String(128), nullable=False),
        sa.Column("created_at", moment, server_default=sa.func.now(), nullable=False),
        sa.Column("publish_at", moment, server_default=sa.func.now(), nullable=True),
        sa.Column("publications", sa.Integer(), server_default="0", nullable=False),
        sa.Column("published_at", moment, nullable=True),
        sa.Column("held_until", moment, server_default=sa.func.now(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("started_at", moment, nullable=True),
        sa.Column("processed_at", moment, nullable=True),
        sa.Column("dead_at", moment, nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_outbox_events"),
    )
    for column in ("publish_at", "held_until"):
        op.create_index(f"ix_outbox_events_{column}", "outbox_events", [column], postgresql_where=_OPEN)
    for column in ("processed_at", "dead_at"):
        op.create_index(f"ix_outbox_events_{column}", "outbox_events", [column])
    op.create_index(
        "uq_outbox_events_unique_key", "outbox_events", ["unique_key"], unique=True, postgresql_where=_OPEN
    )
    op.create_table(
        "outbox_schedule",
        sa.Column("name", sa.String(150), nullable=False),
        sa.Column("slot", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_outbox_schedule"),
    )
    op.create_table(
        "outbox_fan_ins",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("remaining", sa.Integer(), nullable=False),
        sa.Column("topic", sa.String(100), nullable=False),
        sa.Column("payload", JSONB(), nullable=False),
        sa.Column("created_at", moment, server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_outbox_fan_ins"),
    )


def drop_outbox(op: Any) -> None:
    """Drop the tables, with every event that is still open."""
    op.drop_table("outbox_fan_ins")
    op.drop_table("outbox_schedule")
    op.drop_table("outbox_events")


def add_lanes(op: Any) -> None:
    """Let events have a priority, a lane and a turn in it, and dead letters be noticed once.

    Workers of the release before go on: what they add has the defaults, and what they take they take in the old order.

    Args:
        op: `alembic.op`.
    """
    moment = sa.DateTime(timezone=True)
    columns = (
        # A constant default is written into the catalogue, and into no row.
        sa.Column("priority", sa.SmallInteger(), server_default="3", nullable=False),
        sa.Column("lane", sa.String(64), nullable=True),
        sa.Column("turn", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("noticed_at", moment, nullable=True),
        sa.Column("replayed_at", moment, nullable=True),
    )
    indexes = (
        ("next", ["priority", "turn", "held_until"], _OPEN),
        ("in_line", ["priority", "turn"], _IN_LINE),
        ("in_line_of_lane", ["lane", "priority", "turn"], _IN_LINE),
        ("dead_of_lane", ["lane", "dead_at"], sa.text("dead_at IS NOT NULL")),
        ("unnoticed", ["topic", "dead_at"], sa.text("dead_at IS NOT NULL AND noticed_at IS NULL")),
    )
    for column in columns:
        op.add_column("outbox_events", column, if_not_exists=True)
    # Concurrently, because events go on; the block commits what is above, which therefore has to be repeatable.
    with op.get_context().autocommit_block():
        for end, indexed, where in indexes:
            name = f"ix_outbox_events_{end}"
            # One whose building was cut off is there and of no use.
            op.drop_index(name, "outbox_events", postgresql_concurrently=True, if_exists=True)
            op.create_index(
                name, "outbox_events", indexed, postgresql_where=where, postgresql_concurrently=True
            )


def drop_lanes(op: Any) -> None:
    """Take them back; the indexes go with their columns."""
    op.drop_index("ix_outbox_events_unnoticed", "outbox_events")
    for column in ("replayed_at", "noticed_at", "turn", "lane", "priority"):
        op.drop_column("outbox_events", column)
