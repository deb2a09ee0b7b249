"""The vocabulary is alive: every concept is made by some library, and its docstring names its fields."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

from fastapi_architect import concepts
from fastapi_architect.concepts.concept import Concept
from fastapi_architect.concepts.database import Commit, DatabaseCall
from fastapi_architect.libraries.registry import all_libraries
from fastapi_architect.libraries.taught import with_taught

ABSTRACT = {Concept, DatabaseCall}


def every_concept() -> list[type[Concept]]:
    modules = [
        importlib.import_module(f"{concepts.__name__}.{info.name}")
        for info in pkgutil.iter_modules(concepts.__path__)
    ]
    found = {v for m in modules for v in vars(m).values() if isinstance(v, type) and issubclass(v, Concept)}
    return sorted(found - ABSTRACT, key=lambda concept: concept.__name__)


def test_every_concept_is_recognised_by_a_library_or_taught_by_a_project() -> None:
    libraries = with_taught(all_libraries(), sources=["app.queue.receive"], sinks={})
    made = {concept for recognition in libraries.recognitions() for concept in recognition.concepts}
    assert [concept.__name__ for concept in every_concept() if concept not in made] == []


@pytest.mark.parametrize("concept", every_concept(), ids=lambda concept: concept.__name__)
def test_a_list_of_attributes_in_a_docstring_names_every_field(concept: type[Concept]) -> None:
    inherited = {
        field for base in concept.__mro__[1:] if issubclass(base, Concept) for field in base.__struct_fields__
    }
    own = [field for field in concept.__struct_fields__ if field not in inherited]
    documented = concept.__doc__ or ""
    assert documented.strip()
    if "Attributes:" in documented:
        assert [field for field in own if f"        {field}: " not in documented] == []


def test_concepts_are_equal_to_themselves_only() -> None:
    """Two occurrences are never the same, whatever they hold: tables of findings go by identity."""
    one, other = (Commit(site=None, name="x", sure=True) for _ in range(2))  # type: ignore[arg-type]
    assert (one == other, len({one, other})) == (False, 2)
