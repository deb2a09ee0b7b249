"""fastapi-users and fastapi-utils: what they add to types (their routers and views are read by the app
graph).
"""

from __future__ import annotations

from fastapi_architect.concepts.identity import PasswordHash, PasswordVerify
from fastapi_architect.libraries.library import Library
from fastapi_architect.libraries.results import coroutines
from fastapi_architect.libraries.table import Argument, describe
from fastapi_architect.program.types import STR

_HELPER = "fastapi_users.password.PasswordHelper"
library = Library(
    packages=(
        "fastapi_users",
        "fastapi_users_db_sqlalchemy",
        "fastapi_pagination",
        "fastapi_sso",
        "sqladmin",
    ),
    aliases={
        "fastapi_users.fastapi_users.FastAPIUsers": "fastapi_users.FastAPIUsers",
        "fastapi_users.manager.BaseUserManager": "fastapi_users.BaseUserManager",
        "fastapi_users.manager.*": "fastapi_users",
        "fastapi_users.db.SQLAlchemyUserDatabase": "fastapi_users_db_sqlalchemy.SQLAlchemyUserDatabase",
    },
    bases={
        "fastapi_users.schemas.BaseUser": ("pydantic.BaseModel",),
        "fastapi_users.schemas.BaseUserCreate": ("pydantic.BaseModel",),
        "fastapi_users.schemas.BaseUserUpdate": ("pydantic.BaseModel",),
    },
)
library.calls[f"{_HELPER}.hash"] = STR
coroutines(
    library,
    "fastapi_users.BaseUserManager",
    "create update delete get get_by_email authenticate forgot_password verify",
)
describe(library, PasswordHash, [f"{_HELPER}.hash"], password=Argument(0, "password"))
describe(
    library,
    PasswordVerify,
    [f"{_HELPER}.verify_and_update"],
    password=Argument(0, "plain_password"),
    hash=Argument(1, "hashed_password"),
)
