"""Make an account an admin's: `python -m app.promote EMAIL`. The shop has no built-in admin."""

import sys

from sqlalchemy import create_engine, update

from app.settings import get_settings
from app.users.models import Role, User


def promote(email: str) -> bool:
    """Give an account the role of admin, and say whether there was one."""
    engine = create_engine(get_settings().database_url.get_secret_value())
    with engine.begin() as connection:
        statement = (
            update(User)
            .where(User.email == email.lower())
            .values(role=Role.ADMIN, version=User.version + 1)
            .returning(User.id)
        )
        promoted = connection.execute(statement).scalar_one_or_none() is not None
    engine.dispose()
    return promoted


if __name__ == "__main__":
    sys.exit(0 if promote(sys.argv[1]) else "There is no such account.")
