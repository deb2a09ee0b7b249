"""Figures for the office."""

import base64
import pickle
from decimal import Decimal

from sqlalchemy import create_engine, text

from app.core.config import settings
from app.core.database import SessionFactory
from app.schemas.admin import LegacyRating

report_session = SessionFactory()  # finding: session-shared-globally


def legacy_ratings(limit: int) -> list[LegacyRating]:
    """The ratings from before there were reviews, from the replica."""
    engine = create_engine(settings.report_database_url, connect_args=settings.database_connect_args)  # finding: engine-created-per-call
    statement = text("SELECT id, legacy_rating FROM books ORDER BY id LIMIT :n")
    with engine.connect() as connection:
        rows = connection.execute(statement, {"n": limit}).all()
    return [LegacyRating(book_id=row.id, rating=row.legacy_rating) for row in rows]


def read_snapshot(snapshot: str) -> list[str]:
    """The ISBNs that a branch exported."""
    return pickle.loads(base64.b64decode(snapshot))  # finding: unsafe-deserialization


def revenue() -> Decimal:
    """What all orders together brought in."""
    return Decimal(report_session.scalar(text("SELECT coalesce(sum(total), 0) FROM orders")) or 0)
