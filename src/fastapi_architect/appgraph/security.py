"""How strongly each operation is guarded, and by what.

Levels: none < optional < user < scoped < admin. A dependency authenticates when its tree holds a security scheme, when it
reads a credential (header, cookie, session) and can answer 401 or 403, when it calls something that does, or when the
configuration says so. Middleware that does the same covers every path that it does not exempt.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from fastapi_architect.appgraph.applications import Application
from fastapi_architect.appgraph.dependencies import Dependency
from fastapi_architect.appgraph.middleware import Middleware
from fastapi_architect.appgraph.path_operations import PathOperation
from fastapi_architect.appgraph.project_facts import ProjectFacts
from fastapi_architect.program.constants import UNKNOWN
from fastapi_architect.program.definitions import Class, Function, Scope, dotted_name, last_name
from fastapi_architect.program.facts import Site
from fastapi_architect.program.program import Program
from fastapi_architect.program.type_inference import argument
from fastapi_architect.program.types import Instance, options
from fastapi_architect.syntax import ir


class AccessLevel(IntEnum):
    """Who may pass."""

    NONE = 0
    OPTIONAL = 1
    USER = 2
    SCOPED = 3
    ADMIN = 4

    @property
    def label(self) -> str:
        """As reports name it."""
        return self.name.lower()


@dataclass(frozen=True, slots=True, eq=False)
class Guard:
    """One reason why an operation is guarded.

    Attributes:
        level: how strongly.
        name: full name of the guarding function, scheme or middleware.
        dependency: the dependency, None for middleware and checks in the handler.
        why: the evidence in words.
    """

    level: AccessLevel
    name: str
    dependency: Dependency | None
    why: str


@dataclass(frozen=True, slots=True, eq=False)
class Access:
    """The guards of one operation and the level they add up to."""

    level: AccessLevel
    guards: tuple[Guard, ...]
    public_reason: str = ""

    @property
    def authenticated(self) -> bool:
        """A request without valid credentials does not reach the handler."""
        return self.level >= AccessLevel.USER


_SCHEMES = frozenset(
    f"fastapi.security.{name}"
    for name in (
        "OAuth2 OAuth2PasswordBearer OAuth2AuthorizationCodeBearer HTTPBearer HTTPBasic HTTPDigest APIKeyHeader "
        "APIKeyQuery APIKeyCookie OpenIdConnect"
    ).split()
)
_SCHEME_BASES = ("fastapi.security.base.SecurityBase", "fastapi.security.http.HTTPBase", *sorted(_SCHEMES))
_HTTP_ERRORS = ("fastapi.HTTPException", "starlette.exceptions.HTTPException", "fastapi.exceptions.HTTPException")
_REFUSAL = re.compile(
    r"unauthori[sz]|forbid|forbidden|permission|denied|credential|notauth|authenticat|accesserror|invalidtoken|expiredtoken|"
    r"autherror|authexception|authfail|insufficient|notallowed|loginrequired",
    re.IGNORECASE,
)
_CREDENTIAL = re.compile(
    r"auth|token|api[-_]?key|session|jwt|bearer|credential|x[-_]?user|secret|signature|cookie|ticket|csrf", re.IGNORECASE
)
_ADMIN = re.compile(r"admin|superuser|super_user|staff|root|owner_only|sudo", re.IGNORECASE)
_ROLE = re.compile(r"role|permission|scope|privilege|authori[sz]e|can_|has_access|require|rbac|acl|policy|grant", re.IGNORECASE)
_VERIFIER = re.compile(
    r"(decode|verify|validate|check|parse|authenticate|introspect|get_current|current|load|require|lookup)\w*"
    r"(token|jwt|session|credential|user|auth|api_?key|login|principal|signature|id_token|password)|"
    r"^(authenticate|authorize|require_auth|login_required|verify_id_token)",
    re.IGNORECASE,
)
_PRINCIPAL_ATTRIBUTES = frozenset({"user", "current_user", "principal", "auth", "session"})
_MAX_DEPTH = 4


class AccessReader:
    """Classifies dependencies, middleware and operations; memoised."""

    def __init__(self, program: Program, facts: ProjectFacts) -> None:
        self._program = program
        self._inference = program.inference
        self._facts = facts
        self._refusals: dict[int, bool] = {}
        self._reads: dict[int, str] = {}
        self._operations: dict[int, Access] = {}
        self._middleware: dict[int, Guard | None] = {}

    # ── operations ───────────────────────────────────────────────────────────────────────────────────────────────

    def of_operation(self, operation: PathOperation, application: Application) -> Access:
        """All guards of an operation and the level they add up to."""
        key = id(operation)
        if key not in self._operations:
            guards = [*self._guards(operation), *self._middleware_guards(operation, application)]
            level = max((g.level for g in guards), default=AccessLevel.NONE)
            reason = next((r for name, r in self._facts.public_routes.items() if name in operation.names), "")
            self._operations[key] = Access(level, tuple(guards), reason)
        return self._operations[key]

    def _guards(self, operation: PathOperation) -> Iterator[Guard]:
        for dependency in operation.dependencies:
            guard = self.of_dependency(dependency)
            if guard is not None:
                yield guard
        if operation.handler is not None:
            guard = self._of_handler(operation)
            if guard is not None:
                yield guard

    def _of_handler(self, operation: PathOperation) -> Guard | None:
        """A handler that checks a credential or a role itself."""
        handler = operation.handler
        assert handler is not None
        credential = next(
            (p.alias for p in operation.parameters if p.kind in ("header", "cookie") and _CREDENTIAL.search(p.alias)), ""
        )
        reads = f"reads {credential}" if credential else self._reads_credential(handler)
        if reads and self.refuses(handler):
            return Guard(AccessLevel.USER, handler.full_name, None, f"the handler {reads} and refuses")
        return None

    # ── dependencies ─────────────────────────────────────────────────────────────────────────────────────────────

    def of_dependency(self, dependency: Dependency) -> Guard | None:
        """What a dependency, with everything below it, contributes; None when it guards nothing."""
        level, why = self._level(dependency, 0)
        return Guard(level, dependency.name, dependency, why) if level > AccessLevel.NONE else None

    def _level(self, dependency: Dependency, depth: int) -> tuple[AccessLevel, str]:
        if depth > _MAX_DEPTH * 3:
            return AccessLevel.NONE, ""
        if self._facts.names_permission(dependency.name):
            return AccessLevel.SCOPED, "the configuration names it as a permission check"
        if self._facts.names_authentication(dependency.name):
            return AccessLevel.USER, "the configuration names it as authentication"
        if self.is_scheme(dependency):
            if self.scheme_is_optional(dependency):
                return AccessLevel.OPTIONAL, f"{_last(dependency.name)} with auto_error=False"
            return AccessLevel.USER, f"{_last(dependency.name)} refuses requests without credentials"
        below = [self._level(child, depth + 1) for child in dependency.dependencies]
        level, why = max(below, key=lambda pair: pair[0], default=(AccessLevel.NONE, ""))
        own, own_why = self._own_level(dependency, level)
        if own > level:
            level, why = own, own_why
        if level >= AccessLevel.USER:
            level, why = self._raised(dependency, level, why)
        return level, why

    def _own_level(self, dependency: Dependency, below: AccessLevel) -> tuple[AccessLevel, str]:
        function = dependency.function
        if function is None:
            return self._library_level(dependency)
        refuses = self.refuses(function)
        if below == AccessLevel.OPTIONAL:
            if refuses:
                return AccessLevel.USER, f"{function.name} refuses when the credential is missing"
            return below, ""
        credential = next(
            (p.alias for p in dependency.parameters if p.kind in ("header", "cookie", "query") and _CREDENTIAL.search(p.alias)),
            "",
        )
        reads = f"reads {credential}" if credential else self._reads_credential(function)
        if reads and refuses:
            return AccessLevel.USER, f"{function.name} {reads} and refuses"
        if reads and not refuses and _VERIFIER.search(function.name):
            return AccessLevel.OPTIONAL, f"{function.name} {reads} but never refuses"
        return AccessLevel.NONE, ""

    def _library_level(self, dependency: Dependency) -> tuple[AccessLevel, str]:
        """A dependency that a library provides, known by its name only."""
        if dependency.cls is None and _VERIFIER.search(_last(dependency.name)) and not dependency.name.startswith("fastapi."):
            return AccessLevel.USER, f"{dependency.name} by its name"
        return AccessLevel.NONE, ""

    def _raised(self, dependency: Dependency, level: AccessLevel, why: str) -> tuple[AccessLevel, str]:
        """A guard that also asks for a role: by scopes, by what it compares before refusing, or by its name."""
        if dependency.security_scopes:
            return max(level, AccessLevel.SCOPED), f"requires scopes {', '.join(dependency.security_scopes)}"
        function = dependency.function
        checked = self._role_checked(function) if function is not None else ""
        arguments = " ".join(_strings_in(dependency.creation[0])) if dependency.creation is not None else ""
        if checked and _ADMIN.search(f"{checked} {arguments}"):
            return AccessLevel.ADMIN, f"refuses unless {checked}"
        if checked or (arguments and _ROLE.search(dependency.name)):
            return max(level, AccessLevel.SCOPED), f"refuses unless {checked or arguments}"
        if function is not None and _ADMIN.search(function.name) and self.refuses(function):
            return AccessLevel.ADMIN, f"{function.name} refuses"
        return level, why

    def is_scheme(self, dependency: Dependency) -> bool:
        """The dependency is an instance of a FastAPI security scheme (or of a subclass)."""
        if dependency.instance_of in _SCHEMES or (dependency.cls is None and dependency.name in _SCHEMES):
            return True
        return dependency.cls is not None and self._inference.hierarchy.is_subclass(dependency.cls, *_SCHEME_BASES)

    def scheme_is_optional(self, dependency: Dependency) -> bool:
        """The scheme was made with `auto_error=False`."""
        if dependency.creation is None:
            return False
        call, scope = dependency.creation
        given = argument(call, None, "auto_error")
        return given is not None and self._program.constants.value(given, scope) is False

    # ── what functions do ────────────────────────────────────────────────────────────────────────────────────────

    def refuses(self, function: Function, depth: int = 0) -> bool:
        """The function, or something it calls, can answer 401 or 403."""
        key = id(function)
        if key in self._refusals:
            return self._refusals[key]
        if depth > _MAX_DEPTH:
            return False
        self._refusals[key] = False
        found = any(self.is_refusal(site) for site in function.facts.sites(ir.Raise)) or any(
            self._returns_refusal(site) for site in function.facts.sites(ir.Return)
        )
        if not found:
            found = any(
                self.refuses(target, depth + 1)
                for site in function.facts.calls
                for target in self._program.calls.targets(site)
                if target is not function
            )
        self._refusals[key] = found
        return found

    def is_refusal(self, site: Site) -> bool:
        """`raise` of a 401 or 403, or of an exception that is named like one."""
        exc = site.node.exc
        if exc is None:
            return False
        expr, scope = self._inference.expand(exc, site.scope) if exc.__class__ is not ir.Call else (exc, site.scope)
        status = self.status_of(expr, scope)
        if status is not None:
            return status in (401, 403)
        return bool(_REFUSAL.search(dotted_name(expr.func if expr.__class__ is ir.Call else expr)))

    def status_of(self, expr: ir.Expr, scope: Scope) -> int | None:
        """Status of an `HTTPException(...)` expression; None when it is none or not known."""
        if expr.__class__ is not ir.Call:
            return None
        for of in options(self._inference.type_of(expr, scope)):
            if not isinstance(of, Instance):
                continue
            if isinstance(of.cls, Class) and self._inference.hierarchy.is_subclass(of.cls, *_HTTP_ERRORS):
                own = self._status_of_class(of.cls)
                if own is not None:
                    return own
            elif of.name not in _HTTP_ERRORS:
                continue
            value = self._program.constants.value(argument(expr, 0, "status_code"), scope)
            if isinstance(value, int) and value is not UNKNOWN:
                return value
            return _status_by_name(argument(expr, 0, "status_code"))
        return None

    def _status_of_class(self, cls: Class) -> int | None:
        for entry in self._inference.hierarchy.order(cls):
            if not isinstance(entry.cls, Class):
                continue
            for name in ("status_code", "STATUS_CODE"):
                for binding in entry.cls.facts.bindings.get(name, ()):
                    value = self._program.constants.value(binding.value, entry.cls)
                    if isinstance(value, int):
                        return value
                    by_name = _status_by_name(binding.value)
                    if by_name is not None:
                        return by_name
            init = entry.cls.methods.get("__init__")
            for site in init.facts.calls_named("__init__") if init is not None else ():
                given = argument(site.node, 0, "status_code")
                value = self._program.constants.value(given, init) if given is not None else UNKNOWN
                if isinstance(value, int):
                    return value
                by_name = _status_by_name(given)
                if by_name is not None:
                    return by_name
        return None

    def _returns_refusal(self, site: Site) -> bool:
        """`return JSONResponse(status_code=401)` in middleware and handlers."""
        value = site.node.value
        if value.__class__ is not ir.Call:
            return False
        given = argument(value, None, "status_code")
        if given is None:
            return False
        status = self._program.constants.value(given, site.scope)
        return status in (401, 403) or _status_by_name(given) in (401, 403)

    def _reads_credential(self, function: Function, depth: int = 0) -> str:
        """How a function reads a credential from the request, in words; "" when it does not."""
        key = id(function)
        if key in self._reads:
            return self._reads[key]
        self._reads[key] = ""
        found = self._reads_directly(function)
        if not found and depth < _MAX_DEPTH:
            for site in function.facts.calls:
                if not self._passes_request(site):
                    continue
                for target in self._program.calls.targets(site):
                    inner = self._reads_credential(target, depth + 1)
                    if inner:
                        found = f"{inner} (in {target.name})"
                        break
                if found:
                    break
        self._reads[key] = found
        return found

    def _reads_directly(self, function: Function) -> str:
        for site in function.facts.sites(ir.Attribute):
            node = site.node
            if node.attr in ("headers", "cookies", "session") and self._is_request(node.value, function):
                return f"reads request.{node.attr}"
            if node.attr in _PRINCIPAL_ATTRIBUTES and self._is_request_state(node.value, function):
                return f"reads {dotted_name(node)}"
        for site in function.facts.calls:
            name = last_name(site.node.func)
            if _VERIFIER.search(name) and not self._program.calls.targets(site):
                return f"calls {name}"
            if name == "decode" and any("jwt" in n or "jose" in n for n in self._program.calls.names(site)):
                return "decodes a token"
        return ""

    def _passes_request(self, site: Site) -> bool:
        arguments = [*site.node.args, *(k.value for k in site.node.keywords)]
        return any(
            self._is_request(a, site.scope) or _CREDENTIAL.search(dotted_name(a).rpartition(".")[2] or "") for a in arguments
        )

    def _is_request(self, expr: ir.Expr, scope: Scope) -> bool:
        for of in options(self._inference.type_of(expr, scope)):
            if isinstance(of, Instance) and self._inference.hierarchy.is_subclass(
                of.cls, "starlette.requests.Request", "starlette.requests.HTTPConnection", "starlette.websockets.WebSocket",
                "fastapi.Request", "fastapi.WebSocket", "fastapi.requests.Request",
            ):  # fmt: skip
                return True
        return expr.__class__ is ir.Name and expr.id in ("request", "websocket", "req", "conn")

    def _is_request_state(self, expr: ir.Expr, scope: Scope) -> bool:
        if expr.__class__ is ir.Attribute and expr.attr == "state":
            return self._is_request(expr.value, scope)
        return self._is_request(expr, scope)

    def _role_checked(self, function: Function) -> str:
        """What is compared before a refusal: `not user.is_superuser`; "" when nothing about a role is."""
        for site in function.facts.sites(ir.Raise):
            if not self.is_refusal(site):
                continue
            context = site.context.inside("if", "else")
            test = getattr(context.node, "test", None) if context is not None else None
            for name in _names_in(test):
                if _ADMIN.search(name) or _ROLE.search(name):
                    return name
        for site in function.facts.calls:
            name = last_name(site.node.func)
            if (_ROLE.search(name) or _ADMIN.search(name)) and any(
                self.refuses(t) for t in self._program.calls.targets(site)
            ):
                return name
        return ""

    # ── middleware ───────────────────────────────────────────────────────────────────────────────────────────────

    def _middleware_guards(self, operation: PathOperation, application: Application) -> Iterator[Guard]:
        for middleware in application.middleware:
            guard = self.of_middleware(middleware)
            if guard is not None and not self.exempts(middleware, operation.path):
                yield guard

    def of_middleware(self, middleware: Middleware) -> Guard | None:
        """The guard that a middleware is; None when it authenticates nothing."""
        key = id(middleware)
        if key not in self._middleware:
            self._middleware[key] = self._middleware_guard(middleware)
        return self._middleware[key]

    def _middleware_guard(self, middleware: Middleware) -> Guard | None:
        if self._facts.names_authentication(middleware.name):
            return Guard(AccessLevel.USER, middleware.name, None, "the configuration names it as authentication")
        function = middleware.function
        if function is None:
            return None
        functions = [function]
        if middleware.cls is not None:
            functions = [f for f in middleware.cls.functions if f.name != "__init__"]
        reads = next((r for f in functions if (r := self._reads_credential(f))), "")
        about_auth = _CREDENTIAL.search(middleware.name) or _CREDENTIAL.search(reads)
        if reads and about_auth and any(self.refuses(f) for f in functions):
            return Guard(AccessLevel.USER, middleware.name, None, f"middleware {reads} and refuses")
        return None

    def exempts(self, middleware: Middleware, path: str) -> bool:
        """The middleware lets this path through: it equals, or starts with, a path that the middleware compares with."""
        exact, prefixes = self.exemptions(middleware)
        return path in exact or any(prefix and path.startswith(prefix) for prefix in prefixes)

    def exemptions(self, middleware: Middleware) -> tuple[frozenset[str], frozenset[str]]:
        """Paths and path prefixes that a middleware compares the request's path with."""
        exact: set[str] = set()
        prefixes: set[str] = set()
        functions = [middleware.function] if middleware.function is not None else []
        if middleware.cls is not None:
            functions = list(middleware.cls.functions)
        for function in functions:
            for site in function.facts.sites(ir.Compare):
                if _is_path(site.node.left) and site.node.ops[0] in ("in", "==", "not in", "!="):
                    exact |= self._paths(site.node.comparators[0], function)
            for site in function.facts.calls_named("startswith"):
                if _is_path(site.node.func.value) and site.node.args:
                    prefixes |= self._paths(site.node.args[0], function)
        return frozenset(exact), frozenset(prefixes)

    def _paths(self, expr: ir.Expr, scope: Scope) -> set[str]:
        value = self._program.constants.value(expr, scope)
        values = value if isinstance(value, list | tuple) else [value]
        return {v for v in values if isinstance(v, str) and v.startswith("/")}


