"""What a registry lists of components, and in which order."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from fastapi_architect.builder.catalog import ComponentSpec
from fastapi_architect.builder.wiring import Entry, names_in


def entries_of(specs: Iterable[ComponentSpec], package: str, *, beside: Collection[str] = ()) -> list[Entry]:
    """The elements of the list for these components.

    Args:
        specs: the components; some install nothing.
        package: the dotted name of the package that holds them.
        beside: names of those that stand beside ways of the application's own, because only other components need them.
    """
    made = []
    for spec in specs:
        if spec.registry is not None:
            registry = spec.registry
            expression, names = registry.expression, registry.names
            if spec.name in beside and registry.beside:
                expression, names = registry.beside, names_in(registry.beside)
            made.append(Entry(expression, registry.position, f"{package}.{spec.name}", names))
    return made


def positions_of(specs: Iterable[ComponentSpec]) -> dict[str, int]:
    """Position of each class that a registry may list."""
    return {
        Entry(expression, spec.registry.position, "", ()).kind: spec.registry.position
        for spec in specs
        if spec.registry
        for expression in (spec.registry.expression, spec.registry.beside)
        if expression
    }
