"""What `architect new` wrote beside components, when `architect add` brings one."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from tests.builder.conftest import commit
from tests.builder.generated import check, make

from fastapi_architect.__main__ import main


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    root = make(tmp_path / "shop", "minimal")
    commit(root)
    return root


def add(root: Path, *names: str) -> int:
    return main(["add", *names, "--yes", "--no-review", "--no-tests", "--path", str(root)])


def test_what_a_component_needs_beside_it_comes_with_it(shop: Path, tmp_path: Path) -> None:
    assert add(shop, "celery_tasks", "cache") == 0

    whole = make(tmp_path / "whole", "minimal", ["celery_tasks", "cache"])
    for name in ("compose.yaml", "app/worker.py"):
        assert (shop / name).read_text() == (whole / name).read_text()
    listed = [line for line in (shop / "README.md").read_text().splitlines() if line.startswith("| [")]
    wanted = [line for line in (whole / "README.md").read_text().splitlines() if line.startswith("| [")]
    assert sorted(listed) == sorted(wanted)
    assert len(listed) == len(set(listed))


def test_edits_stay_and_nothing_comes_twice(shop: Path) -> None:
    compose, readme = shop / "compose.yaml", shop / "README.md"
    compose.write_text(compose.read_text().replace("  api:\n", "  # Behind the proxy.\n  api:\n"))
    readme.write_text(readme.read_text().replace("| component |", "Ours:\n\n| component |"))
    commit(shop)

    assert add(shop, "redis_pool") == 0
    commit(shop)
    after = compose.read_text(), readme.read_text()
    assert "  # Behind the proxy.\n  api:\n" in after[0]
    assert "Ours:\n\n| component |" in after[1]
    assert add(shop, "cache") == 0

    assert compose.read_text() == after[0]
    assert list(yaml.safe_load(after[0])["services"]) == ["postgresql", "redis", "migrate", "api"]
    assert readme.read_text().count("(app/components/redis_pool)") == 1


def test_what_cannot_be_placed_is_a_step_by_hand(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    compose = shop / "compose.yaml"
    compose.write_text(compose.read_text().replace("x-service: &service", "x-ours: &service"))
    commit(shop)
    before = compose.read_text()

    assert add(shop, "redis_pool") == 0

    told = capsys.readouterr().out
    assert "Add to compose.yaml, which is left as it is because it has no `x-service" in told
    assert "REDIS_URL: redis://redis:6379/0" in told
    assert "image: redis:7-alpine" in told
    assert compose.read_text() == before


def test_a_project_without_those_files_gets_none_of_them(shop: Path) -> None:
    (shop / "compose.yaml").unlink()
    (shop / "README.md").write_text("Ours.\n")
    commit(shop)

    assert add(shop, "redis_pool") == 0

    assert not (shop / "compose.yaml").exists()
    assert (shop / "README.md").read_text() == "Ours.\n"


def test_tenancy_that_comes_later_leaves_the_domain_as_it_is(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    domain = {
        file: file.read_bytes() for file in [*shop.glob("app/notes/*.py"), *shop.glob("tests/notes/*.py")]
    }

    assert main(["add", "tenancy", "--yes", "--no-review", "--path", str(shop)]) == 0

    assert {file: file.read_bytes() for file in domain} == domain
    assert 'app/components/tenancy/README.md, "A table that is there already"' in capsys.readouterr().out
    main(["review", str(shop), "--format", "json", "--no-cache"])
    assert json.loads(capsys.readouterr().out)["score"] == 100
    check(shop, "ruff", "check", "--no-cache", ".")
    said = check(
        shop,
        "pytest",
        "-p",
        "no:cacheprovider",
        "tests/notes",
        "tests/test_access.py",
        "tests/test_database.py",
    )
    assert re.search(r"\d+ passed", said)
