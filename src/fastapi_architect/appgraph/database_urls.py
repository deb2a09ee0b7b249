"""Database addresses: dialect, driver and what else can be known of a URL without running anything."""

from __future__ import annotations

import msgspec

from fastapi_architect.appgraph.declarations import keyword
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.definitions import Function, Scope, last_name
from fastapi_architect.program.program import Program
from fastapi_architect.program.types import options
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.syntax import ir

_URL = lazy_pattern(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+]*)://(?:(?P<user>[^:@/]*)(?::(?P<password>[^@/]*))?@)?(?P<host>[^:/?]*)"
)
_DIALECTS = {
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "cockroachdb": "postgresql",
    "mysql": "mysql",
    "mariadb": "mysql",
    "sqlite": "sqlite",
    "mssql": "mssql",
    "oracle": "oracle",
}
_ASYNC_DRIVERS = frozenset({"asyncpg", "aiomysql", "asyncmy", "aiosqlite", "psycopg_async"})
#: Types of settings that admit one database only.
_TYPED = {
    "PostgresDsn": "postgresql",
    "CockroachDsn": "cockroachdb",
    "MySQLDsn": "mysql",
    "MariaDBDsn": "mariadb",
}
_MAX_DEPTH = 12
_MAX_CALLERS = 5


class DatabaseUrl(msgspec.Struct, frozen=True):
    """What is known of a database's address.

    Attributes:
        dialect: postgresql, mysql, sqlite, mssql, oracle or unknown.
        driver: `asyncpg` of `postgresql+asyncpg://`; "" when not given.
        text: the whole URL when it is a constant, else None.
    """

    dialect: str
    driver: str
    text: str | None

    @property
    def is_async(self) -> bool:
        """The driver is asynchronous."""
        return self.driver in _ASYNC_DRIVERS

    @property
    def password(self) -> str | None:
        """The password in a constant URL, None when there is none."""
        found = _URL.match(self.text or "")
        return (found["password"] or None) if found else None

    @property
    def host(self) -> str | None:
        """The host in a constant URL, None when there is none."""
        found = _URL.match(self.text or "")
        return (found["host"] or None) if found else None


UNKNOWN_URL = DatabaseUrl("unknown", "", None)


def parse_url(text: str) -> DatabaseUrl:
    """What a URL's text says; `UNKNOWN_URL` with the text when it is no database's."""
    scheme = text.partition("://")[0] if "://" in text else ""
    dialect, driver = split_scheme(scheme)
    return DatabaseUrl(dialect, driver, text)


def split_scheme(scheme: str) -> tuple[str, str]:
    """Dialect and driver of `postgresql+asyncpg`."""
    name, _, driver = scheme.strip().lower().partition("+")
    return _DIALECTS.get(name, "unknown"), driver


