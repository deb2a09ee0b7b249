"""Names in the descriptions exist in the packages that are really installed, and aliases lead to the same
object.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import warnings
from functools import cache
from typing import Any

import pytest

from fastapi_architect.libraries.library import Library, Recognition
from fastapi_architect.libraries.registry import all_libraries

#: Packages that the development environment always holds: if one is missing, nothing of it would be checked.
INSTALLED = [
    "alembic",
    "argon2",
    "celery",
    "fastapi",
    "httpx",
    "jinja2",
    "jwt",
    "psycopg",
    "pydantic",
    "pydantic_settings",
    "redis",
    "requests",
    "sqlalchemy",
    "sqlmodel",
    "starlette",
    "yaml",
]
#: Owners without an importable name, and what stands for them.
INVENTED = {
    "anthropic.Anthropic.completions": "of older versions, which projects still pin",
    "asyncio.AbstractEventLoop": "an interface, checked all the same where it has the method",
    "builtins.function": "functions of the program, such as decorated tasks",
    "hashlib.HASH": "`_hashlib.HASH`",
    "loguru.Logger": "exists in the stub only",
    "redis.Script": "made by register_script",
    "sqlalchemy.DBAPICursor": "a cursor of whichever driver",
    "sqlalchemy.PoolProxiedConnection": "`sqlalchemy.pool.PoolProxiedConnection`",
    "structlog.BoundLogger": "its methods are those of whichever class wraps the logger",
    "threading.Lock": "a function before Python 3.13",
    "os.environ": "an instance",
    "sqlalchemy.orm.DeclarativeBase.metadata": "made for subclasses",
}
#: Names of other versions than the installed ones, by the last part.
OTHER_VERSIONS = {
    "paginate": "flask-sqlalchemy's Query",
    "uuid7": "Python 3.14",
    "_create_stdlib_context": "private",
}
#: Clients whose parts are attributes of an instance, made without a word to anybody.
CLIENTS = {"anthropic.Anthropic", "anthropic.AsyncAnthropic", "openai.AsyncOpenAI", "openai.OpenAI"}


@cache
def resolve(name: str) -> tuple[bool, object]:
    """Whether `module.Class.member` exists, and the object when it does."""
    parts = name.split(".")
    for size in range(len(parts), 0, -1):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                value: Any = importlib.import_module(".".join(parts[:size]))
                for end, part in enumerate(parts[size:], size + 1):
                    value = getattr(value, part)
                    if ".".join(parts[:end]) in CLIENTS and end < len(parts):
                        value = value(api_key="none")
        except (ImportError, AttributeError):
            continue
        return True, value
    return False, None


def is_installed(name: str) -> bool:
    top = name.partition(".")[0]
    if name.startswith(("sqlalchemy.ext.asyncio", "sqlmodel.ext")):
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


#: Classes that are no subclasses but have the methods of what is called their base: proxies, and types whose
#: values
#: are instances of the base.
BEHAVES_LIKE = {
    ("io.BufferedWriter", "io.BufferedReader"),
    ("io.BytesIO", "io.BufferedReader"),
    ("io.StringIO", "io.TextIOWrapper"),
    ("tempfile.SpooledTemporaryFile", "io.BufferedReader"),
    ("logging.LoggerAdapter", "logging.Logger"),
    ("queue.SimpleQueue", "queue.Queue"),
    ("pydantic.AwareDatetime", "datetime.datetime"),
    ("pydantic.NaiveDatetime", "datetime.datetime"),
    ("pydantic.PastDate", "datetime.date"),
    ("pydantic.FutureDate", "datetime.date"),
    ("pydantic.EmailStr", "builtins.str"),
    ("pydantic.NameEmail", "builtins.str"),
    ("pydantic.PostgresDsn", "pydantic.AnyUrl"),
    ("redis.RedisCluster", "redis.Redis"),
    # Starlette's test client is a client of httpx2 where that is installed, with the same methods.
    ("starlette.testclient.TestClient", "httpx.Client"),
    # It streams without being derived from what Starlette calls streaming.
    ("sse_starlette.EventSourceResponse", "starlette.responses.StreamingResponse"),
    ("sse_starlette.sse.EventSourceResponse", "starlette.responses.StreamingResponse"),
    ("redis.asyncio.RedisCluster", "redis.asyncio.Redis"),
    ("sqlalchemy.CompoundSelect", "sqlalchemy.Select"),
    ("sqlalchemy.ext.asyncio.async_scoped_session", "sqlalchemy.ext.asyncio.AsyncSession"),
    ("sqlalchemy.orm.InstrumentedAttribute", "sqlalchemy.ColumnElement"),
    ("sqlalchemy.orm.MappedColumn", "sqlalchemy.ColumnElement"),
    ("sqlalchemy.orm.Query", "sqlalchemy.Select"),
    ("sqlalchemy.orm.scoped_session", "sqlalchemy.orm.Session"),
    ("sqlmodel.AutoString", "sqlalchemy.String"),
}


def test_described_bases_are_bases() -> None:
    wrong = []
    for library in libraries():
        for name, bases in library.bases.items():
            found, cls = resolve(name) if checkable(name) else (False, None)
            for base in bases:
                known, parent = resolve(base) if checkable(base) else (False, None)
                both = found and known and isinstance(cls, type) and isinstance(parent, type)
                if both and not issubclass(cls, parent) and (name, base) not in BEHAVES_LIKE:
                    wrong.append((name, base))
    assert wrong == []


SAME_MEANING = {
    # Of openai before version 1; newer ones keep a name that refuses.
    ("openai.ChatCompletion.create", "openai.chat.completions.create"),
    ("jinja2.sandbox.ImmutableSandboxedEnvironment", "jinja2.sandbox.SandboxedEnvironment"),
    ("structlog.typing.FilteringBoundLogger", "structlog.BoundLogger"),
}


def test_aliases_lead_to_the_same_object() -> None:
    wrong = []
    for library in libraries():
        for alias, target in library.aliases.items():
            if alias.endswith(".*") or not (is_installed(alias) and is_installed(target)):
                continue
            (known, one), (_, other) = resolve(alias), resolve(target)
            # Wrappers that a package writes around a function of the same name have the same meaning.
            names = {str(getattr(each, "__name__", "")).lower() for each in (one, other)}
            is_its_class = isinstance(one, type) and isinstance(other, one)
            same = one is other or is_its_class or len(names) == 1 or (alias, target) in SAME_MEANING
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


def test_no_call_of_an_unknown_receiver_is_recognised_twice() -> None:
    """The words of two descriptions that make one concept of one method do not contain each other."""
    said: dict[tuple[str, str], list[tuple[str, ...]]] = {}
    for recognition in recognitions():
        for method, words in recognition.duck.items():
            for concept in recognition.concepts:
                said.setdefault((concept.__name__, method), []).append(words)
    twice = {
        key: lists
        for key, lists in said.items()
        for index, one in enumerate(lists)
        for other in lists[index + 1 :]
        if any(a in b or b in a for a in one for b in other)
    }
    assert twice == {}
