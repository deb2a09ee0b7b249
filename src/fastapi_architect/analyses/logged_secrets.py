"""Which secrets are written into the log?

A secret is known by the name it is read by (`password`, `settings.api_key`, `headers["Authorization"]`), by what unwraps it
(`get_secret_value`), or by the fields of the object that is written out. What is masked, cut, counted or compared before is
no secret, and neither is a name for one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

import msgspec

from fastapi_architect.analyses.class_schemas import schema_of
from fastapi_architect.analyses.logging_branches import (
    has_another_shape,
    is_nothing_there,
    is_shown_once,
    is_switched_off,
    was_refused,
)
from fastapi_architect.analyses.made_of import Piece, holder_of, pieces
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.question import question, question_about
from fastapi_architect.appgraph.schemas import SchemaField
from fastapi_architect.concepts.logging import LogRecord
from fastapi_architect.dataflow.clean_types import CleanTypes
from fastapi_architect.program.definitions import Binding, Class, Function, Scope, last_name
from fastapi_architect.program.types import ClassRef, FunctionRef, Instance, ModuleRef, Type, options
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.syntax import ir
from fastapi_architect.syntax.walking import walk

#: Names that leave no doubt, as a whole or behind an underscore.
_SECRET = lazy_pattern(
    r"^(\w*_)?(password|passwd|passphrase|pwd|secret|secret_?key|client_?secret|private_?key|signing_key|encryption_key|"
    r"api_?key|secret_access_key|(access|refresh|id|auth|bearer|session|reset|api|jwt|verification|invite|login|user|admin|bot|"
    r"webhook)_token|jwt|authorization|otp|otp_code|passcode|cvv|card_number|ssn)$",
    re.IGNORECASE,
)
#: As likely an object as a text, unless it says whose.
_ANY_SECRET = lazy_pattern(
    r"(?<!client)(?<!app)(?<!jwt)(?<!webhook)(?<!signing)(?<!api)(^|_)secret$|^secret$", re.IGNORECASE
)
#: What goes with such a name and is none: a hash, a flag, a number, where it is read from.
_NO_SECRET = lazy_pattern(
    r"(^|_)(type|kind|hash(ed)?|encrypted|masked|redacted|has|is|no|use|uses|with|require[sd]?|needs|max|min|num|total|public|test|invalid|"
    r"missing|show|csrf|dummy|default|from|sanitized|safe|short|truncated|partial|hidden|defined)_|^(no|has|is)[A-Z]",
    re.IGNORECASE,
)
#: A name for something, and whatever it is called by where it comes from.
_LABEL = lazy_pattern(
    r"(^|_)(name|id|ids|path|file|type|kind|status|count|by|email|at|label|title|field|prefix|model|method|code|version|"
    r"length)$",
    re.IGNORECASE,
)
_DEVELOPMENT = lazy_pattern(r"develop|is_dev|debug|is_local|mock|console", re.IGNORECASE)
_TOKEN = lazy_pattern(r"^(\w+_)?token$", re.IGNORECASE)
_NO_TOKEN = lazy_pattern(
    r"(page|next|eos|bos|pad|stop|max|num|special|cancel\w*|continuation|sync|first|last|current|sub)_token$",
    re.IGNORECASE,
)
_ABOUT_ACCESS = lazy_pattern(
    r"auth|login|jwt|session|verif|reset|invite|account|security|oauth|credential|bearer", re.IGNORECASE
)
#: Functions after which nobody can read the secret.
_HIDES = lazy_pattern(
    r"mask|redact|saniti|scrub|obfus|hide|hash|digest|fingerprint|truncat|shorten|censor|encrypt|anonymi|safe|strip_secret|^len$|"
    r"^bool$|^type$|^id$|^keys$|^count$|^any$|^all$|^isinstance$|^sum$|^int$|^set$|^sorted$|^min$|^max$|^round$|^abs$|^float$|^range$|^time$|^now$|^monotonic$|^perf_counter$|^verify|^check|^is_|^has_|^compare|^validate",
    re.IGNORECASE,
)
#: Attributes that may be objects with secrets in them.
_MAY_HOLD = lazy_pattern(
    r"config|setting|cred|login|payload|body|data|provider|user|account|auth|conn|__dict__", re.IGNORECASE
)
_NUMBERS = frozenset({"int", "float", "bool", "UUID", "datetime", "date", "timedelta", "Decimal", "Path"})
_READS = frozenset({"get", "getenv", "pop", "getlist", "setdefault"})
_DUMPS = frozenset({"model_dump", "dict", "model_dump_json", "json", "asdict", "vars"})
_OBJECTS = frozenset({"headers", "cookies"})
_HARMLESS_TYPES = frozenset({
    "pydantic.SecretStr", "pydantic.SecretBytes", "pydantic.types.SecretStr", "pydantic.types.SecretBytes",
    "starlette.datastructures.Secret",
})  # fmt: skip
_NOT_WRITTEN = frozenset(
    {"exc_info", "stack_info", "stacklevel", "exception", "sep", "end", "file", "flush", "style", "color"}
)


@lru_cache(maxsize=4096)
def kind_of_name(name: str) -> str:
    """What a name says of its value: secret, token (one where it is about access), label (a name, a number, a time), or "" (nothing)."""
    if _SECRET.search(name):
        kind = "token" if _ANY_SECRET.search(name) else "secret"
        return "label" if _NO_SECRET.search(name) else kind
    if _TOKEN.search(name) and not _NO_TOKEN.search(name) and not _NO_SECRET.search(name):
        return "token"
    return "label" if _LABEL.search(name) else ""


@lru_cache(maxsize=1024)
def _hides_by_name(function: str) -> bool:
    return bool(_HIDES.search(function))


class LoggedSecret(msgspec.Struct, frozen=True, eq=False):
    """A secret in a record of the log.

    Attributes:
        record: where it is written.
        piece: what is secret in it, and the calls between.
        name: the secret in the reader's words: `password`, `Authorization`.
        what: value, unwrapped, headers, cookies, object or settings.
        owner: class of the object that is written out with the secret, None for others.
    """

    record: LogRecord
    piece: Piece
    name: str
    what: str
    owner: Class | None = None


@question
def logged_secrets(graph: AppGraph) -> tuple[LoggedSecret, ...]:
    """Every record with a secret in it, in order of files; one secret for each record."""
    reader = _reader(graph)
    found = (reader.of(record) for record in graph.facts(LogRecord) if record.scope.module.kind == "source")
    return tuple(each for each in found if each is not None)


def credential_in(graph: AppGraph, value: ir.Expr, scope: Scope) -> tuple[Piece, str] | None:
    """A credential itself, no object that holds one, that a value is made of: the piece and its name."""
    found = _reader(graph).inside(value, scope)
    return found[:2] if found is not None and found[2] in ("value", "unwrapped") else None


class _Reader:
    """Judges the pieces of what is logged."""

    def __init__(self, graph: AppGraph) -> None:
        self._graph = graph
        self._inference = graph.program.inference
        self._clean = CleanTypes(self._inference.hierarchy)
        self._settings = {id(each.cls): each for each in graph.settings.classes}

    def of(self, record: LogRecord) -> LoggedSecret | None:
        """The first secret of a record."""
        if record.level == "print" and not (
            isinstance(record.scope, Function) and self._graph.entries(record.scope)
        ):
            return None
        for value in _written(record):
            found = self.inside(value, record.scope, record)
            if found is not None:
                return LoggedSecret(record, *found)
        return None

    def inside(
        self, value: ir.Expr, scope: Scope, record: LogRecord | None = None
    ) -> tuple[Piece, str, str, Class | None] | None:
        """The first secret that a value is made of: the piece, its name, its kind and the object's class."""
        if value.__class__ is ir.Constant or _is_plainly_none(value, scope):
            return None
        for piece in pieces(self._graph, value, scope, self.is_secret):
            what = self._what(piece)
            if what is None or _is_placeholder(piece, self._graph):
                continue
            if record is None or not self._is_empty(record, piece, what[1]):
                return piece, *what
        return None

    def _is_empty(self, record: LogRecord, piece: Piece, what: str) -> bool:
        """Where the record is written, the name holds nothing, or no object of its type."""
        name = piece.expr.id if isinstance(piece.expr, ir.Name) else ""
        if not name or piece.hops:
            return False
        if is_nothing_there(record.site, name):
            return True
        return what == "object" and has_another_shape(self._graph, record.site, name)

    def is_secret(self, piece: Piece) -> bool | None:
        """What `made_of` asks of each piece."""
        expr = piece.expr
        kind = expr.__class__
        if kind in (ir.Constant, ir.Compare, ir.UnaryOp, ir.Lambda):
            return False
        if kind is ir.Subscript and expr.slice.__class__ is ir.Slice:
            return False
        if kind is ir.Call and (_hides_by_name(last_name(expr.func)) or _puts_stars(expr)):
            return False
        name = last_name(expr)
        if name and kind_of_name(name) == "label":
            return False  # most of what is logged
        if kind is ir.Name or kind is ir.Attribute or kind is ir.Subscript or kind is ir.Call:
            if self._what(piece) is not None:
                return True
            if kind is ir.Attribute or (kind is ir.Name and _is_text_parameter(expr, piece.scope)):
                return False
            return False if name and self._is_harmless(expr, piece.scope) else None
        return None

    def _what(self, piece: Piece) -> tuple[str, str, Class | None] | None:
        """Name, kind and class of a secret; None when the piece is none."""
        expr, scope = piece.expr, piece.scope
        if expr.__class__ is ir.Call:
            return self._of_call(expr, scope)
        if expr.__class__ is ir.Subscript:
            key = expr.slice.value if isinstance(expr.slice, ir.Constant) else None
            return self._of_key(key) if isinstance(key, str) else None
        name = last_name(expr)
        judged = self._of_name(name, scope)
        if judged is not None:
            harmless = (
                self._is_harmless(expr, scope) or _is_hidden(expr, scope) or self._is_member(expr, scope)
            )
            return None if harmless else judged
        if expr.__class__ is ir.Attribute and name in _OBJECTS:
            request = self._is_request(expr.value, scope)
            return ("Authorization" if name == "headers" else "cookies", name, None) if request else None
        if expr.__class__ is ir.Attribute and not _MAY_HOLD.search(name):
            return None
        return self._of_object(expr, scope)

    def _is_member(self, expr: ir.Expr, scope: Scope) -> bool:
        """A constant of a class or module: `Grant.password`, `urls.TOKEN`."""
        if not isinstance(expr, ir.Attribute):
            return False
        types = options(self._inference.type_of(expr.value, scope))
        return any(isinstance(of, ClassRef) for of in types)

    def _of_name(self, name: str, scope: Scope) -> tuple[str, str, Class | None] | None:
        kind = kind_of_name(name)
        if kind == "secret":
            return name, "value", None
        if kind == "token" and _ABOUT_ACCESS.search(f"{scope.full_name} {name}"):
            return name, "value", None
        return None

    def _of_key(self, key: str) -> tuple[str, str, Class | None] | None:
        plain = key.lower().replace("-", "_").removeprefix("x_")
        if plain in ("cookie", "set_cookie", "proxy_authorization"):
            return key, "value", None
        return (key, "value", None) if _SECRET.search(plain) and not _NO_SECRET.search(plain) else None

    def _of_call(self, call: ir.Call, scope: Scope) -> tuple[str, str, Class | None] | None:
        name = last_name(call.func)
        if name == "get_secret_value" and isinstance(call.func, ir.Attribute):
            return last_name(call.func.value) or "the secret", "unwrapped", None
        if name in _READS and call.args and isinstance(call.args[0], ir.Constant):
            key = call.args[0].value
            return self._of_key(key) if isinstance(key, str) else None
        if name in _DUMPS:
            if any(k.arg in ("include", "exclude") for k in call.keywords):
                return None
            inner = call.func.value if isinstance(call.func, ir.Attribute) else next(iter(call.args), None)
            return self._of_object(inner, scope) if inner is not None else None
        return None

    # ── objects that are written out ─────────────────────────────────────────────────────────────────────────────

    def _of_object(self, expr: ir.Expr, scope: Scope) -> tuple[str, str, Class | None] | None:
        for of in options(self._inference.type_of(expr, scope)):
            if not isinstance(of, Instance) or not isinstance(of.cls, Class):
                continue
            name = _secret_field(self._graph, of.cls)
            if name:
                kind = "settings" if id(of.cls) in self._settings else "object"
                return name, kind, of.cls
        return None

    def _is_request(self, expr: ir.Expr, scope: Scope) -> bool:
        types = options(self._inference.type_of(expr, scope))
        names = [of.name for of in types if isinstance(of, Instance)]
        if names:
            return any(name.startswith(("starlette.", "fastapi.")) for name in names)
        return last_name(expr) == "request" and not types

    def _is_harmless(self, expr: ir.Expr, scope: Scope) -> bool:
        of = self._inference.type_of(expr, scope)
        return of is not None and (self._clean.is_clean(of) or all(_is_no_text(each) for each in options(of)))


