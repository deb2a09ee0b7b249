"""Every component is what its component.toml says."""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from pydantic import AliasChoices

from fastapi_architect.builder.catalog import COMPONENTS, ComponentSpec, load_catalog, packages_of
from fastapi_architect.builder.copying import OUR_NAME, copy_component, files_of
from fastapi_architect.builder.placing import Place
from fastapi_architect.builder.wiring import names_in
from fastapi_architect.components.service import ComponentSettings
from fastapi_architect.components.service.settings import GENERATED
from fastapi_architect.rules.catalog import all_rules

CATALOG = load_catalog()
#: Every project of ours has them.
EVERYWHERE = {"fastapi", "starlette", "pydantic"}
EVERY_TEST = {"pytest", "httpx2", "anyio"}
#: Loaded by name, never by an import.
DRIVERS = {"psycopg", "uvicorn"}
#: Imported only where they are installed anyway.
OPTIONAL = {("problem_details", "sqlalchemy")}
DISTRIBUTIONS = packages_distributions()

every_component = pytest.mark.parametrize("spec", list(CATALOG), ids=lambda spec: spec.name)


def sources(spec: ComponentSpec, *, tests: bool) -> list[Path]:
    return [
        file
        for file in files_of(spec.folder)
        if file.suffix == ".py" and (file.relative_to(spec.folder).parts[0] == "tests") is tests
    ]


def imported(file: Path) -> Iterator[str]:
    """Absolute names of the modules that a file imports."""
    package = [*OUR_NAME.split("."), *file.relative_to(COMPONENTS).parent.parts]
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            yield ".".join([*base, *(node.module or "").split(".")]).strip(".")
            if node.module is None:
                yield from (".".join([*base, alias.name]) for alias in node.names)


def components_imported(spec: ComponentSpec, *, tests: bool) -> set[str]:
    prefix = f"{OUR_NAME}."
    names = {name for file in sources(spec, tests=tests) for name in imported(file)}
    return {name.removeprefix(prefix).partition(".")[0] for name in names if name.startswith(prefix)} - {
        spec.name
    }


def distributions_imported(spec: ComponentSpec, *, tests: bool) -> set[str]:
    tops = {name.partition(".")[0] for file in sources(spec, tests=tests) for name in imported(file)}
    tops -= {*sys.stdlib_module_names, "fastapi_architect", "__future__"}
    found = {canonicalize_name(DISTRIBUTIONS[top][0]) for top in tops}
    return {name for name in found if (spec.name, name) not in OPTIONAL}


def names_of(requirements: tuple[str, ...]) -> set[str]:
    return {canonicalize_name(Requirement(text).name) for text in requirements}


@every_component
def test_its_needs_are_what_it_imports(spec: ComponentSpec) -> None:
    assert components_imported(spec, tests=False) == set(spec.needs)


@every_component
def test_its_tests_import_what_comes_with_it(spec: ComponentSpec) -> None:
    there = {each.name for each in CATALOG.closure([spec.name, *_testing()])}

    assert components_imported(spec, tests=True) <= there


@every_component
def test_its_packages_are_what_it_imports(spec: ComponentSpec) -> None:
    ours = distributions_imported(spec, tests=False)

    assert ours <= names_of(packages_of(CATALOG.closure([spec.name]))) | EVERYWHERE
    assert names_of(spec.packages) <= ours | DRIVERS


@every_component
def test_the_packages_of_its_tests_are_what_they_import(spec: ComponentSpec) -> None:
    closure = CATALOG.closure([spec.name, *_testing()])
    there = names_of(packages_of(closure)) | names_of(packages_of(closure, development=True))

    assert distributions_imported(spec, tests=True) <= there | EVERYWHERE | EVERY_TEST


@every_component
def test_its_settings_are_the_fields_of_its_settings_classes(spec: ComponentSpec) -> None:
    fields: dict[str, tuple[bool, bool]] = {}
    for kind in _settings_classes(spec):
        prefix = kind.model_config.get("env_prefix", "")
        for name, field in kind.model_fields.items():
            if name == "environment":
                continue
            alias = field.validation_alias
            if isinstance(alias, AliasChoices):
                alias = str(alias.choices[0])
            variable = alias if isinstance(alias, str) else f"{prefix}{name}"
            fields[variable.upper()] = (field.is_required(), GENERATED in field.metadata)

    assert {each.variable for each in spec.settings} - {"ENVIRONMENT"} == set(fields)
    for each in spec.settings:
        required, generated = fields.get(each.variable, (False, False))
        assert each.required == required, each.variable
        assert each.secret or not generated, f"{each.variable} is a generated secret"
        assert not (each.secret and each.example), f"{each.variable} shows a secret"
        assert each.help.endswith("."), each.variable


@every_component
def test_the_rules_that_it_resolves_exist(spec: ComponentSpec) -> None:
    assert set(spec.resolves) <= set(all_rules())


@every_component
def test_what_the_registry_names_is_exported(spec: ComponentSpec) -> None:
    exported = importlib.import_module(f"{OUR_NAME}.{spec.name}").__all__
    if spec.registry is None:
        return
    expression = ast.parse(spec.registry.expression, mode="eval")
    used = {node.id for node in ast.walk(expression) if isinstance(node, ast.Name)}

    assert set(spec.registry.names) <= set(exported)
    assert not spec.registry.beside or set(names_in(spec.registry.beside)) <= set(exported)
    assert used <= set(spec.registry.names)
    assert isinstance(expression.body, ast.Call)


@every_component
def test_its_migrations_are_functions_that_take_op(spec: ComponentSpec) -> None:
    assert bool(spec.migrations) == (spec.folder / "migrations.py").exists()
    for each in spec.migrations:
        module = importlib.import_module(f"{OUR_NAME}.{spec.name}.migrations")
        assert callable(getattr(module, each.upgrade))
        assert callable(getattr(module, each.downgrade))


@every_component
def test_it_has_a_page_and_tests(spec: ComponentSpec) -> None:
    assert (spec.folder / "README.md").read_text().strip()
    assert list((spec.folder / "tests").glob("test_*.py"))
    assert (spec.folder / "tests" / "__init__.py").exists()


@every_component
def test_nothing_of_ours_is_left_in_a_copy(spec: ComponentSpec) -> None:
    for new in copy_component(spec, Place.of("app/components"), Place.of("tests/components")):
        assert b"fastapi_architect" not in new.data, new.path
        if new.path.endswith(".py"):
            compile(new.data, new.path, "exec", dont_inherit=True)


def _testing() -> list[str]:
    return ["testing"] if "testing" in CATALOG.components else []


def _settings_classes(spec: ComponentSpec) -> list[type[ComponentSettings]]:
    package = f"{OUR_NAME}.{spec.name}"
    found = {}
    for file in sources(spec, tests=False):
        name = ".".join([package, *file.relative_to(spec.folder).with_suffix("").parts])
        module = importlib.import_module(name.removesuffix(".__init__"))
        found |= {
            each.__qualname__: each
            for each in vars(module).values()
            if isinstance(each, type)
            and issubclass(each, ComponentSettings)
            and each is not ComponentSettings
            and each.__module__.startswith(f"{package}.")
        }
    return list(found.values())