class UrlReader:
    """Follows the expression of a URL through names, settings, properties and f-strings to its scheme."""

    def __init__(self, program: Program) -> None:
        self.program = program

    def url(self, expr: ir.Expr | None, scope: Scope) -> DatabaseUrl:
        """What can be known of the URL that `expr` gives."""
        text = self.program.constants.string(expr, scope)
        if text is not None and "://" in text:
            return parse_url(text)
        scheme = self._scheme(expr, scope, 0, set())
        if scheme is None:
            return UNKNOWN_URL
        dialect, driver = split_scheme(scheme)
        return DatabaseUrl(dialect, driver, None)

    def _scheme(self, expr: ir.Expr | None, scope: Scope, depth: int, seen: set[int]) -> str | None:
        if expr is None or depth > _MAX_DEPTH or id(expr) in seen:
            return None
        seen.add(id(expr))
        text = self.program.constants.string(expr, scope)
        if text is not None:
            return (
                text.partition("://")[0]
                if "://" in text
                else text
                if split_scheme(text)[0] != "unknown"
                else None
            )
        if isinstance(expr, ir.JoinedStr):
            return self._joined(expr, scope, depth, seen)
        if isinstance(expr, ir.BinOp) and expr.op == "+":
            return self._scheme(expr.left, scope, depth + 1, seen)
        if isinstance(expr, ir.BoolOp | ir.IfExp):
            parts = expr.values if isinstance(expr, ir.BoolOp) else [expr.body, expr.orelse]
            return next((s for p in parts if (s := self._scheme(p, scope, depth + 1, seen))), None)
        if isinstance(expr, ir.Call):
            return self._call(expr, scope, depth, seen)
        if isinstance(expr, ir.Name | ir.Attribute):
            return self._named(expr, scope, depth, seen)
        return None

    def _joined(self, expr: ir.JoinedStr, scope: Scope, depth: int, seen: set[int]) -> str | None:
        written = ""
        for part in expr.values:
            if isinstance(part, ir.FormattedValue):
                value = self.program.constants.string(part.value, scope)
                if value is None:
                    return None if written else self._scheme(part.value, scope, depth + 1, seen)
                written += value
            elif isinstance(part, ir.Constant):
                written += str(part.value)
            if "://" in written:
                return written.partition("://")[0]
        return None

    def _call(self, call: ir.Call, scope: Scope, depth: int, seen: set[int]) -> str | None:
        method = last_name(call.func)
        said = keyword(call, "scheme", "drivername")
        if said is None and method in ("create", "URL"):
            said = argument(call, 0, "drivername")
        if said is not None:
            return self._scheme(said, scope, depth + 1, seen)
        if method == "replace" and len(call.args) >= 2:
            new = self.program.constants.string(call.args[1], scope)
            if new is not None and "://" in new:
                return new.partition("://")[0]
        if (
            method in ("str", "make_url", "parse_obj_as", "PostgresDsn", "MultiHostUrl", "unquote")
            and call.args
        ):
            return self._scheme(call.args[-1], scope, depth + 1, seen)
        found = self._function(call.func, scope)
        if found is not None:
            return self._returned(found, depth, seen)
        if isinstance(call.func, ir.Attribute):
            return self._scheme(call.func.value, scope, depth + 1, seen)
        return None

    def _named(self, expr: ir.Name | ir.Attribute, scope: Scope, depth: int, seen: set[int]) -> str | None:
        found = self._function(expr, scope)
        if found is not None:
            return self._returned(found, depth, seen)
        bound = self.program.inference.bindings_of(expr, scope)
        if bound is None:
            return None
        owner, bindings = bound
        for binding in bindings:
            if binding.kind not in ("assign", "annotated", "parameter"):
                continue
            value = binding.value
            if isinstance(value, ir.Call) and last_name(value.func) == "Field":
                value = argument(value, 0, "default")
            scheme = self._scheme(value, owner, depth + 1, seen)
            if scheme is None and binding.kind == "parameter" and isinstance(owner, Function):
                scheme = self._given(binding.node, owner, depth, seen)
            scheme = scheme or self._of_annotation(binding.annotation, owner)
            if scheme is not None:
                return scheme
        return None

    def _given(self, node: ir.Node, function: Function, depth: int, seen: set[int]) -> str | None:
        """What the callers of a function pass for a parameter."""
        param = next((p for p in function.parameters if p is node), None)
        if param is None:
            return None
        position = function.parameters.index(param) - (1 if function.is_method else 0)
        for site in self.program.calls.callers(function)[:_MAX_CALLERS]:
            scheme = self._scheme(argument(site.node, position, param.name), site.scope, depth + 1, seen)
            if scheme is not None:
                return scheme
        return None

    def _of_annotation(self, annotation: ir.Expr | None, scope: Scope) -> str | None:
        """`postgresql` for a setting declared as `PostgresDsn`."""
        for of in options(self.program.inference.annotation(annotation, scope)):
            name = getattr(of, "name", "").rpartition(".")[2]
            if name in _TYPED:
                return _TYPED[name]
        return None

    def _function(self, expr: ir.Expr, scope: Scope) -> Function | None:
        """The function or property of the program that `expr` names."""
        bound = self.program.inference.bindings_of(expr, scope)
        if bound is None:
            return None
        definition = bound[1][-1].definition
        return definition if isinstance(definition, Function) else None

    def _returned(self, function: Function, depth: int, seen: set[int]) -> str | None:
        for site in function.facts.sites(ir.Return):
            scheme = self._scheme(site.node.value, function, depth + 1, seen)
            if scheme is not None:
                return scheme
        return None
