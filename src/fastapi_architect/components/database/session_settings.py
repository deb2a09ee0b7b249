"""Settings of PostgreSQL that belong to a session, such as the tenant that row-level security asks for.

They are set inside of each transaction and end with it: a connection that returns to the pool carries nothing of its last user.
A policy reads them by `session_setting("app.tenant_id", "uuid")`.
"""

import re
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, cast, event, func, literal_column, select, true
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session, SessionTransaction

_KEY = "bound_settings"
# Of an extension's form only: nobody may bind `role` or `row_security`.
_NAME = re.compile(r"[a-z_]+\.[a-z_]+")


async def bind_setting(session: AsyncSession, name: str, value: object) -> None:
    """Set a setting in the present transaction of the session and in each one that it begins later.

    Args:
        session: of this request; no other session sees the setting.
        name: such as `app.tenant_id`.
        value: its text; None takes the setting back.

    Raises:
        ValueError: the name is not of the form `app.name`.
    """
    await session.run_sync(bind_worker_setting, name, value)


def bind_worker_setting(session: Session, name: str, value: object) -> None:
    """The same for a worker's session, which is synchronous."""
    bound = _note(session, name, value)
    if session.in_transaction():
        session.execute(_assignment(bound))


def note_setting(session: AsyncSession, name: str, value: object) -> None:
    """Set a setting in each transaction that the session begins later, because the present one has it already.

    For a query that finds a value and sets it in one step: `setting(name, value)` is how it does.

    Args:
        session: of this request, in the transaction of that query.
        name: such as `app.tenant_id`.
        value: what the query has set.

    Raises:
        ValueError: the name is not of the form `app.name`.
    """
    _note(session.sync_session, name, value)


def setting(name: str, value: ColumnElement[Any]) -> ColumnElement[str]:
    """Return the expression that sets a setting for the rest of the transaction where PostgreSQL evaluates it, and is its text.

    Whoever uses it says so to the session by `note_setting`.

    Raises:
        ValueError: the name is not of the form `app.name`.
    """
    # Written into the statement: a prepared one is prepared once for all.
    return func.set_config(literal_column(f"'{_checked(name)}'"), cast(value, Text), true())


def session_setting(name: str, sql_type: str = "text") -> str:
    """Return the SQL that reads a bound setting, for a policy: NULL where none is bound, so that nothing matches."""
    if not re.fullmatch(r"[a-z]+", sql_type):
        raise ValueError(f"{sql_type!r} is no name of a type")
    return f"nullif(current_setting('{_checked(name)}', true), '')::{sql_type}"


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not of the form app.name")
    return name


def _note(session: Session, name: str, value: object) -> dict[str, str]:
    name = _checked(name)
    bound: dict[str, str] | None = session.info.get(_KEY)
    if bound is None:
        bound = session.info[_KEY] = {}
        event.listen(session, "after_begin", _apply)
        event.listen(session, "after_soft_rollback", _apply_again)
    # The empty text is what an unset setting of an extension reads as, once it was set.
    bound[name] = "" if value is None else str(value)
    return bound


def _apply(session: Session, transaction: SessionTransaction, connection: Connection) -> None:
    """Set the bound settings for the transaction that begins; a savepoint has them from its transaction."""
    if transaction.nested:
        return
    connection.execute(_assignment(session.info[_KEY]))


def _apply_again(session: Session, previous: SessionTransaction) -> None:
    """Set them anew after a savepoint was rolled back, which took back what was bound inside of it."""
    if previous.nested and session.is_active and session.in_transaction():
        session.execute(_assignment(session.info[_KEY]))


def _assignment(bound: dict[str, str]) -> Select[Any]:
    """Return the statement that sets the settings for the rest of the transaction."""
    return select(*(func.set_config(name, value, True) for name, value in bound.items()))
