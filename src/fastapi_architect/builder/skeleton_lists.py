"""The lists in a new project that depend on its components: each takes the skeleton's text and returns the project's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from fastapi_architect.builder.adding_requirements import with_requirements
from fastapi_architect.builder.catalog import ComponentSpec, packages_of
from fastapi_architect.builder.compose_file import FILE as COMPOSE
from fastapi_architect.builder.compose_file import compose_for
from fastapi_architect.builder.env_example import FILE as ENV_EXAMPLE
from fastapi_architect.builder.env_example import with_settings
from fastapi_architect.builder.manifests import Manifest
from fastapi_architect.builder.readme import FILE as README
from fastapi_architect.builder.readme import with_components
from fastapi_architect.builder.registry_entries import entries_of
from fastapi_architect.builder.wiring import add_to_registry

REGISTRY = "app/registry.py"
#: The component that the service itself never imports: its packages are for development.
_FOR_TESTS = "testing"


def _registry(text: str, specs: Sequence[ComponentSpec]) -> str:
    """The imports and the list."""
    return add_to_registry(text, entries_of(specs, "app.components"), {})


def _project(text: str, specs: Sequence[ComponentSpec]) -> str:
    """The packages of the service, and those of its tests."""
    served = [spec for spec in specs if spec.name != _FOR_TESTS]
    tests = [*packages_of(specs, development=True), *packages_of([s for s in specs if s.name == _FOR_TESTS])]
    text = with_requirements(Manifest("pyproject.toml", "pep621", text), packages_of(served))
    return with_requirements(Manifest("pyproject.toml", "group", text, "dev"), tests)


def _compose(text: str, specs: Sequence[ComponentSpec]) -> str:
    """Only the services that something needs."""
    return compose_for(text, {spec.name for spec in specs})


#: File of the skeleton to the function that writes its list.
LISTS: Mapping[str, Callable[[str, Sequence[ComponentSpec]], str]] = MappingProxyType(
    {
        REGISTRY: _registry,
        "pyproject.toml": _project,
        ENV_EXAMPLE: with_settings,
        COMPOSE: _compose,
        README: with_components,
    }
)
