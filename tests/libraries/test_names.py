"""Names in the descriptions exist in the packages that are really installed, and aliases lead to the same object."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import warnings
from functools import cache

import pytest

from fastapi_architect.libraries.library import Library, Recognition
from fastapi_architect.libraries.registry import all_libraries

#: Packages that the development environment always holds: if one is missing, nothing of it would be checked.
INSTALLED = (
    "alembic argon2 celery fastapi httpx jinja2 jwt psycopg pydantic pydantic_settings redis requests sqlalchemy sqlmodel "
    "starlette yaml"
).split()
#: Owners without an importable name, and what stands for them.
INVENTED = {
    "asyncio.AbstractEventLoop": "an interface, checked all the same where it has the method",
    "builtins.function": "functions of the program, such as decorated tasks",
    "hashlib.HASH": "`_hashlib.HASH`",
    "loguru.Logger": "exists in the stub only",
    "redis.Script": "made by register_script",
    "sqlalchemy.DBAPICursor": "a cursor of whichever driver",
    "sqlalchemy.PoolProxiedConnection": "`sqlalchemy.pool.PoolProxiedConnection`",
    "threading.Lock": "a function before Python 3.13",
    "os.environ": "an instance",
}
#: Names of other versions than the installed ones, by the last part.
OTHER_VERSIONS = {
    "paginate": "flask-sqlalchemy's Query",
    "uuid7": "Python 3.14",
    "ParamSpec": "",
    "_create_stdlib_context": "private",
}


@cache
def resolve(name: str) -> tuple[bool, object]:
    """Whether `module.Class.member` exists, and the object when it does."""
    parts = name.split(".")
    for size in range(len(parts), 0, -1):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                value: object = importlib.import_module(".".join(parts[:size]))
                for part in parts[size:]:
                    value = getattr(value, part)
        except (ImportError, AttributeError):
            continue
        return True, value
    return False, None


def is_installed(name: str) -> bool:
    top = name.partition(".")[0]
    if name.startswith("sqlalchemy.ext.asyncio") or name.startswith("sqlmodel.ext"):
        return importlib.util.find_spec("greenlet") is not None
    return top in sys.stdlib_module_names or importlib.util.find_spec(top) is not None


def checkable(name: str) -> bool:
    owner = name.rpartition(".")[0]
    return "()" not in name and is_installed(name) and owner not in INVENTED and name not in INVENTED


def recognitions() -> list[Recognition]:
    return list(all_libraries().recognitions())


def libraries() -> list[Library]:
    return list(all_libraries().libraries)


def test_the_packages_to_check_against_are_installed() -> None:
    assert [name for name in INSTALLED if importlib.util.find_spec(name) is None] == []


def test_every_recognised_name_exists() -> None:
    """Names are often a product of owners and methods: each method must exist on one of its owners."""
    missing = []
    for recognition in recognitions():
        by_last: dict[str, list[str]] = {}
        for name in recognition.names:
            if checkable(name):
                by_last.setdefault(name.rpartition(".")[2], []).append(name)
        for last, names in by_last.items():
            if last not in OTHER_VERSIONS and not any(resolve(name)[0] for name in names):
                missing += names
    assert sorted(missing) == []


def test_every_owner_of_a_recognised_method_exists() -> None:
    owners = {name.rpartition(".")[0] for r in recognitions() for name in r.names if checkable(name)}
    assert sorted(owner for owner in owners if owner and checkable(owner) and not resolve(owner)[0]) == []


def test_every_described_class_exists() -> None:
    names = {name for library in libraries() for name in (*library.bases, *library.classes)}
    names |= {base for library in libraries() for bases in library.bases.values() for base in bases}
    assert sorted(name for name in names if checkable(name) and not resolve(name)[0]) == []


def test_described_bases_are_bases() -> None:
    wrong = []
    for library in libraries():
        for name, bases in library.bases.items():
            found, cls = resolve(name) if checkable(name) else (False, None)
            for base in bases:
                known, parent = resolve(base) if checkable(base) else (False, None)
                if found and known and isinstance(cls, type) and isinstance(parent, type) and not issubclass(cls, parent):
                    wrong.append((name, base))
    assert wrong == []


def test_aliases_lead_to_the_same_object() -> None:
    wrong = []
    for library in libraries():
        for alias, target in library.aliases.items():
            if alias.endswith(".*") or not (is_installed(alias) and is_installed(target)):
                continue
            (known, one), (_, other) = resolve(alias), resolve(target)
            # Wrappers that a package writes around a function of the same name have the same meaning.
            same = one is other or getattr(one, "__name__", "") == getattr(other, "__name__", None)
            if known and not same:
                wrong.append((alias, target))
    assert wrong == []


def test_every_alias_ends() -> None:
    model = all_libraries()
    names = [alias.removesuffix("*") + "x" for library in libraries() for alias in library.aliases]
    assert all(model.canonical(model.canonical(name)) == model.canonical(name) for name in names)


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("sqlalchemy.orm.session.Session", "sqlalchemy.orm.Session"),
        ("sqlalchemy.ext.asyncio.session.AsyncSession", "sqlalchemy.ext.asyncio.AsyncSession"),
        ("sqlalchemy.sql.expression.text", "sqlalchemy.text"),
        ("sqlmodel.select", "sqlalchemy.select"),
        ("fastapi.Request", "starlette.requests.Request"),
        ("fastapi.responses.HTMLResponse", "starlette.responses.HTMLResponse"),
        ("fastapi.responses.ORJSONResponse", "fastapi.responses.ORJSONResponse"),
        ("fastapi.middleware.cors.CORSMiddleware", "starlette.middleware.cors.CORSMiddleware"),
        ("fastapi.routing.APIRouter", "fastapi.APIRouter"),
        ("fastapi.security.http.HTTPBearer", "fastapi.security.HTTPBearer"),
        ("pydantic.main.BaseModel", "pydantic.BaseModel"),
        ("redis.client.Redis", "redis.Redis"),
        ("aioredis.Redis", "redis.asyncio.Redis"),
        ("jwt.InvalidTokenError", "jwt.exceptions.InvalidTokenError"),
    ],
)
def test_canonical_names(name: str, canonical: str) -> None:
    assert all_libraries().canonical(name) == canonical