def _is_path(expr: ir.Expr) -> bool:
    """`request.url.path`, `scope["path"]` or a variable named so."""
    return last_name(expr) in ("path", "url_path", "request_path") or (
        expr.__class__ is ir.Subscript and expr.slice.__class__ is ir.Constant and expr.slice.value == "path"
    )


def _status_by_name(expr: ir.Expr | None) -> int | None:
    """401 for `status.HTTP_401_UNAUTHORIZED` or `HTTPStatus.UNAUTHORIZED`."""
    name = last_name(expr) if expr is not None else ""
    found = re.match(r"HTTP_(\d{3})_", name)
    if found:
        return int(found[1])
    return {"UNAUTHORIZED": 401, "FORBIDDEN": 403, "NOT_FOUND": 404, "CONFLICT": 409, "BAD_REQUEST": 400}.get(name)


def _names_in(expr: ir.Expr | None) -> Iterator[str]:
    """Names, attributes and called names of a condition."""
    stack = [expr]
    while stack:
        current = stack.pop(0)
        kind = current.__class__
        if kind is ir.Name:
            yield current.id
        elif kind is ir.Attribute:
            yield current.attr
            stack.append(current.value)
        elif kind is ir.Call:
            stack += [current.func, *current.args]
        elif kind is ir.UnaryOp:
            stack.append(current.operand)
        elif kind is ir.BoolOp:
            stack += current.values
        elif kind is ir.Compare:
            stack += [current.left, *current.comparators]
        elif kind is ir.Subscript:
            stack += [current.value, current.slice]
        elif kind is ir.Await:
            stack.append(current.value)
        elif kind is ir.Constant and current.kind == "str":
            yield str(current.value)


def _strings_in(call: ir.Call) -> Iterator[str]:
    stack: list[ir.Expr] = [*call.args, *(k.value for k in call.keywords)]
    while stack:
        current = stack.pop()
        if current.__class__ is ir.Constant and current.kind == "str":
            yield str(current.value)
        elif current.__class__ is ir.Sequence:
            stack += current.elts
        elif current.__class__ in (ir.Attribute, ir.Name):
            yield last_name(current)


def _last(name: str) -> str:
    return name.rpartition(".")[2]


