"""The tree of `Depends`: what runs before an operation, in order, with what it reads."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec.structs import replace

from fastapi_architect.appgraph.parameters import INJECTIONS, Declared, Parameter, ParameterReader
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.definitions import Class, Function, Scope, dotted_name
from fastapi_architect.program.program import Program
from fastapi_architect.program.types import (
    STR,
    ClassRef,
    External,
    FunctionRef,
    Instance,
    Partial,
    Type,
    options,
)
from fastapi_architect.source.location import Location
from fastapi_architect.syntax import ir

_MAX_DEPTH = 25

#: Inputs of library classes used as dependencies: (name, kind, required).
_LIBRARY_INPUTS: dict[str, tuple[tuple[str, str, bool], ...]] = {
    "fastapi.security.OAuth2PasswordRequestForm": (
        ("grant_type", "form", False),
        ("username", "form", True),
        ("password", "form", True),
        ("scope", "form", False),
        ("client_id", "form", False),
        ("client_secret", "form", False),
    ),
}
#: A class as a dependency: its constructor's parameters become query parameters.
_LIBRARY_INPUTS["concurrent.futures.ThreadPoolExecutor"] = tuple(
    (name, "query", False) for name in ("max_workers", "thread_name_prefix", "initializer", "initargs")
)
for _name in ("fastapi_pagination.Params", "fastapi_pagination.default.Params"):
    _LIBRARY_INPUTS[_name] = (("page", "query", False), ("size", "query", False))
for _name in ("fastapi_pagination.LimitOffsetParams", "fastapi_pagination.limit_offset.LimitOffsetParams"):
    _LIBRARY_INPUTS[_name] = (("limit", "query", False), ("offset", "query", False))
_LIBRARY_INPUTS["fastapi.security.OAuth2PasswordRequestFormStrict"] = (
    ("grant_type", "form", True),
    *_LIBRARY_INPUTS["fastapi.security.OAuth2PasswordRequestForm"][1:],
)


class Dependency(msgspec.Struct, frozen=True, eq=False):
    """One dependency as declared in one place, with everything below it.

    Attributes:
        name: full dotted name of what is called: a function, a class, the class of a callable instance; as written when
            it could not be resolved.
        function: the function that runs (for a class its `__init__`, for an instance its `__call__`), None for a library's.
        cls: the class that is called, or whose instance is called; None for a plain function.
        instance_of: canonical name of a library's class when an instance of it is called (a security scheme).
        creation: the call that made the instance (`OAuth2PasswordBearer(...)`, `RoleChecker("admin")`), and its scope.
        provider: the expression inside `Depends(...)`, None for `Depends()`.
        scope: where the provider is read.
        location: where it is declared.
        level: application, include, router, route, parameter or class.
        parameter_name: name of the parameter that receives the value; "" for `dependencies=[...]`.
        use_cache: one call a request.
        lifetime: "function" or "request" when `scope=` says so, else "".
        security_scopes: scopes of `Security(..., scopes=[...])`.
        is_security: declared by `Security(...)`.
        parameters: inputs that it reads itself.
        dependencies: dependencies of its own.
        resolved: False when the provider leads nowhere that is known.
    """

    name: str
    function: Function | None
    cls: Class | None
    instance_of: str
    creation: tuple[ir.Call, Scope] | None
    provider: ir.Expr | None
    scope: Scope
    location: Location
    level: str
    parameter_name: str = ""
    use_cache: bool = True
    lifetime: str = ""
    security_scopes: tuple[str, ...] = ()
    is_security: bool = False
    parameters: tuple[Parameter, ...] = ()
    dependencies: tuple[Dependency, ...] = ()
    resolved: bool = True

    def walk(self) -> Iterator[Dependency]:
        """This and everything below, outer first."""
        yield self
        for each in self.dependencies:
            yield from each.walk()


class _Provided(msgspec.Struct, frozen=True, eq=False):
    """What a dependency calls, before it is placed in a tree."""

    name: str
    function: Function | None
    cls: Class | None
    instance_of: str
    creation: tuple[ir.Call, Scope] | None
    resolved: bool = True


class DependencyReader:
    """Builds dependency trees; the tree below a callable is read once."""

    def __init__(self, program: Program, parameters: ParameterReader) -> None:
        self._program = program
        self._inference = program.inference
        self._parameters = parameters
        self._signatures: dict[
            tuple[int, frozenset[str]], tuple[tuple[Parameter, ...], tuple[Dependency, ...]]
        ] = {}
        #: Names of a path's parameters that would make a difference, by the callable's identity.
        self._asked: dict[int, frozenset[str]] = {}
        self._depth = 0

    def signature(
        self, callable_: Function | Class, path_names: frozenset[str], *, bound: bool
    ) -> tuple[tuple[Parameter, ...], tuple[Dependency, ...]]:
        """Inputs and dependencies that a function's parameters (or a model's fields) declare.

        Args:
            callable_: the function, or a class without `__init__` whose fields are its signature.
            path_names: names of the path's parameters.
            bound: the first parameter is already given (`self`).
        """
        key = self._key(callable_, path_names)
        known = self._signatures.get(key)
        if known is not None:
            return known
        if self._depth > _MAX_DEPTH:
            return (), ()
        self._depth += 1
        self._signatures[key] = ((), ())
        try:
            found = self._read(callable_, path_names, bound=bound)
        finally:
            self._depth -= 1
        self._signatures[key] = self._signatures[self._key(callable_, path_names)] = found
        return found

    def _key(self, callable_: Function | Class, path_names: frozenset[str]) -> tuple[int, frozenset[str]]:
        """A path's other names make no difference, so that most trees are read once for all paths."""
        asked = self._asked.get(id(callable_))
        return id(callable_), path_names if asked is None else path_names & asked

    def _read(
        self, callable_: Function | Class, path_names: frozenset[str], *, bound: bool
    ) -> tuple[tuple[Parameter, ...], tuple[Dependency, ...]]:
        parameters: list[Parameter] = []
        dependencies: list[Dependency] = []
        asked: set[str] = set()
        for param, scope in self._declared_parameters(callable_, bound=bound):
            declared = self._parameters.declared(param, callable_, scope)
            if declared.marker_name in INJECTIONS:
                dependencies.append(self.injected(declared, path_names))
            else:
                asked.add(param.name)
                parameters += self._parameters.parameters(declared, path_names)
        self._note(callable_, asked, dependencies)
        return tuple(parameters), tuple(dependencies)

    def _note(self, callable_: Function | Class, own: set[str], dependencies: list[Dependency]) -> None:
        """Keep which names of a path may matter to a callable: those of its inputs and of all below it."""
        below = [d.function if d.function is not None else d.cls for d in dependencies]
        asked = [self._asked.get(id(each)) for each in below if each is not None]
        if None not in asked:  # a circle is not known to its end
            self._asked[id(callable_)] = frozenset(own).union(*(names for names in asked if names))

    def _declared_parameters(
        self, callable_: Function | Class, *, bound: bool
    ) -> Iterator[tuple[ir.Param, Scope]]:
        if isinstance(callable_, Function):
            scope = callable_.parent or callable_.module
            yield from ((p, scope) for p in callable_.parameters[1 if bound else 0 :])
            return
        yield from self._parameters.signature_of_model(callable_)

    def injected(
        self, declared: Declared, path_names: frozenset[str], level: str = "parameter"
    ) -> Dependency:
        """The dependency that a parameter with a `Depends` marker declares."""
        call = self._parameters.marker_call(declared)
        assert call is not None
        marker, scope = call
        provider = argument(marker, 0, "dependency")
        if provider is not None:
            provided = self._provided(provider, scope)
        else:
            of = self._parameters.annotation_type(declared)
            provided = self._provided_by_type(of, declared.annotation, declared.annotation_scope)
        location = (
            declared.scope.module.location(declared.param)
            if declared.param.span
            else declared.owner.location()
        )
        return self._placed(
            provided,
            marker,
            scope,
            provider,
            location,
            level,
            declared.param.name,
            path_names,
            declared.marker_name,
        )

    def declared_in_list(
        self, element: ir.Expr, scope: Scope, level: str, path_names: frozenset[str]
    ) -> Dependency | None:
        """The dependency of one element of `dependencies=[...]`; None when the element is no `Depends`."""
        expanded, where = element, scope
        if isinstance(element, ir.Name | ir.Attribute):
            expanded, where = self._inference.expand(element, scope)
        name = self._parameters.marker_name(expanded, where)
        if name not in INJECTIONS or not isinstance(expanded, ir.Call):
            return None
        marker, marker_scope = self._returned_marker(expanded, where)
        provider = argument(marker, 0, "dependency")
        if provider is None:
            return None
        provided = self._provided(provider, marker_scope)
        location = scope.module.location(element)
        return self._placed(provided, marker, marker_scope, provider, location, level, "", path_names, name)

    def _returned_marker(self, call: ir.Call, scope: Scope) -> tuple[ir.Call, Scope]:
        for of in options(self._inference.type_of(call.func, scope)):
            if isinstance(of, FunctionRef):
                for site in of.function.facts.sites(ir.Return):
                    if isinstance(site.node.value, ir.Call):
                        return site.node.value, of.function
        return call, scope

    def _placed(
        self,
        provided: _Provided,
        marker: ir.Call,
        scope: Scope,
        provider: ir.Expr | None,
        location: Location,
        level: str,
        parameter_name: str,
        path_names: frozenset[str],
        marker_name: str,
    ) -> Dependency:
        constants = self._program.constants
        cached = argument(marker, 1 if marker_name == "fastapi.Depends" else None, "use_cache")
        scopes = argument(marker, 1, "scopes") if marker_name == "fastapi.Security" else None
        scope_values = constants.value(scopes, scope) if scopes is not None else ()
        parameters, dependencies = self._below(provided, path_names)
        parameters += self._library_inputs(provided, scope, location)
        return Dependency(
            provided.name,
            provided.function,
            provided.cls,
            provided.instance_of,
            provided.creation,
            provider,
            scope,
            location,
            level,
            parameter_name,
            constants.value(cached, scope) is not False if cached is not None else True,
            constants.string(argument(marker, None, "scope"), scope) or "",
            tuple(str(s) for s in scope_values) if isinstance(scope_values, list | tuple) else (),
            marker_name == "fastapi.Security",
            parameters,
            dependencies,
            provided.resolved,
        )

    def _library_inputs(self, provided: _Provided, scope: Scope, location: Location) -> tuple[Parameter, ...]:
        """Inputs that a library's class declares, when it is called itself or inherited without `__init__`."""
        names = [provided.name]
        if provided.cls is not None and provided.function is None:
            names += [e.cls for e in self._inference.hierarchy.order(provided.cls) if isinstance(e.cls, str)]
        declared = next((_LIBRARY_INPUTS[name] for name in names if name in _LIBRARY_INPUTS), ())
        return tuple(
            Parameter(name, name, kind, required, None, STR, None, None, scope, scope.module, location)
            for name, kind, required in declared
        )

    def _below(
        self, provided: _Provided, path_names: frozenset[str]
    ) -> tuple[tuple[Parameter, ...], tuple[Dependency, ...]]:
        if provided.function is not None:
            bound = provided.function.is_method
            return self.signature(provided.function, path_names, bound=bound)
        if provided.cls is not None:
            return self.signature(provided.cls, path_names, bound=False)
        return (), ()

    def _provided(self, provider: ir.Expr, scope: Scope) -> _Provided:
        """What calling the provider runs."""
        of = self._inference.type_of(provider, scope)
        if isinstance(provider, ir.Lambda):
            return _Provided(f"{scope.module.name}.<lambda>", None, None, "", None)
        for option in options(of):
            found = self._of_option(option)
            if found is not None:
                return self._with_creation(found, provider, scope)
        return _Provided(_written(provider), None, None, "", None, resolved=False)

    def _with_creation(self, found: _Provided, provider: ir.Expr, scope: Scope) -> _Provided:
        creation, where = provider, scope
        if isinstance(provider, ir.Name | ir.Attribute):
            creation, where = self._inference.expand(provider, scope)
        if isinstance(creation, ir.Call):
            return replace(found, creation=(creation, where))
        return found

    def _provided_by_type(self, of: Type | None, annotation: ir.Expr | None, scope: Scope) -> _Provided:
        """`Depends()`: the annotated class is called."""
        for option in options(of):
            if isinstance(option, Instance):
                found = self._of_option(ClassRef(option.cls, option.args))
                if found is not None:
                    return found
        del scope
        return _Provided(
            _written(annotation) if annotation is not None else "", None, None, "", None, resolved=False
        )

    def _of_option(self, option: Type) -> _Provided | None:
        if isinstance(option, Partial):
            return self._of_option(option.target)
        if isinstance(option, FunctionRef):
            return _Provided(option.function.full_name, option.function, None, "", None)
        if isinstance(option, ClassRef):
            return self._of_class(option)
        if isinstance(option, Instance):
            return self._of_instance(option)
        if isinstance(option, External):
            return _Provided(option.name, None, None, "", None)
        return None

    def _of_class(self, option: ClassRef) -> _Provided:
        if isinstance(option.cls, str):
            return _Provided(option.cls, None, None, "", None)
        member = self._inference.hierarchy.member(option.cls, "__init__")
        function = member.function if member is not None else None
        return _Provided(option.cls.full_name, function, option.cls, "", None)

    def _of_instance(self, option: Instance) -> _Provided:
        if isinstance(option.cls, str):
            return _Provided(option.cls.removesuffix("()"), None, None, option.cls, None)
        member = self._inference.hierarchy.member(option.cls, "__call__")
        library = next(
            (e.cls for e in self._inference.hierarchy.order(option.cls) if isinstance(e.cls, str)), ""
        )
        return _Provided(option.cls.full_name, member.function if member else None, option.cls, library, None)


def _written(expr: ir.Expr) -> str:
    """The provider as a reader wrote it, as far as it is a dotted name or a call of one."""
    return dotted_name(expr.func if isinstance(expr, ir.Call) else expr) or "<expression>"
