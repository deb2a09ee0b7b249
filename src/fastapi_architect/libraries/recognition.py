"""Concepts in a program: which calls mean what, found by name and only when somebody asks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from fastapi_architect.concepts.concept import Concept
from fastapi_architect.libraries.library import Libraries, RecognisedCall, Recognition
from fastapi_architect.program.definitions import Scope, dotted_name
from fastapi_architect.program.facts import Site
from fastapi_architect.program.program import Program
from fastapi_architect.syntax import ir

ConceptT = TypeVar("ConceptT", bound=Concept)


class Recognised:
    """The concepts of one program, each class found on first use and kept."""

    def __init__(self, program: Program, libraries: Libraries) -> None:
        self._program = program
        self._recognitions = tuple(libraries.recognitions())
        self._found: dict[type[Concept], tuple[Concept, ...]] = {}
        self._by_scope: dict[type[Concept], dict[int, list[Concept]]] = {}
        self._done: dict[int, list[Concept]] = {}

    def all(self, concept: type[ConceptT]) -> tuple[ConceptT, ...]:
        """Every occurrence, in order of files and places."""
        if concept not in self._found:
            found: list[Concept] = []
            for recognition in self._recognitions:
                if any(issubclass(each, concept) for each in recognition.concepts):
                    found += [c for c in self._run(recognition) if isinstance(c, concept)]
            found.sort(key=lambda c: (c.site.scope.module.path, c.site.node.span, c.name))
            self._found[concept] = tuple(found)
        return self._found[concept]  # type: ignore[return-value]

    def within(self, concept: type[ConceptT], scope: Scope) -> list[ConceptT]:
        """Occurrences directly in one body."""
        return self.by_scope(concept).get(id(scope), [])

    def by_scope(self, concept: type[ConceptT]) -> dict[int, list[ConceptT]]:
        """Occurrences by the identity of their body."""
        if concept not in self._by_scope:
            index: dict[int, list[Concept]] = {}
            for each in self.all(concept):
                index.setdefault(id(each.site.scope), []).append(each)
            self._by_scope[concept] = index
        return self._by_scope[concept]  # type: ignore[return-value]

    def _run(self, recognition: Recognition) -> list[Concept]:
        """Run one recogniser over the calls that fit it; once, whatever it yields."""
        key = id(recognition)
        if key not in self._done:
            found: list[Concept] = []
            for site, name, sure in self._candidates(recognition):
                found += recognition.function(RecognisedCall(site, name, self._program, sure=sure))
            self._done[key] = found
        return self._done[key]

    def _candidates(self, recognition: Recognition) -> Iterable[tuple[Site, str, bool]]:
        lasts = {name.rpartition(".")[2] for name in recognition.names} | set(recognition.duck)
        seen: set[int] = set()
        for last in sorted(lasts):
            for site in self._sites(last, recognition.duck):
                if id(site) in seen:
                    continue
                names = self._program.calls.names(site)
                match = next((n for n in names if n in recognition.names), None)
                if match is not None:
                    seen.add(id(site))
                    yield site, match, True
                elif last != "__call__" and not _known(names) and _fits(site, recognition.duck.get(last, ())):
                    seen.add(id(site))
                    yield site, last, False

    def _sites(self, last: str, duck: dict[str, tuple[str, ...]]) -> Iterable[Site]:
        """Call sites of that last name. An object that is called has a name of its own: `SessionLocal()`
        calls
        `sessionmaker.__call__`, so names that contain one of the words given for `__call__` are looked
        through."""
        if last != "__call__":
            return self._program.call_sites_named(last)
        words = duck.get(last, ())
        called = [name for name in self._program.called_names if any(word in name.lower() for word in words)]
        return [site for name in called for site in self._program.call_sites_named(name)]


def _known(names: tuple[str, ...]) -> bool:
    """The receiver has a type: opaque results (`f().execute`) do not count."""
    return any("()" not in name for name in names)


def _fits(site: Site, words: tuple[str, ...]) -> bool:
    func = site.node.func
    if not words or func.__class__ is not ir.Attribute:
        return False
    if "" in words:
        return True
    receiver = dotted_name(func.value).rpartition(".")[2].lower()
    return bool(receiver) and any(
        receiver == word[1:] if word.startswith("=") else word in receiver for word in words
    )
