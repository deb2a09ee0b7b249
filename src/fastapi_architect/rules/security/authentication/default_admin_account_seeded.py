"""Every installation starts with the same administrator and the same password.

The password stands in the code, so everybody who has read it can log in wherever nobody changed it. Scanners try
these first.

Known limits: accounts are seen where a model or schema is made, where rows are inserted as dictionaries, and in `INSERT`
statements that stand in the code as one text. A password from a required setting, or one that is made and shown once, is
fine; a hash that is written down is as good as the password, for it is the same everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fastapi_architect.analyses.secrets import Origin, origins
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Context,
    Finding,
    Proof,
    Rule,
    Severity,
    Site,
    ir,
    last_name,
    lazy_pattern,
    steps,
)

rule = Rule(
    __name__,
    "An administrator is created with a password that stands in the code",
    severity=Severity.CRITICAL,
    cwe=1392,
    cvss="AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
    references=(
        "https://owasp.org/Top10/A07_2021-Identification_and_Authentication_Failures/",
        "https://cwe.mitre.org/data/definitions/1392.html",
    ),
    requires=("argon2-cffi",),
)

_PASSWORD = lazy_pattern(r"^(hashed_?|raw_?|plain_?)?(password|passwd|pwd)(_?hash(ed)?)?$", re.IGNORECASE)
_ADMIN_FLAG = lazy_pattern(r"^is_?(super_?user|admin|staff|root)$|^(super_?user|admin)$", re.IGNORECASE)
_ROLE = lazy_pattern(r"^(role|roles|user_role|user_type|role_name|group|groups)$", re.IGNORECASE)
_ADMIN = lazy_pattern(r"admin|superuser|root|owner", re.IGNORECASE)
_HASHES = lazy_pattern(r"hash|password|encrypt|crypt", re.IGNORECASE)
_NAME = lazy_pattern(r"^(user_?name|login|name|e?mail|account)$", re.IGNORECASE)
_ADMIN_NAME = lazy_pattern(r"^(admin|administrator|root|superuser)(@|$)", re.IGNORECASE)
#: Calls that take rows as dictionaries.
_INSERTS = ("bulk_insert", "values", "insert_one", "insert_many", "execute", "bulk_insert_mappings")
#: A longer statement is a dump, and reading its rows would take long.
_LONGEST = 10_000
_STATEMENTS = ("execute", "text", "exec_driver_sql")
_INSERT = lazy_pattern(
    r"insert\s+into\s+(?P<table>[\w.\"`]+)\s*\((?P<columns>[^()]*)\)\s*values\s*(?P<rows>.*)",
    re.IGNORECASE | re.DOTALL,
)
_ROWS = lazy_pattern(r"\(((?:[^()']|'[^']*'|\([^()]*\))*)\)")
_VALUES = lazy_pattern(r"(?:'[^']*'|\([^()]*\)|[^,'()])+")
_CREATES = (
    "create_user",
    "create_superuser",
    "create_admin",
    "add_user",
    "create_admin_user",
    "register_user",
)


@rule.check(per=AppGraph)
def administrator_from_the_code(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    names = {
        model.cls.name for model in graph.models if any(_PASSWORD.search(c.name) for c in model.table.columns)
    }
    names |= {s.cls.name for s in graph.schemas if any(_PASSWORD.search(f.name) for f in s.fields)}
    for name in sorted({*names, *_CREATES}):
        for site in graph.program.call_sites_named(name):
            if site.scope.module.kind in ("test", "example"):
                continue
            admin = _admin(graph, site, name)
            if not admin:
                continue
            for keyword in site.node.keywords:
                if keyword.arg is None or not _PASSWORD.search(keyword.arg):
                    continue
                origin = _literal(graph, keyword.value, site)
                if origin is not None:
                    yield _finding(site, name, admin, keyword.arg, origin)


@rule.check(per=AppGraph)
def administrator_among_inserted_rows(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    for name in _INSERTS:
        for site in graph.program.call_sites_named(name):
            if site.scope.module.kind in ("test", "example"):
                continue
            for given in (*site.node.args, *(k.value for k in site.node.keywords)):
                for row in given.elts if isinstance(given, ir.Sequence) else (given,):
                    yield from _of_row(graph, row, site, name)
            if name == "values":
                yield from _of_pairs(graph, {k.arg: k.value for k in site.node.keywords if k.arg}, site, name)


def _of_row(graph: AppGraph, row: ir.Expr, site: Site, name: str) -> Iterator[Finding]:
    if isinstance(row, ir.Dict):
        pairs = {
            str(key.value): value
            for key, value in zip(row.keys, row.values, strict=True)
            if isinstance(key, ir.Constant) and key.kind == "str"
        }
        yield from _of_pairs(graph, pairs, site, name)


def _of_pairs(graph: AppGraph, pairs: dict[str, ir.Expr], site: Site, name: str) -> Iterator[Finding]:
    column = next((key for key in pairs if _PASSWORD.search(key)), "")
    admin = _admin_in(graph, pairs, site) if column else ""
    origin = _literal(graph, pairs[column], site) if admin else None
    if origin is not None:
        yield _finding(site, name, admin, column, origin)


def _admin_in(graph: AppGraph, pairs: dict[str, ir.Expr], site: Site) -> str:
    """What makes the row an administrator: a flag, a role, or the name of the account."""
    for key, expr in pairs.items():
        value = graph.program.constants.value(expr, site.scope)
        if _ADMIN_FLAG.search(key) and value is True:
            return f"`{key}=True`"
        text = value if isinstance(value, str) else last_name(expr)
        if _ROLE.search(key) and _ADMIN.search(text):
            return f"`{key}` {text}"
        if _NAME.search(key) and _ADMIN_NAME.search(text):
            return f'`{key}` "{text}"'
    return ""


@rule.check(per=AppGraph)
def administrator_in_a_statement(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    for name in _STATEMENTS:
        for site in graph.program.call_sites_named(name):
            if site.scope.module.kind in ("test", "example") or not site.node.args:
                continue
            text = site.node.args[0]
            written = str(text.value) if isinstance(text, ir.Constant) and text.kind == "str" else ""
            found = _INSERT.search(written) if len(written) <= _LONGEST else None
            if found is not None:
                yield from _of_statement(found, site)


def _of_statement(found: re.Match[str], site: Site) -> Iterator[Finding]:
    """The first row of an `INSERT` whose account is an administrator with a written password."""
    columns = [column.strip(' "`\n') for column in found["columns"].split(",")]
    for row in _ROWS.finditer(found["rows"]):
        values = [value.strip() for value in _VALUES.findall(row[1])]
        if len(values) != len(columns):
            return
        pairs = dict(zip(columns, values, strict=True))
        column = next((c for c in columns if _PASSWORD.search(c)), "")
        kept = re.fullmatch(r"'([^']+)'", pairs.get(column, ""))
        admin = _admin_in_sql(pairs)
        if kept is not None and admin and not kept[1].startswith((":", "%", "!", "{")):
            origin = Origin(kept[1], "literal", "", site.scope.location(site.node))
            yield _finding(site, f"INSERT INTO {found['table']}", admin, column, origin)
            return


def _admin_in_sql(pairs: dict[str, str]) -> str:
    for column, value in pairs.items():
        plain = value.strip("'")
        if (
            (_ADMIN_FLAG.search(column) and plain.lower() in ("true", "1", "t"))
            or (_ROLE.search(column) and _ADMIN.search(plain))
            or (_NAME.search(column) and value != plain and _ADMIN_NAME.search(plain))
        ):
            return f"`{column}` {value}"
    return ""


def _admin(graph: AppGraph, site: Site, name: str) -> str:
    """What makes the account an administrator, as written; "" when nothing does."""
    if "admin" in name.lower() or "superuser" in name.lower():
        return f"`{name}`"
    for keyword in site.node.keywords:
        if keyword.arg is None:
            continue
        value = graph.program.constants.value(keyword.value, site.scope)
        if _ADMIN_FLAG.search(keyword.arg) and value is True:
            return f"`{keyword.arg}=True`"
        if _ROLE.search(keyword.arg):
            text = value if isinstance(value, str) else last_name(keyword.value)
            if _ADMIN.search(text):
                return f"`{keyword.arg}` {text}"
    return ""


def _literal(graph: AppGraph, expr: ir.Expr, site: Site) -> Origin | None:
    """The text that a password, hashed or not, comes from."""
    found = origins(graph, expr, site.scope)
    if not found and expr.__class__ is ir.Call and _HASHES.search(last_name(expr.func)):
        given = [*expr.args, *(k.value for k in expr.keywords)]
        found = [origin for each in given for origin in origins(graph, each, site.scope)]
    if not found and expr.__class__ is ir.Name:
        for binding in site.scope.facts.bindings.get(expr.id, ()):
            if binding.value is not None and binding.value.__class__ is ir.Call and not binding.path:
                return _literal(graph, binding.value, site)
    return next((origin for origin in found if origin.value and not origin.value.startswith("!")), None)


def _finding(site: Site, name: str, admin: str, field: str, origin: Origin) -> Finding:
    place = {"setting": f"the default of `{origin.name}`", "environment": f"the fallback of `{origin.name}`"}
    setting = origin.name.rpartition(".")[2] if origin.kind == "setting" else f"first_{field}"
    source = place.get(origin.kind, f"`{origin.name}`" if origin.name else "a string in the code")
    return rule.at(
        site,
        f"`{name}(...)` makes an administrator ({admin}) whose `{field}` is {source}.",
        "Take the first password from a setting without a default, or make one and show it once:\n"
        "```python\n"
        f"class Settings(BaseSettings):\n    {setting}: SecretStr  # no default\n\n\n"
        f"{field} = Settings().{setting}.get_secret_value()\n```\nand hand `{field}` to `{name}(...)`.",
        reasoning="The same account with the same password exists in every installation.",
        exploit=f"Log in as the administrator that `{name}(...)` makes, with the `{field}` from the code.",
        confidence=Confidence.FIRM if origin.may_be_replaced else Confidence.CERTAIN,
        trace=steps((origin.location, "the password stands here"), (site, f"{name} makes the account")),
        context=Context(access="none", data="secret", writes=True),
    )


rule.bad = """
    from contextlib import asynccontextmanager

    from argon2 import PasswordHasher
    from argon2.exceptions import VerifyMismatchError
    from fastapi import FastAPI, HTTPException
    from pydantic import BaseModel

    hasher = PasswordHasher(time_cost=1, memory_cost=64)

    class Account(BaseModel):
        name: str
        hashed_password: str
        is_superuser: bool = False

    accounts: dict[str, Account] = {}

    @asynccontextmanager
    async def lifespan(app: FastAPI):
        hashed = hasher.hash("Sunflower-19")
        accounts["admin"] = Account(name="admin", hashed_password=hashed, is_superuser=True)  # finding: default-admin-account-seeded
        yield

    app = FastAPI(lifespan=lifespan)

    @app.post("/login")
    def log_in(name: str, password: str) -> str:
        account = accounts.get(name)
        try:
            hasher.verify(account.hashed_password if account else hasher.hash("nobody"), password)
        except VerifyMismatchError:
            raise HTTPException(401) from None
        return "administrator" if account and account.is_superuser else "reader"
