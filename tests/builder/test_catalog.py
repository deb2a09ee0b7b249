"""What a component.toml may say, and what its mistakes are told like."""

from __future__ import annotations

from pathlib import Path

import pytest

from fastapi_architect.builder.catalog import Catalog, ComponentSpec, load_catalog, packages_of
from fastapi_architect.builder.errors import CatalogError, NoSuchComponent

FIRST = 'name = "{name}"\ntitle = "T"\nsummary = "S"\ngroup = "traffic"\nversion = "1.0"\n'


def catalog_of(folder: Path, **components: str) -> Catalog:
    for name, rest in components.items():
        (folder / name).mkdir()
        (folder / name / "component.toml").write_text(FIRST.format(name=name) + rest)
    return load_catalog(folder)


def installed_at(position: int) -> str:
    return f'[registry]\nnames = ["X"]\nexpression = "X()"\nposition = {position}\n'


def test_the_closure_holds_every_need_once_in_registry_order(tmp_path: Path) -> None:
    catalog = catalog_of(
        tmp_path,
        limits='needs = ["pool", "service"]\n' + installed_at(450),
        pool='needs = ["service"]\n' + installed_at(510),
        service="",
        other=installed_at(100),
    )

    assert [spec.name for spec in catalog.closure(["pool", "limits"])] == ["service", "limits", "pool"]


def test_an_unknown_name_names_the_nearest(tmp_path: Path) -> None:
    catalog = catalog_of(tmp_path, rate_limiting="")

    assert catalog["rate-limiting"].name == "rate_limiting"
    with pytest.raises(NoSuchComponent, match="did you mean rate_limiting"):
        catalog["rate_limting"]
    with pytest.raises(NoSuchComponent, match="architect components"):
        catalog["blockchain"]


@pytest.mark.parametrize(
    ("rest", "says"),
    [
        ("colour = 3\n", "colour"),
        ("packages = 3\n", r"\$\.packages"),
        ('packages = ["redis<8"]\n', "cap"),
        ('packages = ["redis>>8"]\n', "packages"),
        ('needs = ["one"]\n', "needs 'one'"),
        ("servers = [\n", "one/component.toml"),
        ('[[settings]]\nvariable = "lower"\nexample = ""\nhelp = ""\n', "variable"),
    ],
)
def test_a_mistake_is_told_with_its_file_and_key(tmp_path: Path, rest: str, says: str) -> None:
    with pytest.raises(CatalogError, match=says) as told:
        catalog_of(tmp_path, one=rest)

    assert "one/component.toml" in str(told.value)


def test_a_need_that_is_no_component_is_told(tmp_path: Path) -> None:
    catalog = catalog_of(tmp_path, one='needs = ["nothing"]\n')

    with pytest.raises(CatalogError, match="which is no component"):
        catalog.closure(["one"])


def test_two_components_cannot_stand_at_one_position(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="one stands there already"):
        catalog_of(tmp_path, one=installed_at(450), two=installed_at(450))


def test_a_folder_under_another_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / "component.toml").write_text(FIRST.format(name="one"))

    with pytest.raises(CatalogError, match="its folder's name is 'two'"):
        load_catalog(tmp_path)


def test_a_package_that_several_need_gets_every_floor() -> None:
    def spec(*packages: str) -> ComponentSpec:
        return ComponentSpec(name="x", title="", summary="", group="work", version="1", packages=packages)

    assert packages_of([spec("redis>=7", "a"), spec("Redis[hiredis]>=7.1")]) == (
        "a",
        "redis[hiredis]>=7.1",
    )
