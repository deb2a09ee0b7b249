"""Which operations are meant for strangers, and which ask who is calling in a way that no guard shows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from fnmatch import fnmatch

from fastapi_architect.analyses.effects import effects
from fastapi_architect.analyses.local_operations import is_local_only
from fastapi_architect.analyses.source_text import comments_of
from fastapi_architect.appgraph.applications import Application
from fastapi_architect.appgraph.dependencies import Dependency
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.middleware import Middleware
from fastapi_architect.appgraph.path_operations import PathOperation
from fastapi_architect.appgraph.question import question
from fastapi_architect.appgraph.schemas import read_schema
from fastapi_architect.appgraph.security import AccessLevel
from fastapi_architect.concepts.identity import (
    PasswordVerify,
    SecretComparison,
    SignatureVerification,
    TokenDecode,
)
from fastapi_architect.program.definitions import Class, Function, last_name
from fastapi_architect.program.types import Instance, Type, options
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.syntax import ir

#: Paths and names of operations that a stranger has to reach: signing in and up, resets, webhooks, probes.
_PUBLIC = lazy_pattern(
    r"log[-_]?in|sign[-_]?(in|up)|log[-_]?out|regist|(runtime|client|public)[-_]?config|create[-_]?account|(?<!test[-_])token|refresh|oauth|sso|saml|oidc|"
    r"callback|forgot|reset|recover|verif|confirm|activat|invit|claim|exchange|webhook|hook|public|csp|captcha|well-known|preflight|first[-_]?install|setup|"
    r"anonymous|unsubscribe|contact|inquir|enquir|(^|[/_-])apply([/_-]|$)|feedback|newsletter|subscribe|waitlist|share|consent|otp|two[-_]?factor|2fa|"
    r"magic[-_]?link|authenticat|/auth/?$|pair|beacon|telemetry|track|event[-_]?ingest|demo[-_]",
    re.IGNORECASE,
)
#: Words of what a load balancer, a monitor or a browser looks at: with a method that only reads, and no other.
_PROBE = lazy_pattern(r"health|ready|readiness|liveness|ping|version|metrics|docs|openapi", re.IGNORECASE)
#: Words for who is calling, in the names of a dependency and of what receives it.
_CALLER = lazy_pattern(r"(^|_)(user|principal|identity|account|member|claims|caller)(_|$)", re.IGNORECASE)
_PROOFS = (PasswordVerify, SecretComparison, SignatureVerification, TokenDecode)


#: What a docstring says of an operation that is open on purpose.
_SAID = lazy_pattern(
    r"no auth\w* (is )?(required|needed|necessary)|without (any )?auth|unauthenticated|not require (any )?auth|"
    r"publicly (accessible|available)|public (end ?point|route|api)\b|(endpoint|route) is public",
    re.IGNORECASE,
)


#: Names of decorators that declare an operation open.
_DECLARED = lazy_pattern(
    r"(^|_)(public|anonymous|unauthenticated|no_?auth|without_auth|allow_any|(auth|login)_exempt)(_|$)",
    re.IGNORECASE,
)


def is_public_by_nature(operation: PathOperation) -> bool:
    """Its path, its handler's name, docstring or decorator says that strangers have to reach it (login, webhook ...)."""
    if operation.handler is not None and any(
        _DECLARED.search(last_name(d.func if d.__class__ is ir.Call else d))
        for d in operation.handler.node.decorators
    ):
        return True
    handler = operation.handler.name if operation.handler is not None else operation.handler_name
    said = operation.handler.node.docstring if operation.handler is not None else ""
    names = f"{operation.path} {handler}"
    if not operation.is_write and _PROBE.search(names):
        return True
    return bool(_PUBLIC.search(operation.path) or _PUBLIC.search(handler) or _SAID.search(said or ""))


#: What somebody says in a docstring or a comment who means it; what is still to be done, or denied, is not meant.
_MEANT = lazy_pattern(
    r"\bpublic(ly)?\b|unauthenticated|without (any )?(auth|log|permission)|\bno[t]? (auth|permission|log-?in)|anonymous|"
    r"anyone|anybody|data subject|(extern|open)\w* (access|reach|availab)|\bopen to (all|every)",
    re.IGNORECASE,
)
_UNDONE = lazy_pattern(r"\b(todo|fixme|xxx|hack|should|must|(not|never) (intended|meant))\b", re.IGNORECASE)
_PASSWORD = lazy_pattern(r"^(new_?|plain_?|raw_?)?(password|passwd|pwd)_?1?$", re.IGNORECASE)
_IDENTITY = lazy_pattern(r"e_?mail|user_?name|nick_?name|login|phone|^name$|handle", re.IGNORECASE)
#: What nobody may give himself.
_AUTHORITY = lazy_pattern(
    r"admin|super_?user|staff|role|permission|privilege|scope|access_?level|group|tenant|is_(active|verified|root|owner)",
    re.IGNORECASE,
)
_ACCOUNT = lazy_pattern(
    r"user|account|member|customer|profile|player|subscriber|people|person", re.IGNORECASE
)


