"""From files to a program: read, parse, index. What could not be read or parsed is a value in the result."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import contextmanager

import msgspec

from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.project_facts import ProjectFacts
from fastapi_architect.libraries.library import Libraries
from fastapi_architect.libraries.registry import all_libraries
from fastapi_architect.libraries.taught import with_taught
from fastapi_architect.program.import_graph import Layout, absolute_imports, name_from_outside
from fastapi_architect.program.program import Program
from fastapi_architect.review.config import Config
from fastapi_architect.review.remembered import Remembered
from fastapi_architect.review.result import NotAnalysed
from fastapi_architect.source.tree import SourceTree, printable
from fastapi_architect.syntax import ir
from fastapi_architect.syntax.cache import ParseCache
from fastapi_architect.syntax.workers import parse_all

#: Called with (stage, done, total).
Progress = Callable[[str, int, int], None]


class Reading(msgspec.Struct, frozen=True):
    """A tree that has been read.

    Attributes:
        graph: the program as an application graph.
        not_analysed: files and parts that were not.
        files: Python files read; lines: their lines.
        comments: comments that speak to this tool, by path.
    """

    graph: AppGraph
    tree: SourceTree
    not_analysed: tuple[NotAnalysed, ...]
    files: int
    lines: int
    comments: dict[str, list[ir.Comment]]


#: Frames that a chain of inferences may need; the inference itself stops long before (`type_inference.MAX_DEPTH`).
_RECURSION_LIMIT = 12_000


@contextmanager
def without_garbage_collection() -> Iterator[None]:
    """Keep the collector off while many objects are made that all stay alive, and let inference go deep.

    Both are put back. Calls between Python functions need no C stack, so that a high limit is safe.
    """
    was = gc.isenabled()
    limit = sys.getrecursionlimit()
    gc.disable()
    sys.setrecursionlimit(max(limit, _RECURSION_LIMIT))
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)
        if was:
            gc.enable()


def read(
    tree: SourceTree,
    config: Config,
    *,
    jobs: int = 1,
    cache: bool = True,
    progress: Progress | None = None,
    at_file: Callable[[str], None] | None = None,
    remembered: Remembered | None = None,
) -> Reading:
    """Parse every Python file of a tree and index the program.

    Args:
        tree: the tree under review.
        config: what is taught about the project.
        jobs: processes that parse.
        cache: use the parse cache.
        progress: called with (stage, done, total).
        at_file: told the path of each file before it is parsed in this process.
        remembered: what earlier reviews of this process have parsed.
    """
    parse = parse_all if remembered is None else remembered.parse
    modules = parse(
        tree,
        tree.python_files,
        jobs=jobs,
        cache=ParseCache.for_tree(tree.root) if cache else None,
        progress=(lambda done, total: progress("reading", done, total)) if progress is not None else None,
        at_file=at_file,
    )
    if progress is not None:
        progress("understanding", 0, 0)
    return understand(tree, config, modules)


def understand(
    tree: SourceTree,
    config: Config,
    modules: Mapping[str, ir.ParsedModule | ir.Unparsed],
    layout: Layout | None = None,
) -> Reading:
    """Index the program of files that have been parsed.

    Args:
        tree: where they lie.
        config: what is taught about the project.
        modules: by path.
        layout: of the whole tree where `modules` are a part of it.
    """
    parsed: dict[str, ir.ParsedModule] = {}
    not_analysed = [NotAnalysed(printable(each.path), each.reason) for each in tree.unreadable]
    lines = 0
    comments: dict[str, list[ir.Comment]] = {}
    for path, module in modules.items():
        lines += module.lines
        if isinstance(module, ir.Unparsed):
            not_analysed.append(NotAnalysed(printable(path), module.reason, module.line))
            continue
        parsed[path] = module
        not_analysed += [NotAnalysed(printable(path), reason) for reason in module.truncated]
        if module.comments:
            comments[path] = module.comments
    kinds = {path: tree.kind_of(path) for path in parsed}
    libraries = libraries_of(config)
    folder_name = _name_from_outside(tree, parsed) if layout is None else ""
    graph = AppGraph(
        Program(parsed, libraries, kinds, folder_name, layout),
        libraries,
        tree,
        project_facts(config),
    )
    ordered = tuple(sorted(not_analysed, key=lambda n: (n.file, n.line, n.reason)))
    return Reading(graph, tree, ordered, len(modules), lines, comments)


def libraries_of(config: Config) -> Libraries:
    """Every library, with what the configuration teaches about them."""
    facts = config.project
    return with_taught(all_libraries(), facts.sources, {each.name: each.kinds for each in facts.sinks})


def _name_from_outside(tree: SourceTree, parsed: Mapping[str, ir.ParsedModule]) -> str:
    """By what name the tree's modules import it, should it be a package."""
    return name_from_outside(
        folders_of(tree, parsed),
        lambda: (name for each in parsed.values() for name in absolute_imports(each)),
    )


def folders_of(tree: SourceTree, paths: Container[str]) -> tuple[str, ...]:
    """Names of the folders that lead to a tree and by which its modules may import it, its own last."""
    folders = tree.folders_above
    return folders if "__init__.py" in paths else folders[-1:]


def project_facts(config: Config) -> ProjectFacts:
    """What the configuration teaches, as the graph wants it."""
    facts = config.project
    return ProjectFacts(
        frozenset(facts.authentication),
        frozenset(facts.permissions),
        {f"{route.method} {route.path}": route.reason for route in facts.public_routes},
        facts.exposure,
        dict(facts.data_classes),
        dict(facts.gateway),
        {each.name: each.kinds for each in facts.sanitizers},
    )