@question
def _reader(graph: AppGraph) -> _Reader:
    """The reader of a graph."""
    return _Reader(graph)


def _is_no_text(of: Type) -> bool:
    if isinstance(of, ClassRef | FunctionRef | ModuleRef):
        return True
    if isinstance(of, Instance) and isinstance(of.cls, Class):
        return True  # judged by its fields
    return isinstance(of, Instance) and (of.name in _HARMLESS_TYPES or of.name == "builtins.None")


@question_about
def _secret_field(graph: AppGraph, cls: Class) -> str:
    """A field with a secret in plain text that an object of the class shows when it is written out; "" when there is none."""
    if any(name in cls.methods for name in ("__repr__", "__str__", "__repr_args__")):
        return ""
    own = next((each.schema for each in graph.settings.classes if each.cls is cls), None)
    schema = own or schema_of(cls, graph)
    if schema is None:
        return ""
    for field in schema.fields:
        if not _SECRET.search(field.name) or _NO_SECRET.search(field.name) or _is_left_out(field):
            continue
        types = [of.name for of in options(field.type) if isinstance(of, Instance)]
        if not types or "builtins.str" in types:
            return field.name
    return ""


def _is_left_out(field: SchemaField) -> bool:
    """`Field(repr=False)`, `Field(exclude=True)`."""
    bindings = field.owner.facts.bindings.get(field.name, ())
    calls = [each.value for each in bindings if isinstance(each.value, ir.Call)]
    return field.excluded or any(k.arg in ("repr", "exclude") for call in calls for k in call.keywords)


