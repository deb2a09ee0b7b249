"""Which file can a request choose, and how does it get out of its folder?

Reads the flows to paths of files: what is done there, what the checks on the way leave open, and how the path was put
together, for rules that show the way back in the reader's own names.
"""

from __future__ import annotations

import pathlib
from typing import Any

import msgspec

from fastapi_architect.analyses.own_code import written
from fastapi_architect.analyses.path_joins import PathJoin, first_join, is_last_part
from fastapi_architect.analyses.request_flows import Flow, flows_to
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.question import question
from fastapi_architect.concepts.filesystem import FileAccess
from fastapi_architect.concepts.http import ResponseCreation
from fastapi_architect.concepts.process import CommandExecution
from fastapi_architect.dataflow.access_path import AccessPath
from fastapi_architect.dataflow.derived_values import computed_from
from fastapi_architect.findings.finding import Step
from fastapi_architect.findings.severity import Confidence
from fastapi_architect.program.definitions import Function, Scope, last_name
from fastapi_architect.syntax import ir

#: The worst first: of several uses of one value in one function the first of these is told.
ACTIONS = ("write", "delete", "move", "run", "send", "read", "list")
_WHOLE_FOLDERS = frozenset(
    {"rmtree", "copytree", "move", "listdir", "scandir", "walk", "iterdir", "glob", "rglob"}
)
#: What is done to a whole folder, and changes it.
_CHANGING_FOLDERS = frozenset({"delete", "move"})
_MAX_DEPTH = 4
#: Uses of one path that are shown.
_MAX_USES = 6
#: What paths have: a step of this name leads from the value to another form of it.
_OF_PATHS = frozenset(name for name in dir(pathlib.Path) if not name.startswith("_"))
#: What is read from a request by hand and holds no uploads.
_TEXTS = frozenset({"body", "json", "query_params", "path_params"})


class FileFlow(msgspec.Struct, frozen=True, eq=False):
    """A request names a file.

    Attributes:
        flow: the way of the value.
        action: write, delete, move, run, send, read or list.
        left: what no check rules out: `up`, `root`, `unresolved`, `weak`.
        confidence: of the flow, lowered where a check might be enough.
        uploaded_name: the value is the name of an uploaded file.
        join: where the value is put behind a folder in another function than the one that uses the path: the
            definition that lacks the check.
        others: more uses of the same path, or of the same value in the same function.
    """

    flow: Flow
    action: str
    left: frozenset[str]
    confidence: Confidence
    uploaded_name: bool
    join: PathJoin | None = None
    others: tuple[Flow, ...] = ()

    @property
    def place(self) -> Any:
        """Where the check is missing."""
        return self.join if self.join is not None else self.flow.fact

    @property
    def routes(self) -> tuple[str, ...]:
        """Operations that use the path."""
        if self.join is None:
            return self.flow.routes
        return tuple(sorted({name for flow in (self.flow, *self.others) for name in flow.routes}))

    @property
    def function(self) -> str:
        """Name of the function that should check."""
        scope = self.join.scope if self.join is not None else self.flow.sink.scope
        return scope.full_name.rpartition(".")[2]

    def trace(self, ending: str) -> tuple[Step, ...]:
        """The shortest way as evidence, and what else is done with the path; `ending` says what happens at the sink."""
        if self.join is None:
            return self.flow.trace(ending)
        path = self.flow.path
        begin, *_, end = self.flow.trace(ending)
        before = msgspec.structs.replace(path, traces=path.traces[: self.join.step]).steps()
        behind = msgspec.structs.replace(path, traces=path.traces[self.join.step :]).steps()
        here = Step(self.join.location, "it is put behind a folder, and nothing keeps it inside")
        more = (
            Step(other.fact.location, f"`{other.sink.scope.name}` uses the path as well, for `{other.name}`")
            for other in self.others[:_MAX_USES]
        )
        return (begin, *before, here, *behind, end, *more)

    @property
    def climbs(self) -> bool:
        """`..` is not refused."""
        return "up" in self.left

    @property
    def replaces(self) -> bool:
        """An absolute path is not refused."""
        return "root" in self.left

    @property
    def why(self) -> str:
        """What is open, as a sentence about the value."""
        name = self.flow.name
        if self.climbs and self.replaces:
            return f"Nothing keeps `..` or a leading slash out of `{name}`."
        if self.climbs:
            return f"Nothing keeps `..` out of `{name}`."
        if self.replaces:
            return f"`..` is refused in `{name}`, a leading slash is not: joined to a folder, it replaces the folder."
        if "unresolved" in self.left:
            return f"The check of `{name}` looks at a path in which `..` still stands: it has to be resolved first."
        return f"The check of `{name}` looks at the first characters only: a sibling whose name begins alike passes."

    @property
    def payload(self) -> str:
        """What an attacker sends."""
        if self.flow.is_one_segment:
            return ".."
        if self.climbs or "unresolved" in self.left:
            return "../../../../etc/passwd"
        return "/etc/passwd" if self.replaces else "../<a sibling of the folder>/file"


