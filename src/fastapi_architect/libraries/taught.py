"""What functions mean that the configuration names: a project's own dangerous calls and its own ways for strangers' texts to come in.

[tool.fastapi-architect.project]
sources = ["app.queue.receive"]
sinks = [{ name = "app.shell.run", kind = "command" }]
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from fastapi_architect.concepts.concept import Concept
from fastapi_architect.concepts.database import DocumentOperation, SqlText
from fastapi_architect.concepts.filesystem import FileAccess
from fastapi_architect.concepts.http import OutboundRequest, ResponseCreation, StrangersText
from fastapi_architect.concepts.process import CodeExecution, CommandExecution
from fastapi_architect.concepts.serialization import Deserialization
from fastapi_architect.concepts.template import SafeMarkup, TemplateSource
from fastapi_architect.libraries.library import Libraries, Library, RecognisedCall


class _Meaning(msgspec.Struct, frozen=True):
    """The concept that a call stands for; `field` holds what it is given first."""

    concept: type[Concept]
    field: str
    others: Mapping[str, Any] = msgspec.field(default_factory=dict)


#: What a call of a function means that the configuration names as a sink of that kind.
_MEANS = {
    "code": _Meaning(CodeExecution, "code"),
    "command": _Meaning(CommandExecution, "command", {"shell": True}),
    "deserialization": _Meaning(Deserialization, "data", {"format": "pickle"}),
    "html": _Meaning(SafeMarkup, "text"),
    "nosql": _Meaning(DocumentOperation, "query", {"operation": "find"}),
    "path": _Meaning(FileAccess, "path"),
    "redirect": _Meaning(ResponseCreation, "url", {"kind": "redirect"}),
    "sql": _Meaning(SqlText, "text"),
    "template": _Meaning(TemplateSource, "source"),
    "url": _Meaning(OutboundRequest, "url", {"timeout_given": True}),
}
#: Kinds of sink that a configuration may name.
SINK_KINDS = frozenset(_MEANS)


def with_taught(
    libraries: Libraries, sources: Iterable[str], sinks: Mapping[str, Iterable[str]]
) -> Libraries:
    """The libraries and, behind them, what a project teaches; the same object when it teaches nothing.

    Args:
        libraries: what is known anyway.
        sources: dotted names of functions that return what a stranger wrote.
        sinks: dotted name of a function to the kinds of danger that its first argument reaches.
    """
    taught = Library(())
    for name in sources:
        taught.recognise(StrangersText, names=[name])(lambda call: [StrangersText(*call.place)])
    for name, kinds in sinks.items():
        for kind in kinds:
            taught.recognise(_MEANS[kind].concept, names=[name])(_recogniser(_MEANS[kind]))
    return Libraries((*libraries.libraries, taught)) if sources or sinks else libraries


def _recogniser(meaning: _Meaning) -> Callable[[RecognisedCall], list[Concept]]:
    def recognise(call: RecognisedCall) -> list[Concept]:
        given = [*call.node.args, *(keyword.value for keyword in call.node.keywords)]
        if not given:
            return []
        fields: dict[str, Any] = {meaning.field: given[0], **meaning.others}
        return [meaning.concept(*call.place, **fields)]

    return recognise
