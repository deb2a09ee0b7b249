"""Settings: what is configured from the environment, with which defaults, and who refuses bad ones."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import msgspec

from fastapi_architect.appgraph.database import assigned_name
from fastapi_architect.appgraph.declarations import called, elements, has_library_ancestor, keyword, known
from fastapi_architect.appgraph.schemas import Schema, SchemaField, Validator, read_as
from fastapi_architect.appgraph.values import classify, is_placeholder, is_secret_name
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.constants import UNKNOWN
from fastapi_architect.program.definitions import (
    Class,
    Function,
    Scope,
    all_classes,
    all_functions,
    dotted_name,
    last_name,
)
from fastapi_architect.program.facts import Site, runs_as_script
from fastapi_architect.program.program import Program
from fastapi_architect.program.types import ClassRef, External, Instance, options
from fastapi_architect.source.location import Location
from fastapi_architect.syntax import ir

_SECRET_TYPES = frozenset({"SecretStr", "SecretBytes", "Secret"})
#: Calls that read one variable: name to (position of its name, keyword of its default, position of its
#: default).
_READS = {
    "os.getenv": (0, "default", 1),
    "os.environ.get": (0, "default", 1),
    "os.environ.setdefault": (0, "default", 1),
    "decouple.config": (0, "default", 1),
    "starlette.config.Config.__call__": (0, "default", 2),
    "starlette.config.Config.get": (0, "default", 2),
    "environs.Env.str": (0, "default", 1),
    "environs.Env.int": (0, "default", 1),
    "environs.Env.bool": (0, "default", 1),
    "environs.Env.__call__": (0, "default", 1),
}
_READERS = frozenset(name.rpartition(".")[2] for name in _READS) - {"__call__"}


class Setting(msgspec.Struct, frozen=True):
    """One field of a settings class.

    Attributes:
        field: as a schema's field: type, default, constraints.
        environment: names of the environment variables that set it, the first one wins.
        value: constant default, `UNKNOWN` when not one, None when there is none or it is None.
        is_secret: by its name or its type.
        has_secret_type: declared as `SecretStr` or the like.
        looks_like: classification of a constant string default (`values.classify`), "" otherwise.
        refused_by: validators that look at it and raise.
    """

    field: SchemaField
    environment: tuple[str, ...]
    value: Any
    is_secret: bool
    has_secret_type: bool
    looks_like: str
    refused_by: tuple[Validator, ...]

    @property
    def name(self) -> str:
        """The attribute."""
        return self.field.name

    @property
    def required(self) -> bool:
        """The application does not start without it."""
        return self.field.required

    @property
    def has_weak_default(self) -> bool:
        """A secret with a default that everybody who reads the code knows."""
        return self.is_secret and isinstance(self.value, str)

    @property
    def location(self) -> Location:
        """Where it is declared."""
        return self.field.location


class SettingsClass(msgspec.Struct, frozen=True, dict=True):
    """A class of pydantic-settings.

    Attributes:
        cls: the class.
        schema: as a schema: configuration, validators.
        settings: its fields.
        prefix: of its environment variables.
        env_files: files it reads, in order.
        location: where.
    """

    cls: Class
    schema: Schema
    settings: tuple[Setting, ...]
    prefix: str
    env_files: tuple[str, ...]
    location: Location

    @property
    def name(self) -> str:
        """The class's name."""
        return self.cls.name

    @cached_property
    def by_name(self) -> dict[str, Setting]:
        """Fields by name."""
        return {setting.name: setting for setting in self.settings}


class SettingsInstance(msgspec.Struct, frozen=True):
    """A call that makes settings.

    Attributes:
        cls: the class.
        variable: module-level name, "" when none.
        function: function that makes them, or None.
        is_cached: the function keeps its result (`lru_cache`, `cache`).
        overrides: fields given as arguments.
        location: where.
    """

    cls: Class
    variable: str
    function: Function | None
    is_cached: bool
    overrides: tuple[str, ...]
    location: Location


