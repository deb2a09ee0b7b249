"""Statements that use the word for something else."""

from sqlalchemy import text
from sqlalchemy.orm import Session


def notes_of_parcels(session: Session) -> list[str]:
    return list(session.scalars(text("SELECT p.note FROM orders o JOIN parcels p ON p.order_id = o.id WHERE o.total > 0")))
