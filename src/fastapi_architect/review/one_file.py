"""The review of one file: the same findings that a review of its project has in it, from the files that can matter."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec.structs import replace

from fastapi_architect.findings.finding import Finding
from fastapi_architect.findings.order import ordered
from fastapi_architect.findings.suppression import Suppressed
from fastapi_architect.program.import_graph import ImportGraph, Layout, name_from_outside, source_roots
from fastapi_architect.review import asking, completion, masking, pipeline, reading, silencing
from fastapi_architect.review.config import Config
from fastapi_architect.review.remembered import FileText, Remembered
from fastapi_architect.review.result import NotAnalysed
from fastapi_architect.review.selection import fails_gate, rules_to_run
from fastapi_architect.review.slicing import Slicer
from fastapi_architect.rules.catalog import all_rules
from fastapi_architect.source.tree import NoSuchPath, SourceTree, printable

#: Rules whose findings in one file depend on every test, and are left to the review of the project.
NEED_EVERYTHING = frozenset({"test-hooks-and-coverage-of-auth"})


class FileReview(msgspec.Struct, frozen=True):
    """What was found in one file.

    Attributes:
        root: the project's folder; path: the file in it.
        findings: most severe first. Their fingerprints are empty: they end in a number that counts equal findings of
            the whole project.
        suppressed: silenced ones with reasons.
        not_analysed: files, and parts, that could not be analysed.
        notes: what a reader must know, among it how much was read.
        snippets: as in `Review`.
        failed: a finding is at or above the gate.
        files: Python files analysed; lines: theirs; of: Python files of the project.
        not_asked: rules that would have needed all of the project.
        faults: rules that failed.
        review_time_ms: wall time.
    """

    root: Path
    path: str
    findings: tuple[Finding, ...]
    suppressed: tuple[Suppressed, ...]
    not_analysed: tuple[NotAnalysed, ...]
    notes: tuple[str, ...]
    snippets: Mapping[str, tuple[str, ...]]
    failed: bool
    files: int
    lines: int
    of: int
    not_asked: tuple[str, ...]
    faults: tuple[Exception, ...]
    review_time_ms: int


def review_file(request: pipeline.Request) -> FileReview:
    """Review one Python file with what can matter for it (`review.slicing`).

    Args:
        request: `path` is the file; what is asked about changes, the matrix or CPU has no meaning here, and there is no
            baseline: entries of it are matched with the findings of the whole project.

    Raises:
        NoSuchPath: there is no Python file at the path.
        ValueError: the request has a baseline.
    """
    if request.baseline is not None:
        message = "a baseline needs the review of the whole project"
        raise ValueError(message)
    begin = time.perf_counter()
    root, only = pipeline.project_of(request.path, within=request.within)
    tree = SourceTree.open(root, request.config.exclude).reading_instead(request.instead)
    if only not in tree.python_files:
        message = (
            f"{printable(str(request.path))} is not reviewed: it is no Python file, or .gitignore or the option exclude leaves "
            "it out. Pass a file that ends in .py, or the folder of your application."
        )
        raise NoSuchPath(message)
    rules = all_rules()
    wanted = rules_to_run(rules.values(), request.config)
    ran = wanted - NEED_EVERYTHING
    with reading.without_garbage_collection():
        read = _read(tree, only, request.config, request.remembered or Remembered())
        graph = read.graph
        faults: list[asking.RuleFailed] = []
        found = asking.ask([r for name, r in rules.items() if name in ran], graph, faults=faults)
        completed = completion.complete([f for f in found if f.location.path == only], graph)
        completed = [replace(finding, fingerprint="") for finding in completed]
        silenced = silencing.silence(
            completed, graph.program, {p: c for p, c in read.comments.items() if p == only}, request.config,
            known=rules.keys(), ran=ran, baseline=None, only=frozenset((only,)), silencer=request.silencer,
        )  # fmt: skip
        active = ordered(silenced.active)
        return FileReview(
            root=root,
            path=only,
            findings=active,
            suppressed=silenced.suppressed,
            not_analysed=read.not_analysed,
            notes=(*request.config.notes, *silenced.notes),
            snippets=pipeline.snippets(active, graph, masking.secret_lines(completed)),
            failed=any(fails_gate(finding, request.config) for finding in active),
            files=read.files,
            lines=read.lines,
            of=len(tree.python_files),
            not_asked=tuple(sorted(wanted - ran)),
            faults=tuple(faults),
            review_time_ms=round((time.perf_counter() - begin) * 1000),
        )


def _read(tree: SourceTree, path: str, config: Config, remembered: Remembered) -> reading.Reading:
    """Parse the file's slice and index the program of it."""
    texts = remembered.texts(tree)
    layout = _layout(tree, texts, config)
    paths = {path}
    if path in texts:
        slicer = Slicer(
            {each: text.outline for each, text in texts.items()},
            {each: text.kind for each, text in texts.items()},
            layout.imports,
        )
        paths |= slicer.slice_of(path, [name for _, name in config.project.names()])
    modules = remembered.parse(tree, sorted(paths), texts=texts)
    return reading.understand(replace(tree, unreadable=()), config, modules, layout)


def _layout(tree: SourceTree, texts: Mapping[str, FileText], config: Config) -> Layout:
    """How the modules of the whole tree are called, as far as their texts tell."""
    imported = {path: _absolute_imports(text) for path, text in texts.items()}
    folder_name = name_from_outside(
        reading.folders_of(tree, texts), lambda: (name for names in imported.values() for name in names)
    )
    imports = ImportGraph(sorted(texts), reading.libraries_of(config).is_known_package, folder_name)
    return Layout(imports, source_roots(imports, imported), folder_name)


def _absolute_imports(text: FileText) -> list[str]:
    return [
        name
        for line in text.outline.imports
        if line.runs and not line.target.startswith(".")
        for name in ([line.target] if line.target else [each for each, _ in line.names])
    ]
