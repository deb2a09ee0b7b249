"""Concepts in a program: which calls mean what, found by name and only when somebody asks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from fastapi_architect.concepts.concept import Concept
from fastapi_architect.libraries.library import Libraries, RecognisedCall, Recognition
from fastapi_architect.program.definitions import Scope, dotted_name
from fastapi_architect.program.facts import Site
from fastapi_architect.program.program import Program
from fastapi_architect.syntax import ir

ConceptT = TypeVar("ConceptT", bound=Concept)


class Recognised:
    """The concepts of one program: found in one pass over the calls whose last names some library knows."""

    def __init__(self, program: Program, libraries: Libraries) -> None:
        self._program = program
        self._recognitions = tuple(libraries.recognitions())
        self._by_concept: dict[type, tuple[Concept, ...]] | None = None
        self._by_scope: dict[type[Concept], dict[int, list[Concept]]] = {}

    def all(self, concept: type[ConceptT]) -> tuple[ConceptT, ...]:
        """Every occurrence, in order of files and places."""
        if self._by_concept is None:
            self._by_concept = self._index(self._recognised())
        return self._by_concept.get(concept, ())  # type: ignore[return-value]

    def within(self, concept: type[ConceptT], scope: Scope) -> list[ConceptT]:
        """Occurrences directly in one body."""
        return self.by_scope(concept).get(id(scope), [])

    def by_scope(self, concept: type[ConceptT]) -> dict[int, list[ConceptT]]:
        """Occurrences by the identity of their body."""
        index = self._by_scope.get(concept)
        if index is None:
            index = self._by_scope[concept] = {}
            for each in self.all(concept):
                index.setdefault(id(each.site.scope), []).append(each)
        return index  # type: ignore[return-value]

    def _index(self, occurrences: list[list[Concept]]) -> dict[type, tuple[Concept, ...]]:
        """Occurrences, in order of files and places, by each class that they are of and their recogniser announces."""
        announced = [
            {base for concept in recognition.concepts for base in concept.__mro__}
            for recognition in self._recognitions
        ]
        found = [(each, index) for index, those in enumerate(occurrences) for each in those]
        found.sort(key=lambda pair: (pair[0].site.scope.module.path, pair[0].site.node.span, pair[0].name))
        index_of: dict[type, list[Concept]] = {}
        for each, index in found:
            for kind in each.__class__.__mro__:
                if kind in announced[index]:
                    index_of.setdefault(kind, []).append(each)
        return {kind: tuple(those) for kind, those in index_of.items()}

    def _recognised(self) -> list[list[Concept]]:
        """Occurrences by recogniser. Each call is resolved once, whoever is interested in its name."""
        occurrences: list[list[Concept]] = [[] for _ in self._recognitions]
        interests = _Interests(self._recognitions)
        for last in interests.lasts:
            for site in self._sites(last, interests):
                for index, name, sure in self._matches(site, last, interests):
                    call = RecognisedCall(site, name, self._program, sure=sure)
                    occurrences[index] += self._recognitions[index].function(call)
        return occurrences

    def _matches(self, site: Site, last: str, interests: _Interests) -> Iterator[tuple[int, str, bool]]:
        """Recognisers that know a call: index, the name they know it by, and whether they are sure."""
        names = self._program.calls.names(site)
        by_name = interests.by_name
        for name in names:
            if name in by_name:
                for index in by_name[name]:
                    if self._first_time(index, site, interests):
                        yield index, name, True
        if last in interests.ducks and last != "__call__" and not _known(names):
            for index, words in interests.ducks[last]:
                if _fits(site, words) and self._first_time(index, site, interests):
                    yield index, last, False

    def _first_time(self, index: int, site: Site, interests: _Interests) -> bool:
        """A call that has several names, or is written under another one, is met more than once and counts once."""
        key = (index, id(site))
        if key in interests.seen:
            return False
        interests.seen.add(key)
        return True

    def _sites(self, last: str, interests: _Interests) -> Iterable[Site]:
        """Call sites of that last name.

        An object that is called has a name of its own: `SessionLocal()` calls `sessionmaker.__call__`. So names that
        contain one of the words given for `__call__` are looked through.
        """
        if last != "__call__":
            return self._program.call_sites_named(last)
        words = {word for _, given in interests.ducks.get(last, ()) for word in given}
        called = [name for name in self._program.called_names if any(word in name.lower() for word in words)]
        return [site for name in called for site in self._program.call_sites_named(name)]


class _Interests:
    """Who is interested in which call.

    Attributes:
        by_name: dotted name to the indexes of recognisers.
        ducks: last name to recognisers that accept receivers of unknown type, with the words for the receiver's name.
        lasts: every last name that matters, sorted.
        seen: (recogniser, identity of a site) that have been met.
    """

    def __init__(self, recognitions: tuple[Recognition, ...]) -> None:
        self.by_name: dict[str, list[int]] = {}
        self.ducks: dict[str, list[tuple[int, tuple[str, ...]]]] = {}
        for index, recognition in enumerate(recognitions):
            for name in recognition.names:
                self.by_name.setdefault(name, []).append(index)
            for last, words in recognition.duck.items():
                self.ducks.setdefault(last, []).append((index, words))
        self.lasts = sorted({name.rpartition(".")[2] for name in self.by_name} | set(self.ducks))
        self.seen: set[tuple[int, int]] = set()


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
