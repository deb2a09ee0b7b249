"""Which files can matter for what is found in one file? Told from their texts, without parsing them.

A finding in a file can depend on what the file uses, on who uses the file and what these use, on what is made once for
the whole project (applications, engines, settings, brokers), and on the tables that any of these speak of. All of that
is followed by import, name by name through packages that only pass names on, to routers by `include_router`, and to
tables by the names in `relationship("...")` and `ForeignKey("...")`. What is not followed, and why that is enough on
real trees: docs/decisions/0012-one-file-is-reviewed-in-its-slice.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from fastapi_architect.program.import_graph import ImportGraph, dotted_path, resolve_from
from fastapi_architect.source.import_lines import ImportLine, import_lines
from fastapi_architect.source.lazy_pattern import lazy_pattern

#: What is made once for all of a project, and decides how the rest is judged.
_PROJECT_WIDE = (
    "FastAPI(", "Starlette(", "create_engine(", "create_async_engine(", "sessionmaker(", "declarative_base(",
    "DeclarativeBase", "BaseSettings", "Celery(", "dictConfig(", "basicConfig(", "CryptContext(", "PasswordHasher(",
)  # fmt: skip
_OF_TABLES = ("__tablename__", "table=True", "relationship(", "mapped_column(", "Table(")
_ABSTRACT = ("Protocol", "ABC", "abstractmethod")
_INCLUDED = lazy_pattern(r"\b(?:include_router|mount)\(([^()]{0,1000})")
_ROUTE = lazy_pattern(r"@\w+\.(?:get|post|put|patch|delete|websocket|api_route)\(")
_INJECTED = lazy_pattern(r"\b(?:Depends|Security)\(\s*(\w+)")
_CLASS = lazy_pattern(r"class[ \t]+(\w+)")
_BASES = lazy_pattern(r"class[ \t]+\w+\(([^)]{0,1000})\)")
_RELATED_CLASS = lazy_pattern(
    r"relationship\(\s*(?:argument\s*=\s*)?[\"']([\w.]+)|Mapped\[[^\n=]{0,300}[\"'](\w+)[\"']"
)
_RELATED_TABLE = lazy_pattern(
    r"ForeignKey\(\s*[\"']([\w.]+)\.\w+[\"']|foreign_key\s*=\s*[\"']([\w.]+)\.\w+[\"']"
)
_TABLE_NAME = lazy_pattern(r"__tablename__\b[^\n=]{0,200}=\s*[\"']([\w.]+)[\"']")
_WORD = lazy_pattern(r"\w+")
#: At the begin of a line: something is defined, bound or called there.
_OWN_CODE = lazy_pattern(
    r"^(?!__all__|__version__|try:|else:|finally:)(?:class[ \t]|def[ \t]|async[ \t]|@|[A-Za-z_][\w.]*[ \t]*[=(:\[])",
    re.MULTILINE,
)


class Outline(msgspec.Struct, frozen=True):
    """What a file's text tells without being parsed.

    Attributes:
        text: the text.
        imports: its import statements.
        is_project_wide: something is made in it that all of a project shares.
        included: names of routers and applications that it includes.
        has_tables: it describes tables.
        has_routes: it describes operations; has_guards: it injects something, which may be a guard.
    """

    text: str
    imports: tuple[ImportLine, ...]
    is_project_wide: bool
    included: frozenset[str]
    has_tables: bool
    has_routes: bool
    has_guards: bool


def outline_of(text: str) -> Outline:
    """The outline of a text."""
    included: set[str] = set()
    if "include_router(" in text or ".mount(" in text:
        for inside in _INCLUDED.findall(text):
            included.update(_WORD.findall(inside.partition(",")[0]))
    return Outline(
        text,
        import_lines(text),
        any(word in text for word in _PROJECT_WIDE),
        frozenset(included),
        any(word in text for word in _OF_TABLES),
        "APIRouter(" in text or _ROUTE.search(text) is not None,
        "Depends(" in text or "Security(" in text,
    )


class Import(msgspec.Struct, frozen=True):
    """A file imported by another.

    Attributes:
        path: the imported file.
        name: what is taken from it; "" for the module itself, "*" for everything.
        alias: the name that it gets.
    """

    path: str
    name: str
    alias: str


class Slicer:
    """The files of one tree, and who imports whom."""

    def __init__(
        self, outlines: Mapping[str, Outline], kinds: Mapping[str, str], imports: ImportGraph
    ) -> None:
        """Resolve what the outlines import.

        Args:
            outlines: by path, of every file that could be read.
            kinds: path to kind, of the same files.
            imports: which file an import means.
        """
        self._outlines = outlines
        self._kinds = kinds
        self._graph = imports
        self._imports = {path: tuple(self._resolved(path)) for path in outlines}
        self._origins: dict[tuple[str, str], frozenset[str]] = {}

    def slice_of(self, target: str, named: Iterable[str] = ()) -> frozenset[str]:
        """Paths of the files that can matter for what is found in `target`.

        Args:
            target: the file.
            named: dotted names of functions that the configuration speaks of.
        """
        users = self._users_of(target)
        # Routers that are included beside the target's own are not entered, unless it matters for these as well.
        entered = frozenset(self._outlines) if self._is_for_all_routes(target, users) else frozenset(users)
        found: set[str] = set()
        self._follow({*users, *self._project_wide(), *self._holding(named)}, entered, found)
        if self._outlines[target].has_routes:
            self._follow_guards(found)
        self._follow_tables(entered, found)
        if any(self._outlines[path].has_tables for path in found):
            history = {path for path, kind in self._kinds.items() if kind == "migration"}
            history |= {path for path in self._outlines if path.endswith("/env.py")}
            self._follow(history, entered, found)
        if self._kinds[target] != "test":
            found -= {path for path in found if self._kinds[path] == "test"}
            self._follow(self._tests_of(target), entered, found)
        return frozenset(found)

    # ── imports ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _resolved(self, path: str) -> Iterator[Import]:
        """The files of the tree that a file imports."""
        for line in self._outlines[path].imports:
            found = self._from(path, line) if line.target else self._plain(path, line)
            yield from (each for each in found if each.path != path and each.path in self._outlines)

    def _from(self, path: str, line: ImportLine) -> Iterator[Import]:
        files = self._graph.files
        is_relative = line.target.startswith(".")
        dotted = (
            resolve_from(path, line.target)
            if is_relative
            else self._graph.find(_folder_of(path), line.target)
        )
        if dotted is None:
            return
        for name, alias in line.names:
            inner = files.get(f"{dotted}.{name}" if dotted else name)
            if inner is not None:
                yield Import(inner, "", alias)
            if dotted in files:
                yield Import(files[dotted], name, alias)

    def _plain(self, path: str, line: ImportLine) -> Iterator[Import]:
        for name, alias in line.names:
            dotted = self._graph.find(_folder_of(path), name)
            while dotted and dotted not in self._graph.files:
                dotted = dotted.rpartition(".")[0]  # `import a.b.c` where c is an attribute
            if dotted:
                yield Import(self._graph.files[dotted], "", alias)

    def _behind(self, path: str, imported: Import) -> frozenset[str]:
        """The files that an import leads to."""
        if imported.name:
            return self._origin(imported.path, imported.name)
        if not _is_package(imported.path):
            return frozenset((imported.path,))
        found = {imported.path}
        for attribute in set(re.findall(rf"\b{re.escape(imported.alias)}\.(\w+)", self._outlines[path].text)):
            found |= self._origin(imported.path, attribute)
        return frozenset(found)

    def _origin(self, path: str, name: str) -> frozenset[str]:
        """A file, and those from which it passes on a name where it is a package."""
        key = (path, name)
        if key not in self._origins:
            self._origins[key] = frozenset((path,))  # packages that import each other
            found = {path}
            for each in self._imports[path] if _is_package(path) else ():
                if each.name == "*":
                    if name == "*" or name in self._outlines[each.path].text:
                        found |= self._origin(each.path, name)
                elif name in ("*", each.alias):
                    found |= self._origin(each.path, each.name) if each.name else {each.path}
            self._origins[key] = frozenset(found)
        return self._origins[key]

    def _only_passes_on(self, path: str) -> bool:
        """A package with nothing of its own but imports."""
        return _is_package(path) and _OWN_CODE.search(self._outlines[path].text) is None

    # ── following ────────────────────────────────────────────────────────────────────────────────────────────────

    def _users_of(self, target: str) -> set[str]:
        """The file, and who imports it, directly or through others; not by tests."""
        importers: dict[str, set[str]] = {}
        for path, imports in self._imports.items():
            if self._kinds[path] != "test":
                for imported in imports:
                    for origin in self._behind(path, imported):
                        importers.setdefault(origin, set()).add(path)
        found: set[str] = set()
        waiting = [target, *self._abstractions_of(target), *self._naming(target)]
        while waiting:
            path = waiting.pop()
            if path not in found:
                found.add(path)
                waiting += importers.get(path, ())
        return found

    def _tests_of(self, target: str) -> set[str]:
        """Tests that import the file: they call its functions and fill its tables."""
        return {
            path
            for path, imports in self._imports.items()
            if self._kinds[path] == "test"
            if any(target in self._behind(path, imported) for imported in imports)
        }

    def _abstractions_of(self, target: str) -> set[str]:
        """Files with the protocols and abstract classes that the target's classes stand in for: who calls these, calls it."""
        outline = self._outlines[target]
        bases = {word for inside in _BASES.findall(outline.text) for word in _WORD.findall(inside)}
        return {
            origin
            for imported in self._imports[target]
            if imported.alias in bases
            for origin in self._behind(target, imported)
            if any(word in self._outlines[origin].text for word in _ABSTRACT)
        }

    def _naming(self, target: str) -> set[str]:
        """Files that name the target's module in a string, as task queues and servers do."""
        dotted = dotted_path(target)
        if "." not in dotted:
            return set()
        tail = ".".join(dotted.split(".")[-2:])
        return {
            path
            for path, outline in self._outlines.items()
            if f"{tail}." in outline.text or f'{tail}"' in outline.text or f"{tail}:" in outline.text
            if self._kinds[path] == "source"
        }

    def _project_wide(self) -> set[str]:
        return {
            path
            for path, outline in self._outlines.items()
            if outline.is_project_wide and self._kinds[path] == "source"
        }

    def _holding(self, names: Iterable[str]) -> set[str]:
        """Files in which functions of these dotted names may be defined."""
        lasts = {name.rpartition(".")[2] for name in names}
        return {
            path
            for path, outline in self._outlines.items()
            if self._kinds[path] != "test" and any(last in outline.text for last in lasts)
        }

    def _is_for_all_routes(self, target: str, users: set[str]) -> bool:
        """It includes routers, or what includes routers uses it for something else: as middleware, guard or handler."""
        if self._outlines[target].included:
            return True
        return any(
            imported.path in users and imported.alias not in self._outlines[path].included
            for path in users
            if self._outlines[path].included
            for imported in self._imports[path]
        )

    def _follow(self, start: set[str], entered: frozenset[str], found: set[str]) -> None:
        """Add files, and what they use, to `found`; of routers that a file includes only those that are to be entered."""
        waiting = list(start)
        while waiting:
            path = waiting.pop()
            if path in found:
                continue
            found.add(path)
            if path not in start and self._only_passes_on(path):
                continue  # what is taken from it has been followed by name
            included = self._outlines[path].included
            for imported in self._imports[path]:
                if imported.alias not in included or imported.path in entered:
                    waiting += self._behind(path, imported) - found

    def _follow_guards(self, found: set[str]) -> None:
        """Add the other files with operations, and their guards: an operation is judged by how those beside it are guarded."""
        waiting = [
            p for p, outline in self._outlines.items() if outline.has_routes and self._kinds[p] == "source"
        ]
        seen: set[str] = set()
        while waiting:
            path = waiting.pop()
            if path in seen:
                continue
            seen.add(path)
            injected = set(_INJECTED.findall(self._outlines[path].text))
            for imported in self._imports[path]:
                waiting += (
                    origin
                    for origin in self._behind(path, imported)
                    if imported.alias in injected or self._outlines[origin].has_guards
                )
        found |= seen

    def _follow_tables(self, entered: frozenset[str], found: set[str]) -> None:
        """Add the files of tables that tables in `found` refer to by name, again and again."""
        by_class: dict[str, set[str]] = {}
        by_table: dict[str, set[str]] = {}
        for path, outline in self._outlines.items():
            if outline.has_tables and self._kinds[path] not in ("test", "migration"):
                for name in _CLASS.findall(outline.text):
                    by_class.setdefault(name, set()).add(path)
                for name in _TABLE_NAME.findall(outline.text):
                    by_table.setdefault(name, set()).add(path)
        seen: set[str] = set()
        while more := found - seen:
            seen |= more
            for path in more:
                if not self._outlines[path].has_tables:
                    continue
                text = self._outlines[path].text
                classes = {(a or b).rpartition(".")[2] for a, b in _RELATED_CLASS.findall(text)}
                tables = {a or b for a, b in _RELATED_TABLE.findall(text)}
                related = {p for name in classes for p in by_class.get(name, ())}
                related |= {p for name in tables for p in by_table.get(name, ())}
                self._follow(related - found, entered, found)


def _is_package(path: str) -> bool:
    return path.endswith("__init__.py")


def _folder_of(path: str) -> str:
    """The dotted folder that a file lies in."""
    dotted = dotted_path(path)
    return dotted if _is_package(path) else dotted.rpartition(".")[0]
