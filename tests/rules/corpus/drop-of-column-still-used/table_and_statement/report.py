"""A report."""

from sqlalchemy import text
from sqlalchemy.orm import Session


def notes(session: Session) -> list[str]:
    return list(session.scalars(text("SELECT note FROM orders WHERE note IS NOT NULL")))
