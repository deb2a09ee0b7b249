"""Which request data reaches which dangerous calls?

Binds `dataflow` to a backend: `taint_sources` says what a client decides, `taint_sinks` where it must not arrive,
`taint_sanitizers` what makes it harmless. All kinds of sink are solved in one run, on first use. Rules ask
`request_flows`, which says the same in a reader's words.
"""

from __future__ import annotations

from fastapi_architect.analyses.chosen_places import chosen_places
from fastapi_architect.analyses.started_functions import started_functions
from fastapi_architect.analyses.taint_answers import answers
from fastapi_architect.analyses.taint_sanitizers import sanitizers
from fastapi_architect.analyses.taint_sinks import KINDS, find_sinks, kind_named
from fastapi_architect.analyses.taint_sources import Entries, sendings
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.question import question
from fastapi_architect.concepts.cache import CacheRead, RedisCommand
from fastapi_architect.concepts.concept import Concept
from fastapi_architect.concepts.database import DatabaseCall, QueryStart, QueryStep, ValueBinding
from fastapi_architect.concepts.filesystem import FileAccess
from fastapi_architect.concepts.http import OutboundRequest
from fastapi_architect.concepts.identity import TokenDecode
from fastapi_architect.concepts.process import CodeExecution
from fastapi_architect.dataflow.interprocedural import TaintSolver
from fastapi_architect.dataflow.path import TaintPath
from fastapi_architect.dataflow.taint import Sink, TaintQuery
from fastapi_architect.program.definitions import Function
from fastapi_architect.syntax import ir

#: Calls whose result is made of something else than their arguments: a database answers with rows, another service with
#: what it knows, a file with what it holds, and an expression binds the values that it is made of.
_ANSWERING: tuple[type[Concept], ...] = (
    DatabaseCall,
    QueryStart,
    QueryStep,
    RedisCommand,
    CacheRead,
    FileAccess,
    OutboundRequest,
    TokenDecode,  # whoever signed it decided what stands in it
)
_MODELS = ("pydantic.BaseModel", "sqlmodel.SQLModel")


def taint_paths(graph: AppGraph, kind: str) -> tuple[TaintPath, ...]:
    """Ways from request data to sinks of one kind, one for each pair of source and sink, in order of sinks.

    Args:
        graph: the backend.
        kind: name of one of `taint_sinks.KINDS`.

    A source's `fact` is its `Parameter` (or the `Dependency` of a library that gives it); a sink's is its concept.

    Raises:
        KeyError: there is no such kind.
    """
    name = kind_named(kind).name
    return tuple(path for path in _solve(graph)[0] if path.sink.kind == name)


def not_fully_followed(graph: AppGraph) -> tuple[Function, ...]:
    """Functions for which a bound of the analysis was hit: flows through them may be missing.

    Nothing when no rule has asked for flows.
    """
    known = _solve.known(graph)
    return known[1] if known is not None else ()


@question
def _solve(graph: AppGraph) -> tuple[tuple[TaintPath, ...], tuple[Function, ...]]:
    sinks = find_sinks(graph)
    if not sinks:
        return (), ()
    solver = TaintSolver(graph.program, _query(graph, sinks))
    return solver.solve(), tuple(solver.cut)


def _query(graph: AppGraph, sinks: tuple[Sink, ...]) -> TaintQuery:
    entries = Entries(graph)
    made = [
        call.node for concept in _ANSWERING for call in graph.facts(concept) if not _reads_stream(call.node)
    ]
    made += [code.node for code in graph.facts(CodeExecution) if code.kind == "import"]
    return TaintQuery(
        KINDS,
        sinks,
        tuple(entries.sources),
        tuple(entries.provisions),
        (*sendings(graph), *started_functions(graph)),
        sanitizers(graph),
        frozenset(id(node) for node in made),
        {id(binding.node): binding.template for binding in graph.facts(ValueBinding)} | chosen_places(graph),
        records=frozenset(
            [
                *(f"{model}.{method}" for model in _MODELS for method in ("model_dump", "dict")),
                "dataclasses.asdict",
            ]
        ),
        copies=frozenset(
            ["builtins.dict.copy", *(f"{m}.{method}" for m in _MODELS for method in ("model_copy", "copy"))]
        ),
        inner=answers(graph, sinks),
    )


def _reads_stream(node: ir.Call) -> bool:
    """`tarfile.open(fileobj=upload.file)`: what it gives is what it was given."""
    return any(keyword.arg == "fileobj" for keyword in node.keywords)
