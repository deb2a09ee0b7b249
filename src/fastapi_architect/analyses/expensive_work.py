"""Which functions cause work that somebody pays for: charged calls, mails, slow hashes, long computations?

What a function hands to a queue or leaves running after its answer counts as its own: it is paid for all the same.
"""

from __future__ import annotations

import msgspec

from fastapi_architect.analyses.effects import effects
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.question import question
from fastapi_architect.concepts.concept import Concept
from fastapi_architect.concepts.concurrency import BlockingCall
from fastapi_architect.concepts.cryptography import KeyDerivation
from fastapi_architect.concepts.http import PaidApiCall
from fastapi_architect.concepts.identity import PasswordHash, PasswordVerify
from fastapi_architect.concepts.messaging import BackgroundTaskAdd, EmailSend
from fastapi_architect.program.definitions import Function
from fastapi_architect.program.types import FunctionRef, options

#: The dearest first: what is charged for, what reaches other people, what holds a processor.
_KINDS: tuple[tuple[str, type[Concept]], ...] = (
    ("charged", PaidApiCall),
    ("mail", EmailSend),
    ("hash", PasswordHash),
    ("hash", PasswordVerify),
    ("hash", KeyDerivation),
    ("computation", BlockingCall),
)
#: Computations whose time grows with the input and whose input a client chooses: images and tables.
_COMPUTES = ("PIL.", "pandas.", "cv2.", "weasyprint.", "pdfkit.", "torch.", "sklearn.")
#: How far what is handed on is followed.
_MOST_BEHIND = 60


class ExpensiveWork(msgspec.Struct, frozen=True, eq=False):
    """One expensive thing that a function does.

    Attributes:
        kind: charged, mail, hash or computation.
        place: the call, or what hands the work on.
        name: what is called in the end.
        sure: it was recognised by its type.
    """

    kind: str
    place: Concept
    name: str
    sure: bool

    @property
    def rank(self) -> int:
        """Smaller is dearer."""
        return [kind for kind, _ in _KINDS].index(self.kind)


@question
def expensive_work(graph: AppGraph) -> dict[int, ExpensiveWork]:
    """By the identity of a function: the dearest thing it does."""
    found: dict[int, ExpensiveWork] = {}
    for kind, concept in reversed(_KINDS):
        for fact in graph.facts(concept):
            if fact.function is not None and fact.scope.module.kind == "source" and _counts(fact):
                found[id(fact.function)] = ExpensiveWork(kind, fact, fact.name, fact.sure)
    if found:
        _hand_back(graph, found)
    return found


def _counts(fact: Concept) -> bool:
    if isinstance(fact, BlockingCall):
        return fact.kind == "cpu" and fact.name.startswith(_COMPUTES) and not fact.name.endswith(".open")
    return not isinstance(fact, PasswordHash | PasswordVerify) or fact.scheme != "plaintext"


def _hand_back(graph: AppGraph, found: dict[int, ExpensiveWork]) -> None:
    """What sends a task, or adds one that runs after the answer, causes its work."""
    handed = [(added, _targets(graph, added)) for added in graph.facts(BackgroundTaskAdd)]
    for place, targets in handed:
        if place.function is None:
            continue
        reached, _ = effects(graph).reached(targets)
        works = [found[id(f)] for f in reached[:_MOST_BEHIND] if id(f) in found]
        if not works:
            continue
        work = min(works, key=lambda each: each.rank)
        known = found.get(id(place.function))
        if known is None or work.rank < known.rank:
            found[id(place.function)] = ExpensiveWork(work.kind, place, work.name, work.sure)


def _targets(graph: AppGraph, added: BackgroundTaskAdd) -> list[Function]:
    of = graph.program.inference.type_of(added.target, added.scope) if added.target is not None else None
    return [each.function for each in options(of) if isinstance(each, FunctionRef)]
