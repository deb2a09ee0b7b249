"""Organisations of a test and who belongs to them, written as the owner of the tables, whom no row-level security holds back."""

from uuid import UUID

from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from app.components.tenancy import Membership, Organisation


class Organisations:
    """Founds organisations, and lets callers join them.

    Args:
        owner_url: of the role that owns the tables.
    """

    def __init__(self, owner_url: str) -> None:
        self._engine = create_engine(owner_url)

    def found(self) -> UUID:
        """Make an organisation without members, and return its identifier."""
        identifier = uuid7()
        with Session(self._engine) as session:
            session.add(Organisation(id=identifier, name="Bakery"))
            session.commit()
        return identifier

    def join(self, organisation_id: UUID, account_id: UUID, role: str) -> None:
        """Let somebody belong to an organisation, with a role in it."""
        with Session(self._engine) as session:
            session.add(Membership(tenant_id=organisation_id, account_id=account_id, role=role))
            session.commit()

    def execute(self, statement: str) -> None:
        """Do what only the owner of the tables may."""
        with self._engine.begin() as connection:
            connection.execute(text(statement))

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()
