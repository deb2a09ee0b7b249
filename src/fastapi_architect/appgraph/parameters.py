"""Parameters of operations and dependencies, classified as FastAPI classifies them.

Follows `fastapi.dependencies.utils.analyze_param` and `get_dependant`: markers in `Annotated` metadata or defaults decide
first, then special types, then the path, then whether the type is a scalar.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from fastapi_architect.appgraph.schemas import SchemaField, read_schema
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.definitions import Class, Function, Scope
from fastapi_architect.program.program import Program
from fastapi_architect.program.types import (
    NONE,
    ClassRef,
    External,
    FunctionRef,
    Instance,
    Type,
    TypeVariable,
    options,
)
from fastapi_architect.source.location import Location
from fastapi_architect.syntax import ir

#: Marker function or class to the kind of parameter it makes.
MARKERS = {
    "fastapi.Path": "path",
    "fastapi.Query": "query",
    "fastapi.Header": "header",
    "fastapi.Cookie": "cookie",
    "fastapi.Body": "body",
    "fastapi.Form": "form",
    "fastapi.File": "file",
}
INJECTIONS = frozenset({"fastapi.Depends", "fastapi.Security"})

#: Types that FastAPI passes in itself, by library class.
SPECIAL = {
    "starlette.requests.Request": "request",
    "starlette.requests.HTTPConnection": "request",
    "starlette.websockets.WebSocket": "websocket",
    "starlette.responses.Response": "response",
    "starlette.background.BackgroundTasks": "background",
    "fastapi.BackgroundTasks": "background",
    "fastapi.security.SecurityScopes": "security-scopes",
    "fastapi.Request": "request",
    "fastapi.WebSocket": "websocket",
    "fastapi.Response": "response",
    "fastapi.requests.HTTPConnection": "request",
}
_UPLOADS = ("fastapi.UploadFile", "starlette.datastructures.UploadFile")
_MODELS = ("pydantic.BaseModel", "pydantic.v1.BaseModel", "sqlmodel.SQLModel", "sqlmodel.main.SQLModel")
_SEQUENCES = frozenset(
    {
        "builtins.list",
        "builtins.set",
        "builtins.frozenset",
        "builtins.tuple",
        "collections.abc.Sequence",
        "collections.abc.MutableSequence",
        "collections.abc.Set",
        "collections.deque",
    }
)
_MAPPINGS = frozenset(
    {
        "builtins.dict",
        "collections.abc.Mapping",
        "collections.abc.MutableMapping",
        "collections.defaultdict",
        "collections.OrderedDict",
    }
)


class Parameter(msgspec.Struct, frozen=True, eq=False):
    """One input of an operation.

    Attributes:
        name: the name in Python.
        alias: the name on the wire.
        kind: path, query, header, cookie, body, form, file; request, websocket, response, background, security-scopes for
            what FastAPI passes in itself.
        required: a request without it is refused with 422.
        annotation: the declared type as written, markers taken off; None when there is none.
        type: what its values may be.
        default: default value as written, None when there is none.
        marker: the `Query(...)`, `Body(...)` ... call, or None.
        scope: where the annotation is read.
        owner: the function or class that declares it; the module that uses it when a library's class does.
        location: where it is declared.
        model: the model whose fields it spreads (`Annotated[Filters, Query()]`), or None.
    """

    name: str
    alias: str
    kind: str
    required: bool
    annotation: ir.Expr | None
    type: Type | None
    default: ir.Expr | None
    marker: ir.Call | None
    scope: Scope
    owner: Scope
    location: Location
    model: Class | None = None

    @property
    def is_input(self) -> bool:
        """It comes from the request and its sender decides its value."""
        return self.kind in ("path", "query", "header", "cookie", "body", "form", "file")


class Declared(msgspec.Struct, frozen=True, eq=False):
    """A parameter as declared, taken apart: what `Annotated` and the default say.

    Attributes:
        annotation: the type without `Annotated`.
        marker: the deciding call: `Query(...)`, `Depends(...)`; None when there is none.
        marker_name: its canonical name.
        marker_scope: where the marker is read.
        metadata: other metadata of `Annotated`.
        default: the default value, None when it is the marker itself or missing.
    """

    param: ir.Param
    owner: Function | Class
    scope: Scope
    annotation: ir.Expr | None
    annotation_scope: Scope
    marker: ir.Expr | None
    marker_name: str
    marker_scope: Scope
    metadata: tuple[ir.Expr, ...]
    default: ir.Expr | None


class ParameterReader:
    """Takes parameters apart and classifies them."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._inference = program.inference

    def declared(self, param: ir.Param, owner: Function | Class, scope: Scope) -> Declared:
        """Take a parameter's annotation and default apart."""
        annotation, where, metadata = self._annotated(param.annotation, scope)
        marker, name, marker_scope = None, "", scope
        rest: list[ir.Expr] = []
        for each in metadata:
            found = self.marker_name(each, where)
            if found:
                marker, name, marker_scope = each, found, where
            else:
                rest.append(each)
        default = param.default
        if default is not None:
            found = self.marker_name(default, scope)
            if not found and isinstance(default, ir.Name | ir.Attribute):
                value, value_scope = self._inference.expand(default, scope)
                found = self.marker_name(value, value_scope)
                if found:
                    marker, name, marker_scope, default = value, found, value_scope, None
            elif found:
                marker, name, marker_scope, default = default, found, scope, None
        return Declared(
            param, owner, scope, annotation, where, marker, name, marker_scope, tuple(rest), default
        )

    def _annotated(
        self, annotation: ir.Expr | None, scope: Scope
    ) -> tuple[ir.Expr | None, Scope, list[ir.Expr]]:
        """The bare annotation, where it is read, and the metadata of all `Annotated` layers, outermost last."""
        metadata: list[ir.Expr] = []
        for _ in range(20):
            if annotation is None:
                break
            expanded, where = self._inference.expand(annotation, scope)
            if not isinstance(expanded, ir.Subscript) or not self._is_annotated(expanded, where):
                bare_string = isinstance(annotation, ir.Constant) and annotation.kind == "str"
                return (expanded, where, metadata) if bare_string else (annotation, scope, metadata)
            elements = expanded.slice.elts if isinstance(expanded.slice, ir.Sequence) else [expanded.slice]
            metadata = [*elements[1:], *metadata]
            annotation, scope = elements[0], where
        return annotation, scope, metadata

    def _is_annotated(self, expr: ir.Subscript, scope: Scope) -> bool:
        return any(
            isinstance(o, External) and o.name == "typing.Annotated" for o in self._types(expr.value, scope)
        )

    def _types(self, expr: ir.Expr, scope: Scope) -> tuple[Type, ...]:
        return options(self._inference.type_of(expr, scope))

    def marker_name(self, expr: ir.Expr, scope: Scope) -> str:
        """Canonical name of a `Query(...)`-like or `Depends(...)` marker; "" for anything else."""
        func = expr.func if isinstance(expr, ir.Call) else expr
        if not isinstance(func, ir.Name | ir.Attribute):
            return ""
        if not isinstance(expr, ir.Call):
            return ""
        for of in self._types(func, scope):
            name = of.name if isinstance(of, External | ClassRef) else ""
            if name in MARKERS or name in INJECTIONS:
                return name
        return self._marker_made_by(expr, scope)

    def _marker_made_by(self, call: ir.Call, scope: Scope) -> str:
        """A function of the program that returns a marker: `def require(role): return Depends(...)`."""
        for of in self._types(call.func, scope):
            if isinstance(of, FunctionRef):
                for site in of.function.facts.sites(ir.Return):
                    value = site.node.value
                    if value is not None and isinstance(value, ir.Call):
                        for made in self._types(value.func, of.function):
                            name = made.name if isinstance(made, External | ClassRef) else ""
                            if name in MARKERS or name in INJECTIONS:
                                return name
        return ""

    def marker_call(self, declared: Declared) -> tuple[ir.Call, Scope] | None:
        """The marker itself; when a function returns it, the returned call and that function."""
        marker = declared.marker
        if marker is None or not isinstance(marker, ir.Call):
            return None
        for of in self._types(marker.func, declared.marker_scope):
            if isinstance(of, FunctionRef):
                for site in of.function.facts.sites(ir.Return):
                    if isinstance(site.node.value, ir.Call):
                        return site.node.value, of.function
        return marker, declared.marker_scope

    # ── classification ───────────────────────────────────────────────────────────────────────────────────────────

    def parameters(self, declared: Declared, path_names: frozenset[str]) -> list[Parameter]:
        """What a declared parameter that is no dependency contributes; several for a query model."""
        of = self.annotation_type(declared)
        special = self.special_kind(of)
        if special:
            return [self._made(declared, special, required=False, of=of)]
        name = declared.param.name
        if declared.marker_name in MARKERS:
            kind = MARKERS[declared.marker_name]
            if name in path_names and kind != "path":
                kind = "path"
        elif name in path_names or self._alias(declared) in path_names:
            kind = "path"
        elif self._is_upload(of):
            kind = "file"
        elif declared.param.kind in ("vararg", "kwarg") or self.is_scalar(of, declared.annotation):
            kind = "query"
        else:
            kind = "body"
        if kind in ("query", "header", "cookie", "form"):
            model = self.model_of(of)
            if model is not None and declared.marker_name:
                return self._fields(declared, kind, model)
            if kind == "form" and self._is_upload(of):
                kind = "file"
        return [self._made(declared, kind, self._required(declared, kind), of)]

    def annotation_type(self, declared: Declared) -> Type | None:
        """Type of the annotation, without markers."""
        return self._inference.annotation(declared.annotation, declared.annotation_scope)

    def special_kind(self, of: Type | None) -> str:
        """The kind of what FastAPI passes in itself; "" for ordinary types."""
        for option in options(of):
            if isinstance(option, Instance):
                for entry in self._inference.hierarchy.order(option.cls):
                    name = entry.cls if isinstance(entry.cls, str) else ""
                    if name in SPECIAL:
                        return SPECIAL[name]
        return ""

    def _is_upload(self, of: Type | None) -> bool:
        for option in options(of):
            if not isinstance(option, Instance):
                continue
            if option.name in _SEQUENCES and option.args and self._is_upload(option.args[0]):
                return True
            if self._inference.hierarchy.is_subclass(option.cls, *_UPLOADS):
                return True
        return False

    def model_of(self, of: Type | None) -> Class | None:
        """The program's Pydantic model among the options, or None."""
        for option in options(of):
            if isinstance(option, Instance) and isinstance(option.cls, Class) and self.is_model(option.cls):
                return option.cls
        return None

    def is_model(self, cls: Class | str) -> bool:
        """A Pydantic model."""
        return self._inference.hierarchy.is_subclass(cls, *_MODELS)

    def is_scalar(self, of: Type | None, annotation: ir.Expr | None = None) -> bool:
        """FastAPI reads it from the query when nothing else is said."""
        if of is None:
            return annotation is None or not _looks_compound(annotation)
        return all(self._is_scalar_option(option) for option in options(of))

    def _is_scalar_option(self, option: Type) -> bool:
        if option == NONE or isinstance(option, TypeVariable):
            return True
        if not isinstance(option, Instance):
            return True
        name = option.name
        if name in _SEQUENCES or name in _MAPPINGS:
            return False
        if isinstance(option.cls, Class):
            return not (self.is_model(option.cls) or self._is_structure(option.cls))
        return not self.is_model(name) and not name.endswith("BaseModel")

    def _is_structure(self, cls: Class) -> bool:
        """A dataclass or TypedDict."""
        for decorator in cls.node.decorators:
            func = decorator.func if isinstance(decorator, ir.Call) else decorator
            if any(
                "dataclass" in getattr(of, "name", "") for of in self._types(func, cls.parent or cls.module)
            ):
                return True
        return self._inference.hierarchy.is_subclass(cls, "typing.TypedDict")

    def _alias(self, declared: Declared) -> str:
        call = self.marker_call(declared)
        if call is not None:
            for name in ("validation_alias", "alias"):
                alias = argument(call[0], None, name)
                value = self._program.constants.string(alias, call[1]) if alias is not None else None
                if value:
                    return value
        return declared.param.name

    def _wire_name(self, declared: Declared, kind: str) -> str:
        alias = self._alias(declared)
        if kind == "header" and alias == declared.param.name:
            call = self.marker_call(declared)
            convert = argument(call[0], None, "convert_underscores") if call is not None else None
            if convert is None or self._program.constants.value(convert, declared.scope) is not False:
                return alias.replace("_", "-")
        return alias

    def _required(self, declared: Declared, kind: str) -> bool:
        if kind == "path":
            return True
        if declared.default is not None:
            return _is_ellipsis(declared.default)
        if declared.param.kind in ("vararg", "kwarg"):
            return True
        call = self.marker_call(declared)
        if call is None or declared.marker_name not in MARKERS:
            return True
        if argument(call[0], None, "default_factory") is not None:
            return False
        given = argument(call[0], 0, "default")
        return given is None or _is_ellipsis(given)

    def _made(self, declared: Declared, kind: str, required: bool, of: Type | None) -> Parameter:
        marker = declared.marker if isinstance(declared.marker, ir.Call) else None
        module = declared.scope.module
        return Parameter(
            declared.param.name,
            self._wire_name(declared, kind),
            kind,
            required,
            declared.annotation,
            of,
            declared.default,
            marker,
            declared.annotation_scope,
            declared.owner,
            module.location(declared.param) if declared.param.span else declared.owner.location(),
        )

    def _fields(self, declared: Declared, kind: str, model: Class) -> list[Parameter]:
        """One parameter for each field of a model spread by `Annotated[Model, Query()]`."""
        found = []
        for field in self._schema_fields(model):
            alias = field.alias or field.name
            if kind == "header" and field.alias is None:
                alias = alias.replace("_", "-")
            marker = field.default if isinstance(field.default, ir.Call) else None
            found.append(
                Parameter(
                    field.name,
                    alias,
                    kind,
                    field.required,
                    field.annotation,
                    field.type,
                    field.default,
                    marker,
                    field.owner,
                    field.owner,
                    field.location,
                    model,
                )
            )
        del declared
        return found

    def _schema_fields(self, model: Class) -> list[SchemaField]:
        schema = read_schema(self._program, model)
        return [f for f in schema.fields if not f.is_computed] if schema is not None else []

    def signature_of_model(self, model: Class) -> Iterator[tuple[ir.Param, Scope]]:
        """A model's or dataclass's fields as the parameters of calling it, by their wire names as Pydantic gives them.

        A class that is neither has no signature of its own: it is called without arguments.
        """
        for field in self._schema_fields(model):
            name = field.alias if field.alias is not None and field.alias.isidentifier() else field.name
            default = field.default
            if isinstance(default, ir.Call) and _called(default) == "Field":
                default = None if field.required else _NONE_DEFAULT
            elif default is None and not field.required:
                default = _NONE_DEFAULT
            param = ir.Param(0, name, "kwonly", field.annotation, default)
            self._program.keep(param)
            yield param, field.owner


#: Stands for a default that Pydantic knows and the signature does not show.
_NONE_DEFAULT = ir.Constant(0, "none", None)


def _called(call: ir.Call) -> str:
    func = call.func
    return func.attr if isinstance(func, ir.Attribute) else getattr(func, "id", "")


def _is_ellipsis(expr: ir.Expr) -> bool:
    if isinstance(expr, ir.Constant):
        return bool(expr.kind == "ellipsis")
    return isinstance(expr, ir.Name | ir.Attribute) and _last(expr) in (
        "Undefined",
        "PydanticUndefined",
        "Required",
    )


def _last(expr: ir.Expr) -> str:
    return expr.attr if isinstance(expr, ir.Attribute) else getattr(expr, "id", "")


def _looks_compound(annotation: ir.Expr) -> bool:
    """An annotation of unknown type that is written like a container or a model."""
    if isinstance(annotation, ir.Subscript):
        return _last(annotation.value).lower() in (
            "list",
            "dict",
            "set",
            "tuple",
            "sequence",
            "mapping",
            "iterable",
        )
    return False
