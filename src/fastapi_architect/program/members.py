"""What `base.name` is: members of modules, classes and instances, of the program and of libraries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi_architect.program.class_hierarchy import Member
from fastapi_architect.program.definitions import Class, Function, Module
from fastapi_architect.program.types import (
    NONE,
    ClassRef,
    External,
    FunctionRef,
    Instance,
    ModuleRef,
    Type,
    union,
)
from fastapi_architect.syntax import ir

if TYPE_CHECKING:
    from fastapi_architect.program.type_inference import TypeInference


class Members:
    """Members of one program's values."""

    def __init__(self, inference: TypeInference) -> None:
        self._inference = inference
        self._library_members: dict[tuple[Instance | ClassRef, str], Type | None] = {}
        self._attributes: dict[int, dict[str, list[tuple[ir.Expr | None, ir.Expr | None, Function]]]] = {}

    def member_type(self, base: Type, name: str) -> Type | None:
        """What `base.name` is; nothing is known of None, whose attributes only raise."""
        if type(base) is Instance or type(base) is ClassRef:
            return self._class_member(base, name) if base != NONE else None
        if type(base) is ModuleRef:
            if isinstance(base.module, Module):
                return self._inference.module_attribute(base.module, name)
            submodule = self._inference.program.submodule(base.module, name)
            return ModuleRef(submodule) if submodule is not None else None
        if type(base) is External:
            return self._inference.external(f"{base.name}.{name}")
        if type(base) is FunctionRef:
            return External(f"builtins.function.{name}")
        return None

    def _class_member(self, base: Instance | ClassRef, name: str) -> Type | None:
        if isinstance(base.cls, Class):
            member = self._inference.hierarchy.member(base.cls, name)
            if member is not None:
                return self._project_member(base, member)
            if isinstance(base, Instance):
                assigned = self.assigned_attribute(base, name)
                if assigned is not None:
                    return assigned
            return self._find_library_member(base, name)
        key = (base, name)
        if key not in self._library_members:
            self._library_members[key] = self._find_library_member(base, name)
        return self._library_members[key]

    def _find_library_member(self, base: Instance | ClassRef, name: str) -> Type | None:
        dotted = self._inference.hierarchy.library_member(base.cls, name)
        if dotted is None:
            return None
        if type(base) is Instance:
            of = self._inference.library.attribute_type(dotted.rpartition(".")[0], name)
            if of is not None:
                return of
        return External(dotted, base)

    def _project_member(self, base: Instance | ClassRef, member: Member) -> Type | None:
        owner = member.ancestor.cls
        assert isinstance(owner, Class)
        function = member.function
        if function is not None:
            return self._method(base, function)
        of = union(*[self._inference.binding_type(binding, owner) for binding in member.bindings])
        of = self._inference.signatures.seen_from(of, owner, base)
        return self._inference.library.descriptor(of, isinstance(base, Instance)) if of is not None else None

    def _method(self, base: Instance | ClassRef, function: Function) -> Type | None:
        if function.node.decorators:
            if function.has_decorator("property", "cached_property", "hybrid_property"):
                return (
                    self._inference.awaited(self._inference.signatures.return_type(function, base))
                    if isinstance(base, Instance)
                    else None
                )
            if function.has_decorator("staticmethod"):
                return FunctionRef(function)
            if function.has_decorator("classmethod"):
                return FunctionRef(function, ClassRef(base.cls, base.args))
        return FunctionRef(function, base if isinstance(base, Instance) else None)

    def assigned_attribute(self, base: Instance, name: str) -> Type | None:
        """Type of an attribute that methods assign on `self`."""
        found = []
        for ancestor in self._inference.hierarchy.order(base.cls):
            if not isinstance(ancestor.cls, Class):
                continue
            for value, annotation, method in self._assignments(ancestor.cls).get(name, ()):
                of = (
                    self._inference.annotations.annotation(annotation, method)
                    if annotation is not None
                    else self._inference.type_of(value, method)
                )
                found.append(self._inference.signatures.seen_from(of, ancestor.cls, base))
            if found:
                break
        return union(*found)

    def _assignments(self, cls: Class) -> dict[str, list[tuple[ir.Expr | None, ir.Expr | None, Function]]]:
        key = id(cls)
        if key not in self._attributes:
            table: dict[str, list[tuple[ir.Expr | None, ir.Expr | None, Function]]] = {}
            for method in cls.functions:
                if not method.parameters or not method.is_method:
                    continue
                me = method.parameters[0].name
                for site in method.facts.sites(ir.Assign):
                    for target in site.node.targets:
                        if (
                            isinstance(target, ir.Attribute)
                            and isinstance(target.value, ir.Name)
                            and target.value.id == me
                        ):
                            table.setdefault(target.attr, []).append((site.node.value, None, method))
                for site in method.facts.sites(ir.AnnAssign):
                    target = site.node.target
                    if (
                        isinstance(target, ir.Attribute)
                        and isinstance(target.value, ir.Name)
                        and target.value.id == me
                    ):
                        table.setdefault(target.attr, []).append(
                            (site.node.value, site.node.annotation, method)
                        )
            self._attributes[key] = table
        return self._attributes[key]

    def attribute_assignments(self, cls: Class, name: str) -> list[tuple[ir.Expr | None, Function]]:
        """Expressions that methods of `cls` or its bases assign to `self._inference.name`, each with its method."""
        for ancestor in self._inference.hierarchy.order(cls):
            if isinstance(ancestor.cls, Class):
                found = self._assignments(ancestor.cls).get(name)
                if found:
                    return [(value, method) for value, _, method in found]
        return []