def _is_plainly_none(value: ir.Expr, scope: Scope) -> bool:
    """Seen without a question: named for something harmless, an exception, a number, what a function that hides gives."""
    if isinstance(value, ir.Attribute):
        return kind_of_name(value.attr) == "label"
    if isinstance(value, ir.Name):
        kind = kind_of_name(value.id)
        if kind:
            return kind == "label"
        bindings = scope.facts.bindings.get(value.id)
        return bindings is not None and (_is_plainly_bound(bindings[0]) or _is_text_parameter(value, scope))
    if isinstance(value, ir.BinOp):
        return value.op not in ("+", "%", "|")
    return isinstance(value, ir.Call) and _hides_by_name(last_name(value.func))


def _is_text_parameter(name: ir.Name, scope: Scope) -> bool:
    """A parameter that is declared as one text, with a name that says nothing: it holds what its name says."""
    bindings = scope.facts.bindings.get(name.id, ())
    annotation = bindings[0].annotation if len(bindings) == 1 and bindings[0].kind == "parameter" else None
    return annotation is not None and _is_text(annotation)


def _is_text(annotation: ir.Expr) -> bool:
    """`str`, `str | None`, `Optional[str]`."""
    if isinstance(annotation, ir.BinOp):
        return annotation.op == "|" and all(_is_text(side) for side in (annotation.left, annotation.right))
    if isinstance(annotation, ir.Subscript):
        return last_name(annotation.value) == "Optional" and _is_text(annotation.slice)
    is_none = isinstance(annotation, ir.Constant) and annotation.kind == "none"
    return is_none or last_name(annotation) in ("str", "bytes")