def seems_meant_for_strangers(operation: PathOperation, graph: AppGraph) -> bool:
    """Its docstring or a comment says so in some words, or somebody makes an account for himself here.

    Less sure than `is_public_by_nature`: reasons to doubt a finding, not to be silent.
    """
    if operation.handler is None:
        return False
    said = [operation.handler.node.docstring or "", *comments_of(graph, operation.handler)]
    if any(_MEANT.search(each) and not _UNDONE.search(each) for each in said):
        return True
    return _is_self_registration(operation, graph)


def _is_self_registration(operation: PathOperation, graph: AppGraph) -> bool:
    """`POST /users` with a name and a password of one's own, and nothing that says what the account may do."""
    if operation.methods != ("POST",) or operation.path_names:
        return False
    if not _ACCOUNT.search(operation.path) and not _ACCOUNT.search(operation.handler_name):
        return False
    fields = [
        name for p in operation.parameters if p.is_input for name in _field_names(p.type, graph) or (p.name,)
    ]
    return (
        any(_PASSWORD.search(name) for name in fields)
        and any(_IDENTITY.search(name) for name in fields)
        and not any(_AUTHORITY.search(name) for name in fields)
    )


def _field_names(of: Type | None, graph: AppGraph) -> tuple[str, ...]:
    """Names of what a model of the program takes; none for other types."""
    for option in options(of):
        if isinstance(option, Instance) and isinstance(option.cls, Class):
            schema = read_schema(graph.program, option.cls)
            return tuple(field.name for field in schema.fields) if schema is not None else ()
    return ()


class CallerQuestions:
    """Answers about one graph, each computed once."""

    def __init__(self, graph: AppGraph) -> None:
        self._graph = graph
        self._proofs: dict[int, str] = {}

    def proof_in_body(self, operation: PathOperation) -> str:
        """What the handler verifies itself (a password, a signature, a token); "" when nothing."""
        key = id(operation)
        if key not in self._proofs:
            found = ""
            for function in effects(self._graph).of_handler(operation).functions:
                found = next((p.__name__ for p in _PROOFS if self._graph.within(p, function)), "")
                if found:
                    break
            self._proofs[key] = found
        return self._proofs[key]

    def refuses_strangers(self, operation: PathOperation) -> bool:
        """A function refuses whom a dependency, whose body is not known, does not hand it: `user = Depends(auth0.get_user)`."""
        asking = [(d.function, d.dependencies) for d in operation.all_dependencies()]
        return any(
            function is not None
            and any(_hands_caller(each) for each in given)
            and self._graph.guards.refuses(function)
            for function, given in (*asking, (operation.handler, operation.dependencies))
        )

    def has_guarded_twin(self, operation: PathOperation, application: Application) -> bool:
        """`POST /orders` beside a guarded `POST /orders/authenticated` with the same body is meant for strangers."""
        bodies = _bodies(operation)
        return bool(bodies) and any(
            twin.methods == operation.methods
            and twin.path.startswith(f"{operation.path.rstrip('/')}/")
            and "{" not in twin.path[len(operation.path) :]
            and _bodies(twin) == bodies
            and self._graph.access(twin).authenticated
            for twin in application.operations
        )

    def guarded_elsewhere(self, operation: PathOperation, application: Application) -> bool:
        """A gateway that the configuration names, a twin, or middleware of the application it is mounted in, asks; or
        production does not have it.
        """
        if self.has_guarded_twin(operation, application) or is_local_only(operation, self._graph):
            return True
        patterns = self._graph.project.gateway.get("authentication", ())
        if any(fnmatch(operation.path, pattern) for pattern in patterns):
            return True
        if any(self._backend_asks(m, operation.path) for m in application.middleware):
            return True
        if not application.mounted:
            return False
        for outer in self._graph.applications:
            mount = next(
                (m for m in outer.mounts if m.application is not None and _same(m.application, application)),
                None,
            )
            if mount is None:
                continue
            for middleware in outer.middleware:
                guards = self._graph.guards
                if guards.of_middleware(middleware) is None:
                    continue
                if (
                    guards.passage(middleware, mount.path + operation.path, operation.methods[0]).kind
                    == "checked"
                ):
                    return True
        return False

    def _backend_asks(self, middleware: Middleware, path: str) -> bool:
        """Starlette's `AuthenticationMiddleware`, whose backend refuses and names no path that this one could be."""
        cls = backend_of(middleware, self._graph)
        method = cls.methods.get("authenticate") if cls is not None else None
        if method is None or not self._graph.guards.refuses(method):
            return False
        return not any(_may_be_meant(text, path) for text in self._texts_of(method))

    def _texts_of(self, function: Function) -> Iterator[str | None]:
        """Texts of the conditions of a function; None for what it compares with and is not known."""
        for site in (*function.facts.sites(ir.If), *function.facts.sites(ir.Return)):
            stack: list[ir.Node | None] = [site.node.test if site.node.__class__ is ir.If else None]
            while stack:
                node = stack.pop()
                if node is None:
                    continue
                if isinstance(node, ir.Constant) and node.kind == "str":
                    yield str(node.value)
                elif isinstance(node, ir.Compare):
                    stack.append(node.left)
                    stack += node.comparators
                elif isinstance(node, ir.BoolOp | ir.Sequence):
                    stack += node.values if isinstance(node, ir.BoolOp) else node.elts
                elif isinstance(node, ir.UnaryOp):
                    stack.append(node.operand)
                elif isinstance(node, ir.Call):
                    stack += node.args
                elif isinstance(node, ir.Name):
                    yield from self._texts_named(node, function)

    def _texts_named(self, node: ir.Name, function: Function) -> Iterator[str | None]:
        if function.parameter(node.id) is not None or node.id in function.facts.bindings:
            return
        value = self._graph.program.constants.value(node, function)
        if isinstance(value, str):
            yield value
        elif isinstance(value, list | tuple | set | frozenset) and all(isinstance(v, str) for v in value):
            yield from value
        else:
            yield None