class EnvironmentVariable(msgspec.Struct, frozen=True):
    """A variable read outside of settings classes.

    Attributes:
        name: the variable, None when it is not a constant.
        default: expression, None when there is none.
        value: constant default, `UNKNOWN` when not one, None when there is none.
        required: reading fails without it (`os.environ["X"]`).
        variable: name or attribute it is assigned to, "" when none.
        owner: class in whose body it is read, or None.
        function: function in which it is read; None at import.
        is_secret: by its name or that of what it is assigned to.
        looks_like: classification of a constant string default, "" otherwise.
        location: where.
        in_script: it stands under `if __name__ == "__main__":`.
    """

    name: str | None
    default: ir.Expr | None
    value: Any
    required: bool
    variable: str
    owner: Class | None
    function: Function | None
    is_secret: bool
    looks_like: str
    location: Location
    in_script: bool = False

    @property
    def at_import(self) -> bool:
        """It is read when the module is imported."""
        return self.function is None


class Settings(msgspec.Struct, frozen=True):
    """All configuration from the environment."""

    classes: tuple[SettingsClass, ...]
    instances: tuple[SettingsInstance, ...]
    variables: tuple[EnvironmentVariable, ...]

    def of_class(self, cls: Class) -> SettingsClass | None:
        """The settings class that `cls` is, or None."""
        return next((each for each in self.classes if each.cls is cls), None)


def find_settings(program: Program, pydantic_major: int = 2) -> Settings:
    """Everything that is read from the environment."""
    classes = tuple(
        _settings_class(program, cls, pydantic_major)
        for cls in program.classes
        if is_settings_class(program, cls)
    )
    return Settings(
        classes,
        tuple(_instances(program, classes)),
        tuple(sorted(_variables(program), key=lambda each: (each.location, each.name or ""))),
    )


def is_settings_class(program: Program, cls: Class) -> bool:
    """A subclass of pydantic's `BaseSettings`, old or new."""
    if not cls.node.bases:
        return False
    packages = ("pydantic_settings", "pydantic")
    return any(has_library_ancestor(program, cls, package, "BaseSettings") for package in packages)


# ── classes ─────────────────────────────────────────────────────────────────────────────────────────────────


def _settings_class(program: Program, cls: Class, pydantic_major: int) -> SettingsClass:
    schema = read_as(program, cls, "pydantic", pydantic_major)
    prefix = schema.config.get("env_prefix")
    prefix = prefix if isinstance(prefix, str) else ""
    files = schema.config.get("env_file")
    listed = files if isinstance(files, list | tuple) else [files]
    settings = tuple(
        _setting(program, schema, field, prefix) for field in schema.fields if not field.is_computed
    )
    return SettingsClass(
        cls, schema, settings, prefix, tuple(str(f) for f in listed if isinstance(f, str)), cls.location()
    )


def _setting(program: Program, schema: Schema, field: SchemaField, prefix: str) -> Setting:
    value = known_default(program, field)
    secret_type = any(
        isinstance(o, Instance) and o.name.rpartition(".")[2] in _SECRET_TYPES for o in options(field.type)
    )
    text = value if isinstance(value, str) else None
    return Setting(
        field=field,
        environment=_environment_names(program, schema, field, prefix),
        value=value,
        is_secret=secret_type or is_secret_name(field.name),
        has_secret_type=secret_type,
        looks_like=classify(text) if text is not None else "",
        refused_by=tuple(_refusing(schema, field)),
    )


def known_default(program: Program, field: SchemaField) -> Any:
    """Constant default of a field, also inside `SecretStr("...")`; None when there is none, `UNKNOWN` when
    not one.
    """
    expr = field.default
    if expr is None:
        return None if field.default_factory is None else UNKNOWN
    value = program.constants.value(expr, field.owner)
    if value is UNKNOWN and isinstance(expr, ir.Call) and last_name(expr.func) in _SECRET_TYPES and expr.args:
        return program.constants.value(expr.args[0], field.owner)
    return None if isinstance(expr, ir.Constant) and expr.kind == "ellipsis" else value


