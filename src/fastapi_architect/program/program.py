"""The program: every parsed module, indexed, with the questions that later layers ask."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

from fastapi_architect.program.call_graph import CallGraph
from fastapi_architect.program.constants import Constants
from fastapi_architect.program.definitions import (
    Class,
    Function,
    Module,
    Scope,
    all_classes,
    all_functions,
    last_name,
)
from fastapi_architect.program.facts import Site
from fastapi_architect.program.import_graph import (
    ImportGraph,
    Layout,
    absolute_imports,
    dotted_path,
    module_name,
    resolve_relative,
    source_roots,
)
from fastapi_architect.program.library_model import LibraryModel
from fastapi_architect.program.type_inference import TypeInference
from fastapi_architect.syntax import ir

#: More identifiers than this are looked for together, in one pass over those of a module.
_MANY = 4


class Program:
    """All modules of a tree.

    Attributes:
        modules: by path, sorted.
        functions: every function, methods and nested ones too, in order of files.
        classes: every class.
        inference: types of expressions.
        constants: values of expressions.
        calls: the call graph.
    """

    def __init__(
        self,
        parsed: Mapping[str, ir.ParsedModule],
        library: LibraryModel,
        kinds: Mapping[str, str] | None = None,
        folder_name: str = "",
        layout: Layout | None = None,
    ) -> None:
        """Index parsed files.

        Args:
            parsed: path relative to the tree's root to its syntax.
            library: what is known about libraries.
            folder_name: name of the tree's root folder, for trees that are a package themselves.
            kinds: path to kind (source, test, vendored, generated, migration, example); source when absent.
            layout: of the whole tree, where `parsed` is a part of it; worked out from `parsed` when None.
        """
        paths = sorted(parsed)
        if layout is None:
            imports = ImportGraph(paths, library.is_known_package, folder_name)
            imported = {path: absolute_imports(parsed[path]) for path in paths}
            layout = Layout(imports, source_roots(imports, imported), folder_name)
        self.imports = layout.imports
        roots, folder_name = layout.roots, layout.folder_name
        kinds = kinds or {}
        self.modules: dict[str, Module] = {
            path: Module(
                module_name(path, roots[path], folder_name),
                path,
                parsed[path],
                kinds.get(path, "source"),
                roots[path],
            )
            for path in paths
        }
        self._by_dotted = {dotted_path(path): module for path, module in self.modules.items()}
        self.library = library
        self.inference = TypeInference(self, library)
        self.constants = Constants(self.inference)
        self.calls = CallGraph(self)
        self._kept: list[object] = []
        self._sites_named: dict[str, list[Site]] = {}
        #: What layers above found about expressions: (question, identities) to the expression and the answer.
        self.answers: dict[tuple[str, int, int], tuple[ir.Expr, Any]] = {}
        self._found_modules: dict[tuple[str, str], Module | str | None] = {}

    def keep(self, expr: object) -> None:
        """Keep an expression alive: memo tables go by its identity."""
        self._kept.append(expr)

    @cached_property
    def functions(self) -> tuple[Function, ...]:
        """Every function of the program."""
        return tuple(f for module in self.modules.values() for f in all_functions(module))

    @cached_property
    def classes(self) -> tuple[Class, ...]:
        """Every class of the program."""
        return tuple(c for classes in self._classes_in.values() for c in classes)

    @cached_property
    def _classes_in(self) -> dict[int, tuple[Class, ...]]:
        """Identity of a module to its classes."""
        return {id(module): tuple(all_classes(module)) for module in self.modules.values()}

    @cached_property
    def _scopes_calling(self) -> dict[str, list[Scope]]:
        """Last name of a call to the bodies that contain one."""
        index: dict[str, list[Scope]] = {}
        for module in self.modules.values():
            for name in module.parsed.called:
                index.setdefault(name, []).append(module)
            for function in all_functions(module):
                for name in function.node.called:
                    index.setdefault(name, []).append(function)
        return index

    @property
    def called_names(self) -> Iterable[str]:
        """Last name of every call in the program, each once."""
        return (name for name in self._scopes_calling if name)

    @cached_property
    def _renamed(self) -> dict[str, set[str]]:
        """A name to the other names under which it is called: `import text as sql`, `hash_password = context.hash`."""
        index: dict[str, set[str]] = {}
        for module in self.modules.values():
            for name, bindings in module.facts.bindings.items():
                if name not in self._scopes_calling:
                    continue
                for binding in bindings:
                    own = binding.attribute if binding.kind == "from" else ""
                    if (
                        binding.kind in ("assign", "annotated")
                        and binding.value is not None
                        and not binding.path
                    ):
                        own = last_name(binding.value)
                    if own and own != name:
                        index.setdefault(own, set()).add(name)
        return index

    def scopes_calling(self, name: str) -> list[Scope]:
        """Bodies (functions, and modules at module level) that contain a call whose last name is `name`."""
        return self._scopes_calling.get(name, [])

    def call_sites_named(self, name: str) -> list[Site]:
        """Call sites whose target's last name is `name`, in order of files; class bodies included.

        Sites that use another name for it (`from sqlalchemy import text as sql`) come behind.
        """
        known = self._sites_named.get(name)
        if known is None:
            known = self._sites_written(name)
            for other in sorted(self._renamed.get(name, ())):
                known = known + self._sites_written(other)
            self._sites_named[name] = known
        return known

    def _sites_written(self, name: str) -> list[Site]:
        scopes = list(self.scopes_calling(name))
        scopes += [
            cls for scope in scopes if isinstance(scope, Module) for cls in self._classes_in[id(scope)]
        ]
        return [site for scope in scopes for site in scope.facts.calls_named(name)]

    def call_sites(self, names: Iterable[str]) -> list[tuple[Site, str]]:
        """Call sites of library or program callables by dotted name, each with the name it was found by.

        Only sites whose last name fits are resolved.
        """
        wanted = frozenset(names)
        found = []
        for last in sorted({name.rpartition(".")[2] for name in wanted}):
            for site in self.call_sites_named(last):
                known = self.calls.names(site)
                if not wanted.isdisjoint(known):
                    found.append((site, next(n for n in known if n in wanted)))
        found.sort(key=lambda pair: (pair[0].scope.module.path, pair[0].node.span))
        return found

    def module_of(self, module: Module, target: str) -> Module | str | None:
        """What `import target` means in `module`: a module, the dotted path of a namespace folder, or None (a library)."""
        key = (module.path, target)
        if key in self._found_modules:
            return self._found_modules[key]
        found = self._found_modules[key] = self._find_module(module, target)
        return found

    def _find_module(self, module: Module, target: str) -> Module | str | None:
        if target.startswith("."):
            dotted: str | None = resolve_relative(module, target)
        else:
            folder = dotted_path(module.path)
            if not module.is_package:
                folder = folder.rpartition(".")[0]
            dotted = self.imports.find(folder, target)
        if dotted is None:
            return None
        if dotted in self._by_dotted:
            return self._by_dotted[dotted]
        return dotted if dotted in self.imports.folders else None

    def submodule(self, package: Module | str, name: str) -> Module | str | None:
        """The module or folder `name` inside a package or namespace folder, or None."""
        if isinstance(package, Module):
            if not package.is_package:
                return None
            package = dotted_path(package.path)
        dotted = f"{package}.{name}" if package else name
        if dotted in self._by_dotted:
            return self._by_dotted[dotted]
        return dotted if dotted in self.imports.folders else None

    def module_named(self, dotted: str) -> Module | None:
        """The module of that name (`app.main`), or None; the first by path when several roots have one."""
        return self._by_name.get(dotted)

    @cached_property
    def _by_name(self) -> dict[str, Module]:
        index: dict[str, Module] = {}
        for module in self.modules.values():
            index.setdefault(module.name, module)
        return index

    @cached_property
    def _symbols(self) -> dict[str, Function | Class]:
        index: dict[str, Function | Class] = {}
        everything: tuple[Function | Class, ...] = (*self.functions, *self.classes)
        for each in everything:
            index.setdefault(each.full_name, each)
        return index

    def symbol(self, dotted: str) -> Function | Class | None:
        """The function or class of that full name, or None."""
        return self._symbols.get(dotted)

    def mentioning(self, *identifiers: str) -> list[Module]:
        """Modules that contain one of these identifiers."""
        if len(identifiers) > _MANY:
            wanted = frozenset(identifiers)
            return [m for m in self.modules.values() if not wanted.isdisjoint(m.parsed.identifiers)]
        return [m for m in self.modules.values() if any(map(m.mentions, identifiers))]