def _hands_caller(dependency: Dependency) -> bool:
    """A library's dependency that is named for who is calling, and reads nothing that stands in the path or the query."""
    names = (dependency.name.rpartition(".")[2], dependency.parameter_name)
    return (
        dependency.function is None
        and not dependency.name.startswith("fastapi.")
        and not dependency.parameters
        and any(_CALLER.search(name) for name in names)
    )


def backend_of(middleware: Middleware, graph: AppGraph) -> Class | None:
    """The class of `AuthenticationMiddleware(backend=...)`; None for other middleware and what is not known."""
    given = middleware.keywords.get("backend")
    if given is None or middleware.name.rpartition(".")[2] != "AuthenticationMiddleware":
        return None
    for of in options(graph.program.inference.type_of(given, middleware.scope)):
        if isinstance(of, Instance) and isinstance(of.cls, Class):
            return of.cls
    return None


def _may_be_meant(text: str | None, path: str) -> bool:
    """A path, the beginning of one, or a pattern of one, that the operation's path could fit."""
    if text is None:
        return True
    start = re.split(r"[\\\[\](){}*+?.$|]", text.lstrip("^"))[0]
    if not text.lstrip("^").startswith("/"):
        return False
    known = path.partition("{")[0]
    return known.startswith(start) or ("{" in path and start.startswith(known))


def _bodies(operation: PathOperation) -> list[Type | None]:
    return [p.type for p in operation.all_parameters() if p.kind == "body"]


def _same(mounted: object, application: Application) -> bool:
    return getattr(mounted, "creation", None) is application.object.creation


def guard_of(graph: AppGraph, application: Application, level: AccessLevel = AccessLevel.USER) -> str:
    """Name of the dependency that guards most of an application's operations; "" when there is none."""
    names: Counter[str] = Counter()
    for operation in application.operations:
        for guard in graph.access(operation).guards:
            dependency = guard.dependency
            if dependency is not None and dependency.function is not None and guard.level >= level:
                names[dependency.function.name if dependency.cls is None else dependency.cls.name] += 1
    return names.most_common(1)[0][0] if names else ""


@question
def callers_of(graph: AppGraph) -> CallerQuestions:
    """The answers about a graph."""
    return CallerQuestions(graph)