"""

rule.good = """
    import os
    from contextlib import asynccontextmanager

    from argon2 import PasswordHasher
    from argon2.exceptions import VerifyMismatchError
    from fastapi import FastAPI, HTTPException
    from pydantic import BaseModel

    hasher = PasswordHasher(time_cost=1, memory_cost=64)

    class Account(BaseModel):
        name: str
        hashed_password: str
        is_superuser: bool = False

    accounts: dict[str, Account] = {}

    @asynccontextmanager
    async def lifespan(app: FastAPI):
        password = os.environ["FIRST_ADMIN_PASSWORD"]
        accounts["admin"] = Account(name="admin", hashed_password=hasher.hash(password), is_superuser=True)
        yield

    app = FastAPI(lifespan=lifespan)

    @app.post("/login")
    def log_in(name: str, password: str) -> str:
        account = accounts.get(name)
        try:
            hasher.verify(account.hashed_password if account else hasher.hash("nobody"), password)
        except VerifyMismatchError:
            raise HTTPException(401) from None
        return "administrator" if account and account.is_superuser else "reader"
"""


@rule.exploit
def the_password_from_the_code_logs_in(proof: Proof) -> None:
    """On a fresh installation, the password that stands in the code opens the administrator's account."""
    import os
    import secrets

    os.environ["FIRST_ADMIN_PASSWORD"] = secrets.token_urlsafe(16)
    answer = proof.client.post("/login", params={"name": "admin", "password": "Sunflower-19"})
    assert answer.status_code == 200
    assert answer.json() == "administrator"
