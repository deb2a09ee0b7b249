"""Settings of PostgreSQL that belong to a session, such as the tenant that row-level security asks for.

They are set inside of each transaction and end with it: a connection that returns to the pool carries nothing of its last user.
A policy reads them by `session_setting("app.tenant_id", "uuid")`.
"""

import re

from sqlalchemy import event, func, select
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
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not of the form app.name")
    bound: dict[str, str] | None = session.info.get(_KEY)
    if bound is None:
        bound = session.info[_KEY] = {}
        event.listen(session, "after_begin", _apply)
    # The empty text is what an unset setting of an extension reads as, once it was set.
    bound[name] = "" if value is None else str(value)
    if session.in_transaction():
        session.execute(select(func.set_config(name, bound[name], True)))


def session_setting(name: str, sql_type: str = "text") -> str:
    """Return the SQL that reads a bound setting, for a policy: NULL where none is bound, so that nothing matches."""
    if not _NAME.fullmatch(name) or not re.fullmatch(r"[a-z]+", sql_type):
        raise ValueError(f"{name!r} is not of the form app.name, or {sql_type!r} is no name of a type")
    return f"nullif(current_setting('{name}', true), '')::{sql_type}"


def _apply(session: Session, transaction: SessionTransaction, connection: Connection) -> None:
    """Set the bound settings for the transaction that begins; a savepoint has them from its transaction."""
    if transaction.nested:
        return
    bound: dict[str, str] = session.info[_KEY]
    connection.execute(select(*(func.set_config(name, value, True) for name, value in bound.items())))