def _is_plainly_bound(binding: Binding) -> bool:
    if binding.kind in ("except", "import", "function", "class"):
        return True
    return binding.annotation is not None and last_name(binding.annotation) in _NUMBERS


def _written(record: LogRecord) -> Iterator[ir.Expr]:
    if record.message is not None:
        yield record.message
    yield from record.args
    for keyword in record.keywords:
        if keyword.arg not in _NOT_WRITTEN:
            yield keyword.value


def _is_hidden(expr: ir.Expr, scope: Scope) -> bool:
    """The name holds what a masking function gave, a constant, a flag, or a piece of the secret."""
    found = holder_of(expr.id, scope) if isinstance(expr, ir.Name) else None
    bindings = found[1] if found is not None else []
    if any(binding.kind in ("loop", "comprehension", "import", "from") for binding in bindings):
        return True
    values = [b.value for b in bindings if b.kind in ("assign", "annotated") and b.value is not None]
    return bool(values) and all(_hides(value) for value in values)


def _hides(value: ir.Expr) -> bool:
    if isinstance(value, ir.Constant | ir.Compare | ir.UnaryOp):
        return True
    if isinstance(value, ir.Call):
        return bool(_HIDES.search(last_name(value.func)))
    return any(each.__class__ is ir.Slice for each in walk(value))


