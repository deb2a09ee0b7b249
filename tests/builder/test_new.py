"""`architect new`: what it writes, and what it refuses."""

from __future__ import annotations

import ast
import json
import subprocess
import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from fastapi_architect.__main__ import main
from fastapi_architect.builder.catalog import load_catalog
from fastapi_architect.builder.copying import NewFile
from fastapi_architect.builder.lock import LOCK, read_lock
from fastapi_architect.builder.naming import project_name
from fastapi_architect.builder.new import chosen, project_files
from fastapi_architect.builder.presets import PRESETS, REQUIRED, components_of
from fastapi_architect.builder.skeleton_parts import marked_components
from fastapi_architect.builder.wiring import listed


def files_of(preset: str, more: Sequence[str] = (), name: str = "book-shop") -> list[NewFile]:
    catalog = load_catalog()
    return project_files(project_name(name), chosen(catalog, [*components_of(preset, catalog), *more]))


def texts_of(preset: str) -> dict[str, str]:
    return {file.path: file.data.decode() for file in files_of(preset)}


@pytest.mark.parametrize("preset", PRESETS)
def test_the_same_choice_gives_the_same_bytes(preset: str) -> None:
    assert files_of(preset) == files_of(preset)
    assert files_of(preset) == files_of(preset, list(REQUIRED[::-1]))


@pytest.mark.parametrize("preset", PRESETS)
def test_everything_parses(preset: str) -> None:
    for path, text in texts_of(preset).items():
        if path.endswith(".py"):
            ast.parse(text, path)
        elif path.endswith(".toml"):
            tomllib.loads(text)
        elif path.endswith((".yaml", ".yml")):
            yaml.safe_load(text)
        elif path.endswith(".json"):
            json.loads(text)


@pytest.mark.parametrize("preset", PRESETS)
def test_nothing_is_left_of_the_skeletons_name_or_of_ours(preset: str) -> None:
    for path, text in texts_of(preset).items():
        if not path.startswith(".architect/"):
            assert "my_service" not in text, path
            assert "my-service" not in text, path
            assert "fastapi_architect" not in text, path


@pytest.mark.parametrize("preset", PRESETS)
def test_the_registry_lists_what_was_chosen_in_order(preset: str) -> None:
    catalog = load_catalog()
    specs = chosen(catalog, components_of(preset, catalog))
    written = listed(texts_of(preset)["app/registry.py"])

    assert written == [spec.registry.expression.partition("(")[0] for spec in specs if spec.registry]


@pytest.mark.parametrize("preset", PRESETS)
def test_compose_has_only_what_somebody_needs(preset: str) -> None:
    files = texts_of(preset)
    services = set(yaml.safe_load(files["compose.yaml"])["services"])
    has = {path.split("/")[2] for path in files if path.startswith("app/components/")}

    assert {"postgresql", "migrate", "api"} <= services
    assert ("redis" in services) == bool({"redis_pool", "celery_tasks"} & has)
    assert ("worker" in services) == ("celery_tasks" in has) == ("app/worker.py" in files)
    assert ("relay" in services) == ("outbox" in has)


@pytest.mark.parametrize("preset", PRESETS)
def test_no_mark_of_the_skeleton_is_left(preset: str) -> None:
    for path, text in texts_of(preset).items():
        assert not marked_components(text), path
        assert "[end]" not in text, path


def test_the_example_belongs_to_organisations_where_there_are_some() -> None:
    alone, shared = texts_of("standard"), texts_of("saas")

    assert "owner_id" in alone["app/notes/models.py"]
    assert "tenant" not in "".join(
        text for path, text in alone.items() if path.startswith(("app/notes", "tests/notes"))
    )
    assert "owner_id" not in shared["app/notes/models.py"]
    assert 'protect_by_tenant(op, "notes")' in shared["migrations/versions/0002_notes.py"]
    assert "Note.tenant_id == self._tenant_id" in shared["app/notes/repository.py"]
    assert '"viewer": ["notes:read"]' in shared["app/registry.py"]
    assert set(shared) - set(alone) >= {"tests/notes/test_tenants.py", "tests/organisations.py"}


@pytest.mark.parametrize("preset", PRESETS)
def test_requirements_have_floors_and_no_caps(preset: str) -> None:
    data = tomllib.loads(texts_of(preset)["pyproject.toml"])
    listed = [*data["project"]["dependencies"], *data["dependency-groups"]["dev"]]

    for requirement in listed:
        if isinstance(requirement, str):
            assert ">=" in requirement
            assert "<" not in requirement
            assert "==" not in requirement