@question
def file_flows(graph: AppGraph) -> tuple[FileFlow, ...]:
    """Every file that a request may choose outside its folder, in order of places.

    One for each place that puts a path together for other functions, else one for each value and function.
    """
    found: dict[tuple[int, AccessPath], list[FileFlow]] = {}
    for flow in flows_to(graph, "path"):
        if flow.sink.scope.module.kind == "source" and not _is_harmless_segment(flow):
            each = _file_flow(flow, graph)
            key = (id(each.join.node), ()) if each.join else (id(flow.sink.scope), _value(flow))
            found.setdefault(key, []).append(each)
    return tuple(sorted(map(_worst, found.values()), key=lambda each: each.place.location))


def _worst(found: list[FileFlow]) -> FileFlow:
    first, *others = sorted(
        found, key=lambda f: (f.confidence is Confidence.TENTATIVE, ACTIONS.index(f.action))
    )
    return msgspec.structs.replace(first, others=tuple(each.flow for each in others))


def _value(flow: Flow) -> AccessPath:
    """The value without what is done to it: `file.filename.parent` is `file.filename`."""
    steps = flow.path.path
    return next((steps[:at] for at in range(1, len(steps)) if steps[at] in _OF_PATHS), steps)


def _file_flow(flow: Flow, graph: AppGraph) -> FileFlow:
    join = first_join(flow.path, graph)
    if join is not None and join.scope is flow.sink.scope:
        join = None
    return FileFlow(
        flow,
        action_of(flow),
        flow.path.aspects,
        _confidence(flow, graph),
        _is_of_upload(flow.path.path),
        join,
    )


def _is_of_upload(steps: AccessPath) -> bool:
    """`file.filename`, and not a field of that name in what a request holds as text."""
    return "filename" in steps and not _TEXTS.intersection(steps[1:2])


def _confidence(flow: Flow, graph: AppGraph) -> Confidence:
    """A single part of a path is enough to remove the folder above; what else it reaches is seldom a secret."""
    if not flow.is_one_segment:
        return flow.confidence
    if action_of(flow) in _CHANGING_FOLDERS and is_last_part(flow.path, graph):
        return min(flow.confidence, Confidence.FIRM, key=lambda each: each.rank)
    return Confidence.TENTATIVE


def action_of(flow: Flow) -> str:
    """What is done with the file."""
    fact = flow.fact
    if isinstance(fact, ResponseCreation):
        return "send"
    if isinstance(fact, FileAccess):
        if flow.sink.part == "target":
            return "move" if fact.mode == "move" else "write"
        return fact.mode
    if isinstance(fact, CommandExecution):
        return "run"
    return "write"  # where an archive is unpacked


def _is_harmless_segment(flow: Flow) -> bool:
    """`{name}` matches no slash: at most `..` alone, which names a folder."""
    if not flow.is_one_segment:
        return False
    node: Any = flow.sink.node
    return last_name(node.func) not in _WHOLE_FOLDERS or not flow.path.aspects & {"up"}


def joined_parts(found: FileFlow, graph: AppGraph) -> tuple[str, str] | None:
    """Folder and name, as they are written where the path is put together; None where that is not known."""
    flow, join = found.flow, found.join
    if join is not None:
        if join.folder is None or join.node.__class__ is ir.JoinedStr:
            return None
        folder, name = (written(graph, join.scope, each) for each in (join.folder, join.name))
        return (
            folder if join.node.__class__ is ir.BinOp and join.node.op == "/" else f"Path({folder})"
        ), name
    return _parts(flow.sink.argument, flow.sink.scope, graph, 0)


def _parts(expr: Any, scope: Scope, graph: AppGraph, depth: int) -> tuple[str, str] | None:
    if depth > _MAX_DEPTH or not isinstance(scope, Function):
        return None
    if expr.__class__ is ir.Name:
        binding = computed_from(expr.id, scope)
        return _parts(binding.value, scope, graph, depth + 1) if binding is not None else None
    if expr.__class__ is ir.BinOp and expr.op == "/":
        return written(graph, scope, expr.left), written(graph, scope, expr.right)
    if expr.__class__ is ir.Call:
        if last_name(expr.func) == "join" and len(expr.args) == 2:
            return f"Path({written(graph, scope, expr.args[0])})", written(graph, scope, expr.args[1])
        if last_name(expr.func) in ("str", "Path") and len(expr.args) == 1:
            return _parts(expr.args[0], scope, graph, depth + 1)
    return None