def _environment_names(program: Program, schema: Schema, field: SchemaField, prefix: str) -> tuple[str, ...]:
    bound = field.owner.facts.bindings.get(field.name)
    call = bound[-1].value if bound else None
    names: list[str] = []
    if isinstance(call, ir.Call) and called(program, call, field.owner).name == "Field":
        said = keyword(call, "validation_alias", "alias", "env")
        inner = said.args if isinstance(said, ir.Call) else elements(said) if said is not None else []
        names = [n for each in inner if (n := program.constants.string(each, field.owner)) is not None]
    if not names and field.alias is not None:
        names = [field.alias]
    if not names:
        names = [f"{prefix}{field.name}"]
    if schema.config.get("case_sensitive") is True:
        return tuple(names)
    return tuple(name.upper() for name in names)


def _refusing(schema: Schema, field: SchemaField) -> Iterator[Validator]:
    """Validators that look at the field and raise, themselves or in a method they call."""
    for validator in schema.validators:
        function = validator.function
        if function is None or not _raises(function, schema.cls):
            continue
        named = field.name in validator.fields or "*" in validator.fields
        if named or (validator.kind == "model" and _mentions(function, field.name)):
            yield validator


def _raises(function: Function, cls: Class) -> bool:
    if function.facts.sites(ir.Raise) or function.facts.sites(ir.Assert):
        return True
    for site in function.facts.calls:
        method = (
            cls.methods.get(last_name(site.node.func)) if isinstance(site.node.func, ir.Attribute) else None
        )
        if method is None and function.owner is not None:
            method = function.owner.methods.get(last_name(site.node.func))
        if method is not None and method is not function and method.facts.sites(ir.Raise):
            return True
    return False


def _mentions(function: Function, name: str) -> bool:
    if any(site.node.attr == name for site in function.facts.sites(ir.Attribute)):
        return True
    for site in (*function.facts.calls, *function.facts.sites(ir.Subscript)):
        parts = site.node.args if isinstance(site.node, ir.Call) else [site.node.slice]
        if any(isinstance(part, ir.Constant) and part.value == name for part in parts):
            return True
    return False


# ── instances ───────────────────────────────────────────────────────────────────────────────────────────────


def _instances(program: Program, classes: tuple[SettingsClass, ...]) -> Iterator[SettingsInstance]:
    for settings in classes:
        for site in program.call_sites_named(settings.cls.name):
            types = options(program.inference.type_of(site.node.func, site.scope))
            if not any(isinstance(of, ClassRef) and of.cls is settings.cls for of in types):
                continue
            function = site.scope if isinstance(site.scope, Function) else None
            cached = function is not None and any(
                function.has_decorator(name) for name in ("lru_cache", "cache", "alru_cache")
            )
            overrides = tuple(
                k.arg for k in site.node.keywords if k.arg is not None and not k.arg.startswith("_")
            )
            variable = assigned_name(site) if function is None else ""
            where = site.scope.location(site.node)
            yield SettingsInstance(settings.cls, variable, function, cached, overrides, where)


# ── other reads ─────────────────────────────────────────────────────────────────────────────────────────────


def _variables(program: Program) -> Iterator[EnvironmentVariable]:
    yield from _called_objects(program)
    for module in program.mentioning("environ", "getenv", "decouple", "environs"):
        scopes: list[Scope] = [module, *all_classes(module)]
        scopes += [
            f for f in all_functions(module) if _READERS & set(f.node.called) or module.mentions("environ")
        ]
        for scope in scopes:
            yield from _reads_in(program, scope)


