"""Which file an import means.

A repository seldom says what is on `sys.path`. Each folder above an importing file could be; the one that makes most of
the tree's absolute imports work is taken as the file's root, so that a module has one name everywhere.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache

import msgspec

from fastapi_architect.program.definitions import Module
from fastapi_architect.syntax import ir

#: Stands for the folder above the tree: the tree itself is a package that its modules import by name.
ABOVE = "^"
#: How many folders above a tree may be packages that hold it.
_MAX_OUTSIDE = 4


class ImportGraph:
    """Files by dotted path, and the answer to "what does `import a.b` in this file mean?"."""

    def __init__(
        self, paths: Iterable[str], is_known_package: Callable[[str], bool], folder_name: str = ""
    ) -> None:
        """Index paths.

        Args:
            paths: Python files, relative to the tree's root.
            is_known_package: tells top-level packages of libraries.
            folder_name: name of the tree's root folder, for trees that are a package themselves; dotted
                (`shop.web`) where they lie inside another one.
        """
        self._is_known_package = is_known_package
        self.folder_name = folder_name
        #: Dotted path from the tree's root to file path; a package stands under its folder.
        self.files: dict[str, str] = {}
        #: Dotted path of every folder that holds Python files somewhere below.
        self.folders: set[str] = {""}
        #: Last part of a folder or file to the dotted paths that end so.
        self._by_last: dict[str, list[str]] = {}
        for path in paths:
            dotted = dotted_path(path)
            self.files[dotted] = path
            folder = dotted if path.endswith("__init__.py") else dotted.rpartition(".")[0]
            while folder and folder not in self.folders:
                self.folders.add(folder)
                folder = folder.rpartition(".")[0]
        for dotted in (*self.files, *(f for f in self.folders if f not in self.files)):
            if dotted:
                self._by_last.setdefault(dotted.rpartition(".")[2], []).append(dotted)
        self._memo: dict[tuple[str, str], str | None] = {}

    def find(self, folder: str, name: str) -> str | None:
        """Dotted path (from the tree's root) that absolute `import name` means in a file of `folder`, or None.

        `folder` is a dotted path from the tree's root.
        """
        root = self.root_of(folder, name)
        if root is None:
            return None
        if root == ABOVE:
            if name == self.folder_name:
                return ""
            prefix, dot, inside = name.partition(f"{self.folder_name}.")
            return inside if dot and not prefix and self._exists_partly("", inside) else None
        full = f"{root}.{name}" if root else name
        if self.exists(full):
            return full
        # `import a.b.c` where only a exists: the rest is not in the tree (generated, or an attribute).
        return None if "." in name and not self._exists_partly(root, name) else full

    def root_of(self, folder: str, name: str) -> str | None:
        """The folder on `sys.path` that makes `import name` work, or None."""
        top = name.partition(".")[0]
        key = (folder, top)
        if key not in self._memo:
            self._memo[key] = self._find_top(folder, top)
        return self._memo[key]

    def exists(self, dotted: str) -> bool:
        """A file or a folder with Python files has this dotted path."""
        return dotted in self.files or dotted in self.folders

    def _exists_partly(self, root: str, name: str) -> bool:
        top = name.partition(".")[0]
        return self.exists(f"{root}.{top}" if root else top)

    def _find_top(self, folder: str, top: str) -> str | None:
        # The root farthest from the file first: `app/redis.py` is not what `import redis` means in `app/main.py`.
        roots = _ancestors(folder)
        shadowed = top in sys.stdlib_module_names or self._is_known_package(top)
        for root in roots:
            dotted = f"{root}.{top}" if root else top
            if not self.exists(dotted):
                continue
            if shadowed and (root == folder or not self._is_top_package(root, dotted)):
                continue
            return root
        if shadowed:
            return None
        if top == self.folder_name.partition(".")[0] and top.isidentifier():
            return ABOVE
        # A sibling distribution of a monorepo: the only folder of that name that is not inside a package.
        candidates = [d for d in self._by_last.get(top, ()) if not self._inside_package(d)]
        candidates.sort(key=lambda d: (-_common(d, folder), d.count("."), d))
        return candidates[0].rpartition(".")[0] if candidates else None

    def _is_top_package(self, root: str, dotted: str) -> bool:
        """A package that Python would import before an installed one: the usual `alembic/` folder is none."""
        return dotted in self.files and dotted in self.folders and root not in self.files

    def _inside_package(self, dotted: str) -> bool:
        parent = dotted.rpartition(".")[0]
        return parent in self.files


@lru_cache(maxsize=65536)
def dotted_path(path: str) -> str:
    """`app.core.config` for `app/core/config.py`, `app.core` for `app/core/__init__.py`."""
    folder, slash, name = path.rpartition("/")
    stem = name.rpartition(".")[0] or name
    whole = folder if stem == "__init__" else f"{folder}{slash}{stem}"
    return whole.replace(".", "\u2024").replace("/", ".")


def _ancestors(folder: str) -> list[str]:
    """`["", "a", "a.b"]` for `a.b`."""
    parts = folder.split(".") if folder else []
    return [".".join(parts[:count]) for count in range(len(parts) + 1)]


def _common(left: str, right: str) -> int:
    count = 0
    for a, b in zip(left.split("."), right.split("."), strict=False):
        if a != b:
            break
        count += 1
    return count


def absolute_imports(parsed: ir.ParsedModule) -> Iterable[str]:
    """Dotted names of absolute imports at module level (blocks of `if` and `try` included)."""
    stack = list(parsed.body)
    while stack:
        statement = stack.pop()
        if type(statement) is ir.Import:
            for imported in statement.names:
                yield imported.name
        elif type(statement) is ir.ImportFrom:
            if statement.level == 0:
                yield statement.module
        elif type(statement) is ir.If:
            stack += [*statement.body, *statement.orelse]
        elif type(statement) is ir.Try:
            stack += statement.body


def name_from_outside(folders: Sequence[str], imported: Callable[[], Iterable[str]]) -> str:
    """Dotted name by which the modules of a tree import it: its folder's, or `shop.web` where that lies in a package.

    Args:
        folders: names of the folders that lead to the tree, its own last.
        imported: gives the absolute imports of all its modules.

    The shortest name that some module imports from; the folder's own where none does.
    """
    if not folders:
        return ""
    names = [".".join(folders[-count:]) for count in range(1, min(len(folders), _MAX_OUTSIDE) + 1)]
    inner = [name for name in names if all(part.isidentifier() for part in name.split("."))]
    if len(inner) < 2:
        return names[0]
    everything = set(imported())
    for name in inner:
        if any(each == name or each.startswith(f"{name}.") for each in everything):
            return name
    return names[0]


class Layout(msgspec.Struct, frozen=True):
    """How the modules of a tree are called, and which file an import means.

    Attributes:
        imports: the tree's files.
        roots: path to the folder (dotted) that the module's name starts from.
        folder_name: name of the tree's root folder, for trees that are a package themselves.
    """

    imports: ImportGraph
    roots: Mapping[str, str]
    folder_name: str


def source_roots(graph: ImportGraph, imported: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """For each file the folder (dotted) that its module name starts from.

    Args:
        graph: the tree's files.
        imported: path to the absolute imports that run when the file is imported.

    Every absolute import that works votes for the root that makes it work; a file belongs to the best voted root
    above it. Without a vote, to the first folder above its packages.
    """
    votes: Counter[str] = Counter()
    for path, names in imported.items():
        folder = dotted_path(path) if path.endswith("__init__.py") else dotted_path(path).rpartition(".")[0]
        for name in set(names):
            root = graph.root_of(folder, name)
            if root is not None:
                votes[root] += 1
    roots = {}
    for path in imported:
        folder = dotted_path(path).rpartition(".")[0]
        above = [root for root in (ABOVE, *_ancestors(folder)) if root in votes]
        if above:
            roots[path] = max(above, key=lambda root: (votes[root], -len(root)))
        else:
            roots[path] = _above_packages(graph, folder)
    return roots


def _above_packages(graph: ImportGraph, folder: str) -> str:
    while folder and folder in graph.files:
        folder = folder.rpartition(".")[0]
    return folder if folder.rpartition(".")[2] in ("src", "backend", "server", "api") else ""


def module_name(path: str, root: str, folder_name: str = "") -> str:
    """Dotted name of a file below `root` (dotted)."""
    dotted = dotted_path(path)
    if root == ABOVE:
        return f"{folder_name}.{dotted}" if dotted else folder_name
    if root and dotted.startswith(root + "."):
        return dotted[len(root) + 1 :]
    return dotted or "__init__"


def resolve_relative(module: Module, target: str) -> str | None:
    """Dotted path from the tree's root that `from ..x import` (with its dots) means in `module`; None: it lies above."""
    return resolve_from(module.path, target)


def resolve_from(path: str, target: str) -> str | None:
    """As `resolve_relative`, in the file at `path`."""
    level = len(target) - len(target.lstrip("."))
    folder = dotted_path(path)
    if not path.endswith("__init__.py"):
        folder = folder.rpartition(".")[0]
    rest = target[level:]
    for _ in range(level - 1):
        if not folder:
            # Only a folder of a package is under review: what stands above it is not in the tree, whatever is called alike.
            return None
        folder = folder.rpartition(".")[0]
    return f"{folder}.{rest}" if folder and rest else folder or rest