def _puts_stars(call: ir.Call) -> bool:
    """`address.replace(password, "***")`."""
    given = call.args[-1].value if call.args and isinstance(call.args[-1], ir.Constant) else None
    return last_name(call.func) in ("replace", "sub") and isinstance(given, str) and "*" in given


def _is_placeholder(piece: Piece, graph: AppGraph) -> bool:
    """A constant of a module that names something: `PASSWORD = "password"`, `urls.TOKEN`."""
    expr, scope = piece.expr, piece.scope
    if isinstance(expr, ir.Attribute):
        types = options(graph.program.inference.type_of(expr.value, scope))
        if not any(isinstance(of, ModuleRef) for of in types):
            return False
    return isinstance(expr, ir.Name | ir.Attribute) and isinstance(
        graph.program.constants.value(expr, scope), str
    )


def is_worthless(secret: LoggedSecret, graph: AppGraph) -> bool:
    """What is written was refused before, or is meant to be read there by whoever sets the service up."""
    name, site = last_name(secret.piece.expr), secret.record.site
    if secret.piece.hops or not isinstance(secret.piece.expr, ir.Name):
        return False
    return was_refused(graph, site, name) or is_shown_once(graph, site, name)


def is_for_development(secret: LoggedSecret, graph: AppGraph) -> bool:
    """Under a switch for development or one that is off by default, or in something that is named for it."""
    record = secret.record
    if is_switched_off(graph, record.site):
        return True
    tests = [getattr(context.node, "test", None) for context in record.site.context if context.role == "if"]
    names = [last_name(node) for test in tests for node in walk(test)]
    return any(_DEVELOPMENT.search(name) for name in (*names, record.scope.full_name))
