"""Queries about what users did."""

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.models import ActivityLog


def list_of_user(session: Session, user_id: int, after: int, limit: int) -> list[ActivityLog]:
    """A page of the history of one user."""
    statement = select(ActivityLog).where(ActivityLog.user_id == user_id, ActivityLog.id > after)
    return list(session.scalars(statement.order_by(ActivityLog.id).limit(limit)))


def remove_old(session: Session) -> None:
    """Forget what is older than the law asks us to keep."""
    session.execute(delete(ActivityLog))  # finding: write-statement-without-where
