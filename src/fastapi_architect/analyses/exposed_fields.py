"""Which secrets an answer carries: fields of what an operation gives out, through lists, unions and nested models."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import msgspec

from fastapi_architect.analyses.class_schemas import schema_of
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.path_operations import PathOperation
from fastapi_architect.appgraph.question import question
from fastapi_architect.appgraph.schemas import SchemaField, specialised_fields
from fastapi_architect.program.definitions import Class, Function, last_name
from fastapi_architect.program.types import Coroutine, Instance, Type, options
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.source.location import Location
from fastapi_architect.syntax import ir

#: What nobody outside may see, whoever asks.
SECRET = lazy_pattern(
    r"^((hashed|encrypted|user|current|old|new|plain|db|login)_?)?(password|passwd|passphrase|pwd)"
    r"(_?(hash|hashed|digest|salt|encrypted))?$|^(hash|salt)(ed)?_password$|^hashed_pw$|"
    r"^(totp|otp|mfa|two_factor|2fa)_?(secret|seed|key)$|^ssn$|^social_security_number$|^private_key$|^secret_key$|"
    r"^pin_hash$|^(recovery|backup)_codes?$|^cvv2?$|^card_number$|^secret_hash$",
    re.IGNORECASE,
)
#: What is given out once at most, when it is made.
ONCE = lazy_pattern(
    r"^(api_key|client_secret|webhook_secret|signing_secret|(password_)?reset_token|verification_token|session_token)$",
    re.IGNORECASE,
)
#: Fields of a nested model that hold the secret itself: `value`, `api_key`, `secret`, `plain_text`, `hashed`.
_HOLDS = lazy_pattern(
    r"(^|_)(value|key|secret|token|password|passwd|pwd|hash(ed)?|digest|raw|plain\w*|content|data|text|code)(_|$)",
    re.IGNORECASE,
)
#: Fields of the application's own settings that hold what it signs in with elsewhere: `openai_api_key`, `smtp_password`.
_CONFIGURED = lazy_pattern(
    r"(^|_)(api_?key|secret(_key)?|password|passwd|(auth|access|api|bot)_token|private_key|access_key)$",
    re.IGNORECASE,
)
_HARMLESS_TYPES = frozenset({
    "builtins.bool", "builtins.int", "builtins.float", "builtins.None", "datetime.datetime", "datetime.date",
    "pydantic.SecretStr", "pydantic.SecretBytes", "pydantic.types.SecretStr", "pydantic.types.SecretBytes",
})  # fmt: skip
_MAX_DEPTH = 4


class ExposedField(msgspec.Struct, frozen=True):
    """A secret field in an answer.

    Attributes:
        name: the field.
        path: how it is reached, from the answer inwards: `items.owner.hashed_password`.
        owner: the class that has it.
        location: where it is declared.
        always_secret: nobody outside may see it; otherwise it may be shown once, when it is made.
        configured: it belongs to the settings of the application, which its administrators may see.
    """

    name: str
    path: str
    owner: Class
    location: Location
    always_secret: bool
    configured: bool = False


class ExposureReader:
    """Fields of types, each type read once."""

    def __init__(self, graph: AppGraph) -> None:
        self._graph = graph
        self._models = {id(m.cls): m for m in graph.models}
        self._known: dict[Type, tuple[ExposedField, ...]] = {}
        self._settings = {id(each.cls): each.schema for each in graph.settings.classes}

    def secrets_in(self, of: Type | None) -> tuple[ExposedField, ...]:
        """Secret fields that serialising a value of this type writes out."""
        if of is None:
            return ()
        if of not in self._known:
            self._known[of] = tuple(self._secrets(of, "", 0, frozenset()))
        return self._known[of]

    def _secrets(
        self, of: Type | None, path: str, depth: int, seen: frozenset[int]
    ) -> Iterator[ExposedField]:
        if depth > _MAX_DEPTH:
            return
        for option in options(of):
            if not isinstance(option, Instance):
                continue
            if isinstance(option.cls, Class):
                if id(option.cls) not in seen:
                    yield from self._of_class(option, option.cls, path, depth, seen | {id(option.cls)})
            elif _is_container(option.name):
                for argument in option.args:
                    yield from self._secrets(argument, path, depth + 1, seen)

    def _of_class(
        self, of: Instance, cls: Class, path: str, depth: int, seen: frozenset[int]
    ) -> Iterator[ExposedField]:
        settings = id(cls) in self._settings
        schema = self._settings[id(cls)] if settings else schema_of(cls, self._graph)
        if schema is None:
            model = self._models.get(id(cls))
            for column in model.table.columns if model is not None else ():
                name = column.attribute or column.name
                kind = _kind(name)
                if kind and not _is_harmless(column.python_type):
                    yield ExposedField(name, f"{path}{name}", cls, column.location, kind == "secret")
            return
        hidden = _serialised_otherwise(cls)
        for field in specialised_fields(schema, of):
            if field.excluded or field.name in hidden or "*" in hidden:
                continue
            configured = settings and bool(_CONFIGURED.search(field.name))
            kind = "secret" if configured else _kind(field.name)
            if kind and not self._tells_nothing(field.type) and not _is_computed_mask(field):
                yield ExposedField(
                    field.name, f"{path}{field.name}", cls, field.location, kind == "secret", configured
                )
            elif not kind:
                yield from self._secrets(field.type, f"{path}{field.name}.", depth + 1, seen)

    def _tells_nothing(self, of: Type | None) -> bool:
        """A flag, a number, a time, what prints as stars, or a model that describes a secret and does not hold it."""
        found = [o for o in options(of) if getattr(o, "name", "") != "builtins.None"]
        return bool(found) and all(_is_harmless(o) or self._only_describes(o) for o in found)

    def _only_describes(self, of: Type) -> bool:
        """No text of the model is named for a secret: it shows a preview, a name and dates."""
        schema = (
            schema_of(of.cls, self._graph) if isinstance(of, Instance) and isinstance(of.cls, Class) else None
        )
        if schema is None or not isinstance(of, Instance):
            return False
        fields = [f for f in specialised_fields(schema, of) if not f.excluded]
        return bool(fields) and not any(_HOLDS.search(f.name) and not _is_harmless(f.type) for f in fields)

    def is_row(self, of: Type | None) -> bool:
        """An instance of a mapped class."""
        return any(isinstance(o, Instance) and id(o.cls) in self._models for o in options(of))

    def returned(self, function: Function) -> Iterator[tuple[ir.Return, Type]]:
        """Every `return` of a function with the type of its value; what a coroutine gives when awaited."""
        inference = self._graph.program.inference
        for site in function.facts.sites(ir.Return):
            for option in options(inference.type_of(site.node.value, function)):
                yield site.node, (option.result or option) if isinstance(option, Coroutine) else option


@lru_cache(maxsize=4096)
def _kind(name: str) -> str:
    if SECRET.match(name):
        return "secret"
    return "once" if ONCE.match(name) else ""


def _is_container(name: str) -> bool:
    last = name.rpartition(".")[2].lower()
    return last in (
        "list",
        "dict",
        "set",
        "tuple",
        "frozenset",
        "sequence",
        "iterable",
        "mapping",
        "page",
        "iterator",
    )


def _is_harmless(of: Type | None) -> bool:
    """A flag, a number, a time, or what prints as stars."""
    found = list(options(of))
    return bool(found) and all(getattr(o, "name", "") in _HARMLESS_TYPES for o in found)


def _is_computed_mask(field: SchemaField) -> bool:
    return field.is_computed


def _serialised_otherwise(cls: Class) -> set[str]:
    """Fields with a serializer of their own; "*" when the model has one."""
    found: set[str] = set()
    for method in cls.functions:
        for decorator in method.node.decorators:
            func: Any = decorator.func if decorator.__class__ is ir.Call else decorator
            name = last_name(func)
            if name == "model_serializer":
                found.add("*")
            elif name in ("field_serializer", "serializer") and decorator.__class__ is ir.Call:
                found |= {str(a.value) for a in decorator.args if a.__class__ is ir.Constant}
    return found


def left_out(operation: PathOperation, graph: AppGraph) -> tuple[frozenset[str], frozenset[str]]:
    """Names that `response_model_exclude` takes out, and those that `response_model_include` keeps (empty: all)."""
    scope = operation.registration[1]
    found = []
    for keyword in ("response_model_exclude", "response_model_include"):
        value = graph.program.constants.value(operation.keywords.get(keyword), scope)
        names = value if isinstance(value, list | tuple) else value.keys() if isinstance(value, dict) else ()
        found.append(frozenset(str(n) for n in names))
    return found[0], found[1]


@question
def exposure(graph: AppGraph) -> ExposureReader:
    """The reader of a graph."""
    return ExposureReader(graph)
