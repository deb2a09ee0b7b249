"""Which module of the program imports which, where, and whether at import time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.question import question
from fastapi_architect.program.definitions import Module, last_name
from fastapi_architect.program.facts import Site
from fastapi_architect.syntax import ir


class ModuleImport(msgspec.Struct, frozen=True, eq=False):
    """One module imported by another, at module level.

    Attributes:
        importer, imported: the modules.
        site: the import statement.
        names: names taken from it; empty when the module itself is imported.
        for_types: it stands under `if TYPE_CHECKING`.
    """

    importer: Module
    imported: Module
    site: Site
    names: tuple[str, ...]
    for_types: bool


class ModuleImports:
    """Imports of one program, read once a module."""

    def __init__(self, graph: AppGraph) -> None:
        self._program = graph.program
        self._read: dict[str, tuple[ModuleImport, ...]] = {}

    def of(self, module: Module) -> tuple[ModuleImport, ...]:
        """What a module imports when it is itself imported, in order; packages on the way left out."""
        if module.path not in self._read:
            self._read[module.path] = tuple(self._imports(module))
        return self._read[module.path]

    def reached_from(self, modules: Iterable[Module]) -> dict[str, Module]:
        """Modules by path that importing `modules` imports, themselves included."""
        found: dict[str, Module] = {}
        stack = list(modules)
        while stack:
            current = stack.pop()
            if current.path not in found:
                found[current.path] = current
                stack += [each.imported for each in self.of(current) if not each.for_types]
        return found

    def _imports(self, module: Module) -> Iterator[ModuleImport]:
        for site in module.facts.sites(ir.Import):
            for imported in site.node.names:
                found = self._program.module_of(module, imported.name)
                if isinstance(found, Module):
                    yield ModuleImport(module, found, site, (), _for_types(site))
        for site in module.facts.sites(ir.ImportFrom):
            target = "." * site.node.level + site.node.module
            found = self._program.module_of(module, target)
            if found is None:
                continue
            rest = []
            for imported in site.node.names:
                inner = self._program.submodule(found, imported.name)
                if isinstance(inner, Module):
                    yield ModuleImport(module, inner, site, (), _for_types(site))
                else:
                    rest.append(imported.name)
            if rest and isinstance(found, Module):
                yield ModuleImport(module, found, site, tuple(rest), _for_types(site))


def _for_types(site: Site) -> bool:
    tests = (getattr(context.node, "test", None) for context in site.context if context.role == "if")
    return any(test is not None and last_name(test) == "TYPE_CHECKING" for test in tests)


@question
def module_imports(graph: AppGraph) -> ModuleImports:
    """The imports of a graph; one for each graph."""
    return ModuleImports(graph)
