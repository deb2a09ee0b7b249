"""How strongly each operation is guarded, and by what.

Levels: none < optional < user < scoped < admin. A dependency authenticates when its tree holds a security scheme, when it
reads a credential (header, cookie, session) and can answer 401 or 403, when it calls something that does, or when the
configuration says so. Middleware that does the same covers every path that it does not exempt.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import IntEnum
from typing import Any

import msgspec

from fastapi_architect.appgraph.applications import Application
from fastapi_architect.appgraph.dependencies import Dependency
from fastapi_architect.appgraph.exemptions import Exemptions
from fastapi_architect.appgraph.middleware import Middleware
from fastapi_architect.appgraph.middleware_paths import Passage, PathJudge, status_argument
from fastapi_architect.appgraph.path_operations import PathOperation
from fastapi_architect.appgraph.project_facts import ProjectFacts
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.constants import UNKNOWN
from fastapi_architect.program.definitions import Class, Function, Scope, dotted_name, last_name
from fastapi_architect.program.facts import Site
from fastapi_architect.program.program import Program
from fastapi_architect.program.types import FunctionRef, Instance, Type, options
from fastapi_architect.source.lazy_pattern import lazy_pattern
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


class Guard(msgspec.Struct, frozen=True, eq=False):
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


class Access(msgspec.Struct, frozen=True, eq=False):
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
        "OAuth2",
        "OAuth2PasswordBearer",
        "OAuth2AuthorizationCodeBearer",
        "HTTPBearer",
        "HTTPBasic",
        "HTTPDigest",
        "APIKeyHeader",
        "APIKeyQuery",
        "APIKeyCookie",
        "OpenIdConnect",
    )
)
_SCHEME_BASES = ("fastapi.security.base.SecurityBase", "fastapi.security.http.HTTPBase", *sorted(_SCHEMES))
_HTTP_ERRORS = (
    "fastapi.HTTPException",
    "starlette.exceptions.HTTPException",
    "fastapi.exceptions.HTTPException",
)
_REFUSAL = lazy_pattern(
    r"unauthori[sz]|forbid|forbidden|permission|denied|credential|notauth|authenticat|accesserror|invalidtoken|expiredtoken|"
    r"authori[sz]ation|autherror|authexception|authfail|insufficient|not_?(allowed|permitted)|login_?required|requires_?login|"
    r"invalid_?(api_?key|session|signature)|session_?expired|token\w*(error|exception)|jwt\w*(error|exception)",
    re.IGNORECASE,
)
_CREDENTIAL = lazy_pattern(
    r"auth|(?<!csrf)(?<!csrf[-_])(?<!xsrf)(?<!xsrf[-_])token|api[-_]?key|session|jwt|bearer|credential|x[-_]?user|secret|signature|"
    r"cookie|ticket|(partner|access|client|service|internal|admin|feed|license|shared|hmac)[-_]?key",
    re.IGNORECASE,
)
#: Tests of a request that say nothing about who sends it.
_NO_AUTHENTICATION = lazy_pattern(
    r"csrf|xsrf|cors|captcha|rate_?limit|throttl|ip_?block|origin", re.IGNORECASE
)
_ADMIN = lazy_pattern(r"admin|superuser|super_user|staff|root|owner_only|sudo", re.IGNORECASE)
_ROLE = lazy_pattern(
    r"role|permission|scope|privilege|authori[sz]e|can_|has_access|require|rbac|acl|policy|grant",
    re.IGNORECASE,
)
_VERIFIER = lazy_pattern(
    r"(decode|verify|validate|check|parse|authenticate|introspect|get_current|current|load|require|lookup)\w*"
    r"(token|jwt|session|credential|user|auth|api_?key|login|principal|signature|id_token|password)|"
    r"^(authenticate|authorize|require_auth|login_required|verify_id_token)|"
    r"(auth\w*|token|jwt|session|credentials?|api_?key|login)_(verifier|checker|validator|guard|required)$",
    re.IGNORECASE,
)
#: 401 and 403, and what pages answer instead: a redirect to the form where one signs in.
_REFUSING = frozenset({401, 403, 302, 303, 307})
_ROLE_GUARD = lazy_pattern(r"rbac|permission|role|privilege|scope|acl(?![a-z])|policy", re.IGNORECASE)
_DECORATOR = lazy_pattern(
    r"^(requires?|requires_auth\w*|require_(auth|login|user|token|permission|role|scope|admin)\w*|login_required|"
    r"auth_required|authenticated|jwt_required|permission_required|protected)$"
)
#: Methods of fastapi-jwt-auth and its forks: they read the token of the request and raise when it is not valid.
_REQUIRING = ("jwt_required", "fresh_jwt_required", "jwt_refresh_token_required")
_PRINCIPAL_ATTRIBUTES = frozenset({"user", "current_user", "principal", "auth", "session"})
_MAX_DEPTH = 4


class AccessReader:
    """Classifies dependencies, middleware and operations; memoised."""

    def __init__(self, program: Program, facts: ProjectFacts) -> None:
        self._program = program
        self._inference = program.inference
        self._facts = facts
        self._refusals: dict[int, bool] = {}
        self._refusing: dict[int, bool] = {}
        self._roles: dict[int, str] = {}
        self._reads: dict[int, str] = {}
        self._levels: dict[tuple[int, int], tuple[Dependency, tuple[AccessLevel, str]]] = {}
        self._operations: dict[int, Access] = {}
        self._middleware: dict[int, Guard | None] = {}
        self._passages: dict[tuple[int, str, str, str], Passage] = {}
        self._judge = PathJudge(program, self.refuses)
        self._exemptions = Exemptions(program)

    # ── operations ──────────────────────────────────────────────────────────────────────────────────────────

    def of_operation(self, operation: PathOperation, application: Application) -> Access:
        """All guards of an operation and the level they add up to."""
        key = id(operation)
        if key not in self._operations:
            guards = [*self._guards(operation), *self._middleware_guards(operation, application)]
            level = max((g.level for g in guards), default=AccessLevel.NONE)
            reason = next((r for name, r in self._facts.public_routes.items() if name in operation.names), "")
            reason = reason or self._marked_public(operation)
            self._operations[key] = Access(level, tuple(guards), reason)
        return self._operations[key]

    def _marked_public(self, operation: PathOperation) -> str:
        """Somebody wrote on the handler that strangers may call it: a decision, not an omission."""
        for dependency in operation.dependencies:
            mark = self._exemptions.mark_that_opens(dependency.function, operation.handler)
            if mark:
                return f"its handler is marked ({mark}), and {_last(dependency.name)} lets it pass"
        return ""

    def _guards(self, operation: PathOperation) -> Iterator[Guard]:
        for dependency in operation.dependencies:
            guard = self.of_dependency(dependency)
            if guard is not None and not self._exemptions.lets_pass(dependency.function, operation.handler):
                yield guard
        if operation.handler is not None:
            guard = self._of_handler(operation)
            if guard is not None:
                yield guard
            yield from self._of_decorators(operation.handler)

    def _of_decorators(self, handler: Function) -> Iterator[Guard]:
        """Decorators between the route and the handler that refuse: Starlette's `requires` and functions like it."""
        for decorator in handler.node.decorators:
            func = decorator.func if decorator.__class__ is ir.Call else decorator
            name = last_name(func)
            if _NO_AUTHENTICATION.search(name):
                continue
            for of in options(self._inference.type_of(func, handler.parent or handler.module)):
                level = self._level_of_decorator(of, name)
                if level > AccessLevel.NONE:
                    full = of.function.full_name if isinstance(of, FunctionRef) else getattr(of, "name", name)
                    yield Guard(level, full, None, f"the decorator {name} refuses")
                    break

    def _level_of_decorator(self, of: Type, name: str) -> AccessLevel:
        by_name = AccessLevel.SCOPED if _ROLE_GUARD.search(name) else AccessLevel.USER
        if not isinstance(of, FunctionRef):
            return by_name if _DECORATOR.search(name) else AccessLevel.NONE
        level = AccessLevel.NONE
        for function in _with_inner(of.function):
            if any(self.is_refusal(s) and _tested(s) for s in function.facts.sites(ir.Raise)):
                level = max(level, by_name)
            for site in function.facts.calls:
                for target in self._program.calls.targets(site):
                    if _tested(site) and any(self.refuses(f) for f in _with_inner(target)):
                        scoped = _ROLE_GUARD.search(target.name)
                        level = max(level, AccessLevel.SCOPED if scoped else by_name)
        return level

    def _of_handler(self, operation: PathOperation) -> Guard | None:
        """A handler that checks a credential or a role itself."""
        handler = operation.handler
        assert handler is not None
        kinds = ("header", "cookie", "query") if operation.is_websocket else ("header", "cookie")
        credential = next(
            (p.alias for p in operation.parameters if p.kind in kinds and _CREDENTIAL.search(p.alias)),
            "",
        )
        reads = f"reads {credential}" if credential else self._reads_credential(handler)
        if reads and self.refuses(handler):
            return Guard(AccessLevel.USER, handler.full_name, None, f"the handler {reads} and refuses")
        return None

    # ── dependencies ────────────────────────────────────────────────────────────────────────────────────────

    def of_dependency(self, dependency: Dependency) -> Guard | None:
        """What a dependency, with everything below it, contributes; None when it guards nothing."""
        level, why = self._level(dependency, 0)
        return Guard(level, dependency.name, dependency, why) if level > AccessLevel.NONE else None

    def _level(self, dependency: Dependency, depth: int) -> tuple[AccessLevel, str]:
        """Level and reason; what many operations depend on is asked once."""
        key = (id(dependency), depth)
        known = self._levels.get(key)
        if known is None:
            # The dependency is kept, too: its identity must not be given to another one.
            known = self._levels[key] = (dependency, self._find_level(dependency, depth))
        return known[1]

    def _find_level(self, dependency: Dependency, depth: int) -> tuple[AccessLevel, str]:
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
            (
                p.alias
                for p in dependency.parameters
                if p.kind in ("header", "cookie", "query") and _CREDENTIAL.search(p.alias)
            ),
            "",
        )
        reads = f"reads {credential}" if credential else self._reads_credential(function)
        if reads and (refuses or (credential and self._answers_client_error(function))):
            return AccessLevel.USER, f"{function.name} {reads} and refuses"
        if reads and not refuses and _VERIFIER.search(function.name):
            return AccessLevel.OPTIONAL, f"{function.name} {reads} but never refuses"
        return AccessLevel.NONE, ""

    def _library_level(self, dependency: Dependency) -> tuple[AccessLevel, str]:
        """A dependency that a library provides or that could not be followed, known by its name only."""
        if dependency.cls is not None or dependency.name.startswith("fastapi."):
            return AccessLevel.NONE, ""
        written = _provider_name(dependency.provider)
        name = next((n for n in (_last(dependency.name), written) if _VERIFIER.search(n)), "")
        if not name and dependency.is_security:
            return AccessLevel.USER, f"{written or dependency.name} is declared with Security()"
        if not name:
            return AccessLevel.NONE, ""
        if self._made_optional(dependency):
            return AccessLevel.OPTIONAL, f"{written or dependency.name} with optional=True"
        return AccessLevel.USER, f"{dependency.name if dependency.resolved else written or name} by its name"

    def _made_optional(self, dependency: Dependency) -> bool:
        """`fastapi_users.current_user(optional=True)`."""
        if dependency.creation is None:
            return False
        call, scope = dependency.creation
        given = argument(call, None, "optional")
        return given is not None and self._program.constants.value(given, scope) is True

    def _answers_client_error(self, function: Function) -> bool:
        """The function itself raises a 4xx: a guard that answers 400 or 404 to hide what it guards."""
        for site in function.facts.sites(ir.Raise):
            status = self.status_of(site.node.exc, site.scope) if site.node.exc is not None else None
            if status is not None and 400 <= status < 500:
                return True
        return False

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
        if function is not None and _ROLE_GUARD.search(function.name) and self.refuses(function):
            return max(level, AccessLevel.SCOPED), f"{function.name} refuses"
        return level, why

    def is_scheme(self, dependency: Dependency) -> bool:
        """The dependency is an instance of a FastAPI security scheme (or of a subclass)."""
        if dependency.instance_of in _SCHEMES or (dependency.cls is None and dependency.name in _SCHEMES):
            return True
        return dependency.cls is not None and self._inference.hierarchy.is_subclass(
            dependency.cls, *_SCHEME_BASES
        )

    def scheme_is_optional(self, dependency: Dependency) -> bool:
        """The scheme was made with `auto_error=False`."""
        if dependency.creation is None:
            return False
        call, scope = dependency.creation
        given = argument(call, None, "auto_error")
        return given is not None and self._program.constants.value(given, scope) is False

    # ── what functions do ───────────────────────────────────────────────────────────────────────────────────

    def refuses(self, function: Function, depth: int = 0) -> bool:
        """The function, or something it calls, can answer 401 or 403."""
        key = id(function)
        if key in self._refusals:
            return self._refusals[key]
        if depth > _MAX_DEPTH:
            return False
        self._refusals[key] = False
        found = (
            any(self.is_refusal(site) for site in function.facts.sites(ir.Raise))
            or any(self._returns_refusal(site) for site in function.facts.sites(ir.Return))
            or any(self._closes_with_refusal(site) for site in function.facts.calls_named("close"))
            or bool(function.facts.calls_named(*_REQUIRING))
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
        """`raise` of a 401 or 403, of an exception that is named like one, or because two secrets differ."""
        key = id(site.node)
        known = self._refusing.get(key)
        if known is None:
            known = self._refusing[key] = self._is_refusal(site)
        return known

    def _is_refusal(self, site: Site) -> bool:
        exc = site.node.exc
        if exc is None:
            return False
        expr, scope = (
            self._inference.expand(exc, site.scope) if exc.__class__ is not ir.Call else (exc, site.scope)
        )
        if expr.__class__ is ir.Call and last_name(expr.func) == "WebSocketException":
            return self._refusing_code(argument(expr, 0, "code"), scope)
        status = self.status_of(expr, scope)
        if status is not None:
            return status in _REFUSING
        if expr.__class__ is ir.Call and status_argument(expr) is not None:
            return True
        if any(context.role == "if" and _compares_secrets(context.node) for context in site.context):
            return True
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
            if isinstance(value, int):
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
                value = (
                    self._program.constants.value(given, init)
                    if given is not None and init is not None
                    else UNKNOWN
                )
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

    def _closes_with_refusal(self, site: Site) -> bool:
        """`await websocket.close(code=1008)`: how a socket says 401 or 403."""
        return self._refusing_code(argument(site.node, 0, "code"), site.scope)

    def _refusing_code(self, given: ir.Expr | None, scope: Scope) -> bool:
        if given is None:
            return False
        value = self._program.constants.value(given, scope)
        refusing = isinstance(value, int) and (value in (1008, 3000, 3003) or 4001 <= value <= 4403)
        return refusing or last_name(given) == "WS_1008_POLICY_VIOLATION"

    def _reads_credential(self, function: Function, depth: int = 0) -> str:
        """How a function reads a credential from the request, in words; "" when it does not."""
        key = id(function)
        if key in self._reads:
            return self._reads[key]
        self._reads[key] = ""
        found = self._reads_directly(function)
        if not found and depth < _MAX_DEPTH:
            for site in function.facts.calls:
                targets = self._program.calls.targets(site)
                if not targets or not self._passes_request(site):
                    continue
                for target in targets:
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
        for site in function.facts.sites(ir.Subscript):
            key = site.node.slice
            if (
                key.__class__ is ir.Constant
                and key.value == "headers"
                and last_name(site.node.value) in ("scope", "_scope")
            ):
                return 'reads scope["headers"]'
        for site in function.facts.calls:
            name = last_name(site.node.func)
            if name == "Headers" and argument(site.node, None, "scope") is not None:
                return "reads the request's headers"
            if name in _REQUIRING or (_VERIFIER.search(name) and not self._program.calls.targets(site)):
                return f"calls {name}"
            if name == "decode" and any("jwt" in n or "jose" in n for n in self._program.calls.names(site)):
                return "decodes a token"
        return ""

    def _passes_request(self, site: Site) -> bool:
        """It hands on the request or a credential, or calls a method of what holds one: `auth_jwt.get_subject()`."""
        arguments = [*site.node.args, *(k.value for k in site.node.keywords)]
        func = site.node.func
        if func.__class__ is ir.Attribute and func.value.__class__ is ir.Name:
            arguments.append(func.value)
        return any(_CREDENTIAL.search(last_name(a)) or self._is_request(a, site.scope) for a in arguments)

    def _is_request(self, expr: ir.Expr, scope: Scope) -> bool:
        if expr.__class__ is ir.Name and expr.id in ("request", "websocket", "req", "conn"):
            return True
        if expr.__class__ is ir.Constant:
            return False
        for of in options(self._inference.type_of(expr, scope)):
            if isinstance(of, Instance) and self._inference.hierarchy.is_subclass(
                of.cls, "starlette.requests.Request", "starlette.requests.HTTPConnection", "starlette.websockets.WebSocket",
                "fastapi.Request", "fastapi.WebSocket", "fastapi.requests.Request",
            ):  # fmt: skip
                return True
        return False

    def _is_request_state(self, expr: ir.Expr, scope: Scope) -> bool:
        if expr.__class__ is ir.Attribute and expr.attr == "state":
            return self._is_request(expr.value, scope)
        return self._is_request(expr, scope)

    def _role_checked(self, function: Function) -> str:
        """What is compared before a refusal: `not user.is_superuser`; "" when nothing about a role is."""
        key = id(function)
        known = self._roles.get(key)
        if known is None:
            known = self._roles[key] = self._find_role(function)
        return known

    def _find_role(self, function: Function) -> str:
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

    # ── middleware ──────────────────────────────────────────────────────────────────────────────────────────

    def _middleware_guards(self, operation: PathOperation, application: Application) -> Iterator[Guard]:
        kind = "websocket" if operation.is_websocket else "http"
        for middleware in application.middleware:
            guard = self.of_middleware(middleware)
            if guard is None:
                continue
            methods = operation.methods if kind == "http" else ("GET",)
            if middleware.function is None or all(
                self.passage(middleware, operation.path, method, kind).kind == "checked" for method in methods
            ):
                yield guard

    def of_middleware(self, middleware: Middleware) -> Guard | None:
        """The guard that a middleware is, for the paths that it tests; None when it authenticates nothing."""
        key = id(middleware)
        if key not in self._middleware:
            self._middleware[key] = self._middleware_guard(middleware)
        return self._middleware[key]

    def _middleware_guard(self, middleware: Middleware) -> Guard | None:
        if self._facts.names_authentication(middleware.name):
            return Guard(
                AccessLevel.USER, middleware.name, None, "the configuration names it as authentication"
            )
        function = middleware.function
        if function is None or _NO_AUTHENTICATION.search(_last(middleware.name)):
            return None
        functions = [function]
        if middleware.cls is not None:
            functions = [f for f in middleware.cls.functions if f.name != "__init__"]
        reads = next((r for f in functions if (r := self._reads_credential(f))), "")
        about_auth = (
            _CREDENTIAL.search(middleware.name)
            or _CREDENTIAL.search(reads)
            or self._names_credential(functions)
        )
        if reads and about_auth and any(self.refuses(f) or _answers_refusal(f) for f in functions):
            return Guard(AccessLevel.USER, middleware.name, None, f"middleware {reads} and refuses")
        return None

    def _names_credential(self, functions: list[Function]) -> bool:
        """`request.headers.get("Authorization")`: the header's name tells what is read."""
        for function in functions:
            for site in function.facts.calls_named("get"):
                name = self._program.constants.string(argument(site.node, 0), function)
                if name and _CREDENTIAL.search(name):
                    return True
            for site in function.facts.sites(ir.Subscript):
                key = site.node.slice
                if (
                    key.__class__ is ir.Constant
                    and isinstance(key.value, str)
                    and _CREDENTIAL.search(key.value)
                ):
                    return True
        return False

    def passage(self, middleware: Middleware, path: str, method: str = "GET", kind: str = "http") -> Passage:
        """What a middleware does with a path: test the caller, or let it pass."""
        key = (id(middleware), path, method, kind)
        if key not in self._passages:
            self._passages[key] = self._judge.passage(middleware, path, method, kind)
        return self._passages[key]


def _answers_refusal(function: Function) -> bool:
    """A response with 401 or 403 is made somewhere in the body."""
    return any(status_argument(site.node) is not None for site in function.facts.calls)


def _tested(site: Site) -> bool:
    """Not in an `except`: what is raised there reports a failure, it does not test a caller."""
    return site.context.inside("handler") is None


def _with_inner(function: Function) -> Iterator[Function]:
    """A function and the functions in it, as deep as a decorator with arguments nests."""
    yield function
    for inner in function.functions:
        yield from _with_inner(inner)


def _provider_name(provider: ir.Expr | None) -> str:
    """The last name of what stands in `Depends(...)`."""
    if provider is None:
        return ""
    return last_name(provider.func if provider.__class__ is ir.Call else provider)


def _compares_secrets(node: ir.Node | None) -> bool:
    """`if not hmac.compare_digest(expected, given):`"""
    test = node.test if isinstance(node, ir.If | ir.Branch) else None
    if isinstance(test, ir.UnaryOp) and test.op == "not":
        test = test.operand
    return isinstance(test, ir.Call) and last_name(test.func) == "compare_digest"


def _status_by_name(expr: ir.Expr | None) -> int | None:
    """401 for `status.HTTP_401_UNAUTHORIZED` or `HTTPStatus.UNAUTHORIZED`."""
    name = last_name(expr) if expr is not None else ""
    found = re.match(r"HTTP_(\d{3})_", name)
    if found:
        return int(found[1])
    return {"UNAUTHORIZED": 401, "FORBIDDEN": 403, "NOT_FOUND": 404, "CONFLICT": 409, "BAD_REQUEST": 400}.get(
        name
    )


def _names_in(expr: Any) -> Iterator[str]:
    """Names, attributes and called names of a condition."""
    stack: list[Any] = [expr]
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
    stack: list[Any] = [*call.args, *(k.value for k in call.keywords)]
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
