"""Which secrets does the code itself hold? A literal is followed through names, settings and environment defaults to
the call that signs, encrypts or verifies with it.

The value is needed to tell placeholders and public keys apart; it never goes into a finding.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from fastapi_architect.analyses.endings import reaches_end
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.question import question, question_about
from fastapi_architect.appgraph.settings import Setting
from fastapi_architect.concepts.cryptography import CipherKey, MessageAuthentication
from fastapi_architect.concepts.identity import TokenDecode, TokenEncode
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.definitions import Binding, Class, Function, Scope, dotted_name, last_name
from fastapi_architect.program.facts import Site
from fastapi_architect.program.types import Instance, options
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.source.location import Location
from fastapi_architect.syntax import ir

_MAX_DEPTH = 12
#: Calls whose result is the same secret in another form: name to position of the secret.
_SAME = {
    "encode": None, "decode": None, "strip": None, "get_secret_value": None, "digest": None, "hexdigest": None,
    "str": 0, "bytes": 0, "bytearray": 0, "SecretStr": 0, "SecretBytes": 0, "Secret": 0,
    "cast": 1, "b64encode": 0, "b64decode": 0,
    "urlsafe_b64encode": 0, "urlsafe_b64decode": 0, "sha256": 0, "sha512": 0, "fromhex": 0, "OctKey": 0, "import_key": 0,
}  # fmt: skip
_READS = {"getenv": 1, "get": 1, "config": 1, "Config": 1, "setdefault": 1, "env": 1}
_PRODUCTION = lazy_pattern(r"(^|_)(prod|production)($|_)", re.IGNORECASE)
_LOCAL = lazy_pattern(r"env|debug|local|develop|test|stage|prod", re.IGNORECASE)
#: Calls that take a signing or client secret: last name to (position, keyword).
_KEYED_CALLS = {
    "JWTStrategy": (0, "secret"), "LoginManager": (0, "secret"), "register": (None, "client_secret"),
    "OAuth2Session": (1, "client_secret"), "AsyncOAuth2Client": (1, "client_secret"), "OAuth2Client": (1, "client_secret"),
    "GoogleOAuth2": (1, "client_secret"), "GitHubOAuth2": (1, "client_secret"), "FacebookOAuth2": (1, "client_secret"),
    "MicrosoftGraphOAuth2": (1, "client_secret"), "OpenID": (1, "client_secret"), "BaseOAuth2": (1, "client_secret"),
}  # fmt: skip


class Origin(msgspec.Struct, frozen=True):
    """The literal that a secret comes from.

    Attributes:
        value: the text; never shown.
        kind: literal (at the use itself), constant, setting (default of a settings class) or environment (default of a read).
        name: what holds it in the reader's words, "" for a literal.
        location: where the literal stands.
    """

    value: str
    kind: str
    name: str
    location: Location

    def __repr__(self) -> str:
        return f"Origin(kind={self.kind!r}, name={self.name!r}, location={self.location!r})"

    @property
    def may_be_replaced(self) -> bool:
        """A deployment can set another value."""
        return self.kind in ("setting", "environment")


class SecretUse(msgspec.Struct, frozen=True):
    """A call that needs a secret, and the literal that it gets.

    Attributes:
        purpose: what the secret does there, in words.
        location: the call.
        origin: where the secret comes from.
        decides_access: whoever knows it can make up sessions or tokens.
        sure: no name had to be guessed.
    """

    purpose: str
    location: Location
    origin: Origin
    decides_access: bool
    sure: bool


@question
def secret_uses(graph: AppGraph) -> tuple[SecretUse, ...]:
    """Every use of a secret whose literal is known, in order of files; tests left out."""
    found = [use for each in _keyed(graph) for use in _with_origins(graph, each)]
    found.sort(key=lambda use: (use.origin.location, use.location))
    return tuple(found)


#: Key, where it is read, the call, its purpose, whether it decides access, whether the call is sure.
_Keyed = tuple[ir.Expr, Scope, Location, str, bool, bool]


def _with_origins(graph: AppGraph, keyed: _Keyed) -> Iterator[SecretUse]:
    key, scope, place, purpose, decides, sure = keyed
    if scope.module.kind == "test":
        return
    for origin in origins(graph, key, scope):
        if "PUBLIC KEY" not in origin.value and "BEGIN CERTIFICATE" not in origin.value:
            yield SecretUse(purpose, place, origin, decides, sure)


def _keyed(graph: AppGraph) -> Iterator[_Keyed]:
    """Key expressions with what they are for."""
    for encode in graph.facts(TokenEncode):
        if encode.key is not None:
            yield encode.key, encode.scope, encode.location, "signs tokens", True, encode.sure
    for decode in graph.facts(TokenDecode):
        if decode.key is not None and decode.verified:
            yield decode.key, decode.scope, decode.location, "verifies tokens", True, decode.sure
    for cipher in graph.facts(CipherKey):
        if cipher.key is not None:
            signs = cipher.scheme == "itsdangerous"
            purpose = "signs values" if signs else "encrypts data"
            yield cipher.key, cipher.scope, cipher.location, purpose, signs, cipher.sure
    for mac in graph.facts(MessageAuthentication):
        if mac.key is not None:
            yield mac.key, mac.scope, mac.location, "signs messages", False, mac.sure
    for application in graph.applications:
        for middleware in application.middleware:
            key = middleware.keywords.get("secret_key")
            if key is not None and middleware.name.endswith("SessionMiddleware"):
                yield key, middleware.scope, middleware.location, "signs session cookies", True, True
    yield from _keyed_by_name(graph)


def _keyed_by_name(graph: AppGraph) -> Iterator[_Keyed]:
    for name, (position, keyword) in _KEYED_CALLS.items():
        for site in graph.program.call_sites_named(name):
            key = argument(site.node, position, keyword)
            if key is None:
                continue
            tokens = keyword == "secret"
            purpose = "signs tokens" if tokens else "is the client secret of an OAuth application"
            yield key, site.scope, site.scope.location(site.node), purpose, tokens, tokens
    for module in graph.program.mentioning("reset_password_token_secret", "verification_token_secret"):
        for cls in module.classes:
            for attribute in ("reset_password_token_secret", "verification_token_secret"):
                for binding in cls.facts.bindings.get(attribute, ()):
                    if binding.value is not None:
                        place = cls.location(binding.node)
                        yield binding.value, cls, place, "signs reset and verification tokens", True, True


# ── where a value comes from ─────────────────────────────────────────────────────────────────────────────────────


def origins(graph: AppGraph, expr: ir.Expr | None, scope: Scope) -> list[Origin]:
    """Literals that `expr` may be; none when it is only known at run time, or refused before it can be used."""
    found: dict[Location, Origin] = {}
    for origin in _Reader(graph).read(expr, scope, "", 0):
        found.setdefault(origin.location, origin)
    return list(found.values())


class _Reader:
    """Follows one expression."""

    def __init__(self, graph: AppGraph) -> None:
        self._graph = graph
        self._inference = graph.program.inference

    def read(self, expr: ir.Expr | None, scope: Scope, name: str, depth: int) -> Iterator[Origin]:
        """Literals behind an expression; `name` is what holds it."""
        if expr is None or depth > _MAX_DEPTH:
            return
        if expr.__class__ is ir.Constant:
            if expr.kind in ("str", "bytes"):
                kind = "constant" if name else "literal"
                yield Origin(str(expr.value), kind, name, scope.location(expr))
        elif expr.__class__ is ir.Call:
            yield from self._call(expr, scope, name, depth)
        elif expr.__class__ is ir.BoolOp and expr.op == "or":
            yield from self._fallback(expr.values[-1], scope, name, depth)
        elif expr.__class__ in (ir.Name, ir.Attribute):
            yield from self._named(expr, scope, depth)

    def _fallback(self, expr: ir.Expr, scope: Scope, name: str, depth: int) -> Iterator[Origin]:
        for origin in self.read(expr, scope, name, depth + 1):
            kind = "environment" if origin.kind in ("literal", "constant") else origin.kind
            yield Origin(origin.value, kind, origin.name or name, origin.location)

    def _call(self, call: ir.Call, scope: Scope, name: str, depth: int) -> Iterator[Origin]:
        called = last_name(call.func)
        if called in _SAME:
            position = _SAME[called]
            own = call.func.value if call.func.__class__ is ir.Attribute else None
            inner = argument(call, position) if position is not None else own
            yield from self.read(inner, scope, name, depth + 1)
            return
        owner = dotted_name(call.func.value) if call.func.__class__ is ir.Attribute else ""
        reads = called in _READS and (called != "get" or owner.endswith(("environ", "config", "env")))
        if reads and call.args:
            default = argument(call, _READS[called], "default")
            variable = self._graph.program.constants.string(call.args[0], scope) or name
            for origin in self.read(default, scope, variable, depth + 1):
                yield Origin(origin.value, "environment", variable or origin.name, origin.location)

    def _named(self, expr: ir.Expr, scope: Scope, depth: int) -> Iterator[Origin]:
        found = self._inference.bindings_of(expr, scope)
        if found is None:
            yield from self._assigned(expr, scope, depth)
            return
        owner, bindings = found
        if isinstance(owner, Class):
            setting = self._setting(owner, last_name(expr))
            if setting is not None:
                yield from self._of_setting(setting)
                return
        for binding in bindings:
            if binding.kind == "parameter" and isinstance(owner, Function):
                yield from self._parameter(binding, owner, depth)
            elif (
                binding.kind in ("assign", "annotated")
                and not binding.path
                and not self._is_local_only(binding, owner)
            ):
                yield from self.read(binding.value, owner, last_name(expr), depth + 1)

    def _assigned(self, expr: ir.Expr, scope: Scope, depth: int) -> Iterator[Origin]:
        """`self.secret`, as `__init__` assigns it."""
        if expr.__class__ is not ir.Attribute:
            return
        for of in options(self._inference.type_of(expr.value, scope)):
            if isinstance(of, Instance) and isinstance(of.cls, Class):
                for value, method in self._inference.attribute_assignments(of.cls, expr.attr)[:3]:
                    yield from self.read(value, method, expr.attr, depth + 1)

    def _parameter(self, binding: Binding, function: Function, depth: int) -> Iterator[Origin]:
        node = binding.node
        assert isinstance(node, ir.Param)
        if binding.value is not None:
            yield from self.read(
                binding.value,
                function.parent or function.module,
                node.name,
                depth + 1,
            )
            return
        if depth > 3:
            return
        names = [p.name for p in function.parameters]
        name = node.name
        if name not in names:
            return
        position = names.index(name) - (1 if function.is_method else 0)
        for site in self._graph.program.calls.callers(function)[:8]:
            if site.scope.module.kind != "test":
                yield from self.read(argument(site.node, position, name), site.scope, "", depth + 4)

    def _setting(self, cls: Class, name: str) -> Setting | None:
        settings = self._graph.settings.of_class(cls)
        return settings.by_name.get(name) if settings is not None else None

    def _of_setting(self, setting: Setting) -> Iterator[Origin]:
        if (
            isinstance(setting.value, str)
            and not setting.refused_by
            and not is_refused(self._graph, setting.name)
        ):
            default = setting.field.default
            place = setting.location if default is None else setting.field.owner.location(default)
            place = Location(
                place.path, setting.location.line, setting.location.column, place.end_line, place.end_column
            )
            yield Origin(setting.value, "setting", f"{setting.field.owner.name}.{setting.name}", place)

    def _is_local_only(self, binding: Binding, owner: Scope) -> bool:
        """Assigned under a test of the environment: `if ENV == "local": KEY = "dev"`."""
        for kind in (ir.Assign, ir.AnnAssign):
            for site in owner.facts.sites(kind):
                if site.node is binding.node:
                    around = [c.node for c in site.context if c.role in ("if", "else")]
                    return any(
                        _LOCAL.search(text) for node in around for text in _words(getattr(node, "test", None))
                    )
        return False


def _words(expr: ir.Expr | None) -> Iterator[str]:
    """Names and literal texts of a condition."""
    stack = [expr]
    while stack:
        current = stack.pop()
        if current.__class__ is ir.Name:
            yield current.id
        elif current.__class__ is ir.Attribute:
            yield current.attr
            stack.append(current.value)
        elif current.__class__ is ir.Constant and isinstance(current.value, str):
            yield current.value
        elif current.__class__ is ir.Compare:
            stack += [current.left, *current.comparators]
        elif current.__class__ is ir.Call:
            stack += [current.func, *current.args]
        elif current.__class__ is ir.BoolOp:
            stack += current.values
        elif current.__class__ is ir.UnaryOp:
            stack.append(current.operand)
        elif current.__class__ is ir.Sequence:
            stack += current.elts


@question_about
def is_refused(graph: AppGraph, name: str) -> bool:
    """Some code raises or exits when the setting `name` has a bad value: a check at start instead of a validator."""
    return any(
        _refuses(graph, scope, name)
        for module in graph.program.mentioning(name)
        if module.kind != "test"
        for scope in (module, *_functions_in(module))
    )


def _functions_in(scope: Scope) -> Iterator[Function]:
    for function in scope.functions:
        yield function
        yield from _functions_in(function)
    for cls in scope.classes:
        yield from _functions_in(cls)


def _refuses(graph: AppGraph, scope: Scope, name: str) -> bool:
    # A refused request is no refused setting: `if key != settings.api_key: raise HTTPException(401)`.
    raised = [site for site in scope.facts.sites(ir.Raise) if not graph.guards.is_refusal(site)]
    ends = [*raised, *scope.facts.calls_named("exit", "_exit", "abort")]
    for site in ends:
        for context in site.context:
            test = getattr(context.node, "test", None) if context.role in ("if", "else") else None
            if test is not None and name in set(_words(test)):
                return True
    return any(name in set(_words(site.node.test)) for site in scope.facts.sites(ir.Assert))


@question_about
def is_compared(graph: AppGraph, name: str) -> bool:
    """Some code compares the setting `name` with something: the application itself checks it."""
    return any(
        _compares(scope, name)
        for module in graph.program.mentioning(name)
        if module.kind != "test"
        for scope in (module, *_functions_in(module))
    )


def is_compared_in(function: Function, name: str) -> bool:
    """A function compares what it holds in a local variable with something that is no constant."""
    return _compares(function, name)


@question_about
def is_read(graph: AppGraph, name: str) -> bool:
    """Some code outside the tests has the attribute `name` of something, or asks for it by `getattr`."""
    return any(
        _reads(scope, name)
        for module in graph.program.modules.values()
        if module.kind != "test"
        for scope in _scopes_in(module)
    )


@question_about
def is_read_in_development_only(graph: AppGraph, name: str) -> bool:
    """Everything that reads the setting `name` stands behind `if settings.is_production(): return ...`, or raises there."""
    read = [
        site
        for module in graph.program.mentioning(name)
        if module.kind != "test"
        for scope in _scopes_in(module)
        for site in scope.facts.sites(ir.Attribute)
        if site.node.attr == name
    ]
    return bool(read) and all(_is_past_production(site) for site in read)


def _is_past_production(read: Site) -> bool:
    return any(
        site.node.span < read.node.span
        and not any(context.node is site.node for context in read.context)
        and not reaches_end(site.node.body)
        and any(_PRODUCTION.search(word) for word in _words(site.node.test))
        for site in read.scope.facts.sites(ir.If)
        if not isinstance(site.node.test, ir.UnaryOp)
    )


#: Methods that write out every field of a model.
_DUMPS = ("model_dump", "model_dump_json", "dict", "json")


def is_read_as_a_whole(graph: AppGraph, settings: Class) -> bool:
    """Some code outside the tests dumps an object of a settings class, or asks it for names known at run time only."""
    inference = graph.program.inference
    for name in (*_DUMPS, "getattr", "vars"):
        for site in graph.program.call_sites_named(name):
            func = site.node.func
            read = func.value if func.__class__ is ir.Attribute else next(iter(site.node.args), None)
            asked = site.node.args[1] if name == "getattr" and len(site.node.args) > 1 else None
            if read is None or site.scope.module.kind == "test" or asked.__class__ is ir.Constant:
                continue
            if asked is not None and getattr(site.scope, "owner", None) is settings:
                continue  # a validator of its own looks whether settings are there
            for of in options(inference.type_of(read, site.scope)):
                cls = of.cls if isinstance(of, Instance) else None
                if isinstance(cls, Class) and any(a.cls is settings for a in inference.hierarchy.order(cls)):
                    return True
    return False


def _reads(scope: Scope, name: str) -> bool:
    if scope.module.mentions(name) and any(s.node.attr == name for s in scope.facts.sites(ir.Attribute)):
        return True
    calls = scope.facts.calls_named("getattr")
    return any(name in set(_words(given)) for site in calls for given in site.node.args)


def _scopes_in(scope: Scope) -> Iterator[Scope]:
    yield scope
    for inner in (*scope.functions, *scope.classes):
        yield from _scopes_in(inner)


def _compares(scope: Scope, name: str) -> bool:
    for site in scope.facts.sites(ir.Compare):
        sides = [site.node.left, *site.node.comparators]
        constant = any(side.__class__ is ir.Constant for side in sides)
        if not constant and any(name in set(_words(side)) for side in sides):
            return True
    calls = scope.facts.calls_named("compare_digest")
    return any(name in set(_words(given)) for site in calls for given in site.node.args)