def test_each_revision_follows_the_one_before_it() -> None:
    revisions = [t for path, t in texts_of("saas").items() if path.startswith("migrations/versions/")]
    names: dict[str, str | None] = {}
    for text in revisions:
        values = {
            target.id: ast.literal_eval(statement.value)
            for statement in ast.parse(text).body
            if isinstance(statement, (ast.Assign, ast.AnnAssign)) and statement.value is not None
            for target in (statement.targets if isinstance(statement, ast.Assign) else [statement.target])
            if isinstance(target, ast.Name) and "revision" in target.id
        }
        names[values["revision"]] = values["down_revision"]

    at, met = next(iter(set(names) - set(names.values()))), 0
    while at is not None:
        at, met = names[at], met + 1
    assert met == len(revisions)


def test_the_lock_knows_every_copy(tmp_path: Path) -> None:
    assert main(["new", "shop", "--yes", "--path", str(tmp_path / "shop")]) == 0
    lock = read_lock(tmp_path / "shop")

    assert lock is not None
    assert lock.names >= set(REQUIRED)
    for component in lock.components:
        for file in component.files:
            assert (tmp_path / "shop" / file.path).is_file()
            assert (tmp_path / "shop/.architect/base" / file.sha256[:2] / file.sha256).is_file()


def test_a_folder_that_holds_something_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "precious").write_text("mine")

    assert main(["new", "shop", "--yes", "--path", str(tmp_path)]) == 2
    assert "--path" in capsys.readouterr().err
    assert [each.name for each in tmp_path.iterdir()] == ["precious"]


def test_an_empty_folder_is_used(tmp_path: Path) -> None:
    assert main(["new", "shop", "--yes", "--path", str(tmp_path)]) == 0
    assert (tmp_path / LOCK).is_file()


@pytest.mark.parametrize(
    ("name", "better"),
    [
        ("", "architect new bookshop"),
        ("1shop", "shop"),
        ("book/shop", "book-shop"),
        ("../shop", "shop"),
        ("bücher", "'b-cher'"),
        ("shop;drop table", "shop-drop-table"),
        ("x" * 80, "x" * 50),
        ("fastapi", "fastapi-service"),
        ("Uvicorn", "uvicorn-service"),
        ("email", "email-service"),
        ("app", "app-service"),
    ],
)
def test_a_name_that_cannot_be_is_refused_with_one_that_can(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, better: str
) -> None:
    assert main(["new", name, "--yes", "--path", str(tmp_path / "x")]) == 2
    assert better in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--with", "redis_pol"], "did you mean redis_pool?"),
        (["--without", "databse"], "did you mean database?"),
        (["--without", "database"], "cannot be left out"),
        (["--with", "api_keys,rate_limiting", "--without", "redis_pool"], "rate_limiting needs it"),
        (["--preset", "everything"], "minimal"),
        (["--colour"], "architect new --help"),
    ],
)
def test_what_cannot_be_chosen_is_refused_with_the_next_step(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], said: str
) -> None:
    assert main(["new", "shop", "--yes", "--path", str(tmp_path / "x"), *options]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_dashes_and_spaces_in_lists_are_understood(tmp_path: Path) -> None:
    assert (
        main(["new", "shop", "--yes", "--path", str(tmp_path / "x"), "--with", "redis-pool, outgoing_http"])
        == 0
    )
    assert (tmp_path / "x/app/components/redis_pool").is_dir()
    assert (tmp_path / "x/app/components/outgoing_http").is_dir()


@pytest.mark.parametrize("name", ["Book_Shop", "book shop", "book-shop"])
def test_a_name_has_three_forms(name: str) -> None:
    found = project_name(name)

    assert (found.distribution, found.identifier) == ("book-shop", "book_shop")
    assert found.title.lower() == "book shop"


def test_git_only_when_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "x")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "x@example.com")
    assert main(["new", "shop", "--yes", "--path", str(tmp_path / "plain")]) == 0
    assert main(["new", "shop", "--yes", "--git", "--path", str(tmp_path / "tracked")]) == 0

    assert not (tmp_path / "plain/.git").exists()
    status = ["git", "-C", str(tmp_path / "tracked"), "status", "--porcelain"]
    assert subprocess.run(status, check=True, capture_output=True).stdout == b""