def _reads_in(program: Program, scope: Scope) -> Iterator[EnvironmentVariable]:
    for site in scope.facts.calls_named(*_READERS):
        name = next(
            (n for n in program.calls.names(site) if n in _READS and not n.endswith("__call__")), None
        )
        if name is not None:
            yield _read_variable(program, site, name)
    for site in scope.facts.sites(ir.Subscript):
        if _is_environ(program, site.node.value, scope) and not _is_written(site):
            yield _variable(program, site, site.node.slice, None, required=True)


def _called_objects(program: Program) -> Iterator[EnvironmentVariable]:
    """`config("DEBUG", default=False)` where `config` is an object: found by the names such objects are
    assigned to.
    """
    names = set()
    for maker in ("Config", "Env", "AutoConfig"):
        for site in program.call_sites_named(maker):
            names.add(assigned_name(site))
    wanted = {"starlette.config.Config", "environs.Env", "decouple.AutoConfig", "decouple.Config"}
    for name in sorted(names - {""}):
        for site in program.call_sites_named(name):
            types = options(program.inference.type_of(site.node.func, site.scope))
            found = next((of.name for of in types if isinstance(of, Instance) and of.name in wanted), None)
            if found is not None:
                key = f"{found}.__call__"
                yield _read_variable(program, site, key if key in _READS else "decouple.config")


def _is_environ(program: Program, expr: ir.Expr, scope: Scope) -> bool:
    if dotted_name(expr) not in ("os.environ", "environ"):
        return False
    types = list(options(program.inference.type_of(expr, scope)))
    return not types or any(
        isinstance(of, External | Instance | ClassRef) and "environ" in of.name for of in types
    )


def _is_written(site: Site) -> bool:
    statement = site.statement
    if isinstance(statement, ir.Assign):
        return any(target is site.node for target in statement.targets)
    return isinstance(statement, ir.Delete)


def _read_variable(program: Program, site: Site, name: str) -> EnvironmentVariable:
    position, word, default_position = _READS[name]
    default = argument(site.node, default_position, word)
    # `config("X")` without a default fails when X is not set; `os.getenv("X")` gives None.
    required = default is None and not name.startswith("os.")
    first = argument(site.node, position, "key")
    return _variable(program, site, first, default, required=required)


def _variable(
    program: Program, site: Site, name: ir.Expr | None, default: ir.Expr | None, *, required: bool
) -> EnvironmentVariable:
    scope = site.scope
    text = program.constants.string(name, scope)
    value = program.constants.value(default, scope) if default is not None else None
    fallback = _or_default(site)
    if fallback is not None and known(value) is None:
        default, value = fallback, program.constants.value(fallback, scope)
    variable = _assigned(site)
    return EnvironmentVariable(
        name=text,
        default=default,
        value=value,
        required=required,
        variable=variable,
        owner=scope if isinstance(scope, Class) else None,
        function=scope if isinstance(scope, Function) else None,
        is_secret=is_secret_name(text or "") or (variable != "" and is_secret_name(variable)),
        looks_like=classify(value) if isinstance(value, str) else "",
        location=scope.location(site.node),
        in_script=runs_as_script(site),
    )


def _or_default(site: Site) -> ir.Expr | None:
    """`"x"` of `os.getenv("X") or "x"`."""
    value = getattr(site.statement, "value", None)
    if (
        isinstance(value, ir.BoolOp)
        and value.op == "or"
        and any(each is site.node for each in value.values[:-1])
    ):
        return value.values[-1]
    return None


def _assigned(site: Site) -> str:
    """Name that the statement around the read assigns."""
    statement = site.statement
    if isinstance(statement, ir.Assign):
        return last_name(statement.targets[0])
    return last_name(statement.target) if isinstance(statement, ir.AnnAssign) else ""


def is_weak_secret(value: str) -> bool:
    """A default that is no secret: empty, a placeholder, or shorter than 32 bytes."""
    return is_placeholder(value) or len(value.encode()) < 32
