"""The review on one screen."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from fastapi_architect.analyses.matrix import matrix
from fastapi_architect.analyses.session_flow import sessions_not_fully_followed
from fastapi_architect.analyses.strengths import measure, subjects
from fastapi_architect.analyses.taint import not_fully_followed
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.findings import baseline as baselines
from fastapi_architect.findings.finding import Finding
from fastapi_architect.findings.order import ordered
from fastapi_architect.findings.score import score
from fastapi_architect.review import asking, changes, completion, masking, reading, silencing
from fastapi_architect.review.checklist import checklist
from fastapi_architect.review.config import Config, unknown_name, unknown_route
from fastapi_architect.review.remembered import Remembered
from fastapi_architect.review.result import ApplicationSummary, NotAnalysed, Review, Strength
from fastapi_architect.review.selection import fails_gate, rules_to_run
from fastapi_architect.rules.catalog import all_rules
from fastapi_architect.source.tree import SourceTree

if TYPE_CHECKING:
    from fastapi_architect.review.clock import Clock

#: Files in the folder of a project.
PROJECT_MARKS = ("pyproject.toml", "requirements.txt", "setup.py")
#: Lines shown around a finding.
_SNIPPET = 3


class Request(msgspec.Struct, frozen=True):
    """What to review, and how.

    Attributes:
        path: a folder, or one Python file (its whole project is analysed, the file alone reported).
        config: validated configuration.
        jobs: processes that parse.
        cache: use the parse cache.
        changed_since: report findings on lines changed since this revision only.
        baseline: known findings, None for none.
        matrix: work out the authorisation matrix too; only some reports show it.
        progress: called with (stage, done, total).
        profile: measure the CPU of rules and of the questions they share, which takes longer.
        within: nothing outside this folder (absolute, without symbolic links) is read; None: a file's project and the
            configuration are looked for upwards.
        instead: paths to bytes that are read in place of the files' own; a Python file that is not there is read, too.
        files: names of files below `path`, a folder: findings in these alone are reported; None for all.
        remembered: what earlier reviews of this process have parsed, and where this one leaves what it parses.
        question: asked of the application's graph before any rule is; what it raises ends the review.
        tree: read in place of the one at `path`, which is only its name then.
        silencer: decides whether suppressions of the reviewed code count, and silences more; None: they do.
        at_file: told the path of each file before it is parsed in this process.
    """

    path: Path
    config: Config = msgspec.field(default_factory=Config)
    jobs: int = 1
    cache: bool = True
    changed_since: str | None = None
    baseline: baselines.Baseline | None = None
    matrix: bool = False
    progress: reading.Progress | None = None
    profile: bool = False
    within: Path | None = None
    instead: Mapping[str, bytes] = msgspec.field(default_factory=dict)
    files: frozenset[str] | None = None
    remembered: Remembered | None = None
    question: Callable[[AppGraph], object] | None = None
    tree: SourceTree | None = None
    silencer: silencing.Silencer | None = None
    at_file: Callable[[str], None] | None = None


def review(request: Request) -> Review:
    """Review a backend without running it.

    Raises:
        NoSuchPath: there is nothing at the path.
        ChangesError: `changed_since` names no revision, or the path lies in no repository.
    """
    begin = time.perf_counter()
    root, only = (
        (request.path, None) if request.tree is not None else project_of(request.path, within=request.within)
    )
    tree = request.tree or SourceTree.open(root, request.config.exclude).reading_instead(request.instead)
    changed = changes.changed_lines(root, request.changed_since) if request.changed_since else None
    rules = all_rules()
    ran = rules_to_run(rules.values(), request.config)
    clock = _clock() if request.profile else None
    with reading.without_garbage_collection(), clock.watching() if clock is not None else nullcontext():
        read = reading.read(
            tree,
            request.config,
            jobs=request.jobs,
            cache=request.cache,
            progress=request.progress,
            at_file=request.at_file,
            remembered=request.remembered,
        )
        graph = read.graph
        _names_exist(request.config, graph)
        answer = request.question(graph) if request.question is not None else None
        faults: list[asking.RuleFailed] = []
        wanted = [r for name, r in rules.items() if name in ran]
        found = asking.ask(wanted, graph, clock, faults, request.progress)
        completed = completion.complete(found, graph)
        silenced = silencing.silence(
            completed, graph.program, read.comments, request.config,
            known=rules.keys(), ran=ran, baseline=request.baseline, changed=changed,
            only=frozenset((only,)) if only is not None else request.files, silencer=request.silencer,
        )  # fmt: skip
        active = ordered(silenced.active)
        size = units(graph)
        if request.baseline is not None and request.baseline.units is not None:
            size = request.baseline.units  # frozen, so that growing the project cannot raise its score
        return Review(
            root=str(request.path),
            findings=active,
            suppressed=silenced.suppressed,
            contested=silenced.contested,
            not_analysed=(*read.not_analysed, *_partly_followed(graph)),
            left_out=silenced.left_out,
            strengths=tuple(Strength(m.text, m.measured, m.total) for m in measure(graph)),
            checklist=checklist(
                active, built=rules.keys(), ran=ran, subjects=subjects(graph), unreported=silenced.unreported
            ),
            applications=tuple(summaries(graph)),
            score=score(active, size),
            files=read.files,
            lines=read.lines,
            gate=request.config.gate,
            failed=any(fails_gate(finding, request.config) for finding in active),
            notes=(*request.config.notes, *_about(tree, graph), *silenced.notes),
            matrix=tuple(matrix(graph)) if request.matrix else (),
            snippets=snippets(active, graph, masking.secret_lines(completed)),
            units=units(graph),
            faults=tuple(faults),
            review_time_ms=round((time.perf_counter() - begin) * 1000),
            spent=clock.spent() if clock is not None else None,
            answer=answer,
            partial=only is not None or request.files is not None or changed is not None,
        )


def _clock() -> Clock:
    from fastapi_architect.review.clock import Clock  # few reviews are profiled

    return Clock()


def _names_exist(config: Config, graph: AppGraph) -> None:
    """Refuse project facts about functions or routes that nobody has; names of libraries are taken on trust.

    Raises:
        ConfigError: naming the key, the name and the nearest one.
    """
    program = graph.program
    tops = {module.name.partition(".")[0] for module in program.modules.values()}
    for key, name in config.project.names():
        if name.partition(".")[0] in tops and program.symbol(name) is None and not _is_attribute(name, graph):
            names = [f.full_name for f in program.functions] + [c.full_name for c in program.classes]
            raise unknown_name(config, key, name, names)
    routes = [name for operation in graph.operations for name in operation.names]
    for route in config.project.public_routes:
        # A router that could not be followed may hold it.
        if f"{route.method} {route.path}" not in routes and not graph.unresolved:
            raise unknown_route(config, f"{route.method} {route.path}", routes)


def _is_attribute(name: str, graph: AppGraph) -> bool:
    """A variable of a module: an instance that is used as a dependency."""
    module = graph.program.module_named(name.rpartition(".")[0])
    return module is not None and name.rpartition(".")[2] in module.facts.bindings


def project_of(path: Path, *, within: Path | None = None) -> tuple[Path, str | None]:
    """The folder to analyse and, when `path` is one file, that file's name in it.

    A file's project is the nearest folder upwards with a pyproject.toml, requirements.txt or .git, not above `within`; its
    own folder when there is none.
    """
    if not path.is_file():
        return path, None
    path = path.absolute()
    root = project_around(path, within=within) or path.parent
    return root, path.relative_to(root).as_posix()


def project_around(path: Path, *, within: Path | None = None) -> Path | None:
    """The nearest folder upwards of an absolute path that a project begins with, not above `within`; None: there is none."""
    for folder in path.parents:
        if any((folder / name).exists() for name in (*PROJECT_MARKS, ".git")):
            return folder
        if folder == within:
            break
    return None


def units(graph: AppGraph) -> int:
    """Size of a project for its score: operations, tasks, models and revisions."""
    return len(graph.operations) + len(graph.tasks) + len(graph.models) + len(graph.revisions)


def summaries(graph: AppGraph) -> list[ApplicationSummary]:
    """One line for each application, those of Starlette alone too."""
    found = []
    for application in (*graph.applications, *graph.plain_applications):
        http = [o for o in application.operations if not o.is_websocket]
        guarded = sum(graph.access(o).authenticated for o in application.operations)
        found.append(
            ApplicationSummary(
                application.name,
                application.module_path,
                len(http),
                len(application.operations) - len(http),
                guarded,
                len(application.operations) - guarded,
            )
        )
    return found


def _about(tree: SourceTree, graph: AppGraph) -> list[str]:
    """What a reader must know to judge the result: a review never prints a silent zero."""
    notes = []
    if tree.nothing_to_review:
        notes.append(tree.nothing_to_review)
    elif not graph.applications:
        notes.append(_without_application(graph))
    notes += [f"{u.location}: {u.what}: {u.reason}" for u in graph.unresolved]
    return notes


def _without_application(graph: AppGraph) -> str:
    if graph.plain_applications:
        return (
            "No FastAPI application was found here, but Starlette alone: rules about validation, dependencies and "
            "documentation have nothing to say."
        )
    if graph.strays is None:
        return "No FastAPI application was found here; rules that need none have run. Pass the folder of your application."
    number = len(graph.operations)
    operations = f"{number} operation{'s' if number != 1 else ''}"
    return (
        f"No FastAPI application was found here, but routers with {operations}: they were reviewed without the prefixes, guards "
        "and middleware that their application adds. Pass the folder that holds it."
    )


def _partly_followed(graph: AppGraph) -> list[NotAnalysed]:
    """Functions in which so much meets that a bound ended the analysis of it."""
    bounded = {
        "so many values meet in `{}` that not every flow of request data through it was followed": not_fully_followed,
        "so much happens to sessions in `{}` that not every transaction through it was followed": sessions_not_fully_followed,
    }
    found = [
        (f.location(), f.name, reason) for reason, functions in bounded.items() for f in functions(graph)
    ]
    return [NotAnalysed(place.path, reason.format(name), place.line) for place, name, reason in sorted(found)]


def snippets(
    findings: tuple[Finding, ...], graph: AppGraph, secret: frozenset[tuple[str, int]]
) -> Mapping[str, tuple[str, ...]]:
    """The lines around findings, by their places; those with a secret are masked."""
    lines = {}
    for finding in findings:
        place = finding.location
        last = min(place.end_line or place.line, place.line + 12)
        first = max(place.line - _SNIPPET, 1)
        shown = completion.lines_between(graph, place.path, first, last + _SNIPPET)
        lines[str(place)] = tuple(
            masking.masked(line) if (place.path, number) in secret else line
            for number, line in enumerate(shown, start=first)
        )
    return lines
