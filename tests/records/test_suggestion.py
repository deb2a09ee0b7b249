"""A plan that decides something of weight suggests a decision record; nothing is written before somebody says so."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from tests.builder.conftest import commit
from tests.builder.test_add import tree

from fastapi_architect.__main__ import main
from fastapi_architect.builder.adding import decisions_of
from fastapi_architect.builder.catalog import load_catalog
from fastapi_architect.builder.plan import Decides, Plan
from fastapi_architect.records.suggestion import TOPICS, suggest


@pytest.mark.parametrize("spec", list(load_catalog()), ids=lambda spec: spec.name)
def test_components_with_accounts_tables_tasks_or_versions_are_decisions(spec: object) -> None:
    name, group = spec.name, spec.group  # type: ignore[attr-defined]
    topics = set(spec.topics)  # type: ignore[attr-defined]
    assert topics <= set(TOPICS)
    assert ("authentication strategy" in topics) == (group == "identity" and name != "audit_log")
    brings_tables = any(each.tables for each in spec.migrations)  # type: ignore[attr-defined]
    assert ("database design" in topics) == (brings_tables or name == "database")
    assert ("API versioning" in topics) == (name == "api_versioning")
    assert ("framework" in topics) == (name == "celery_tasks")


def test_a_plan_without_such_a_decision_suggests_nothing() -> None:
    catalog = load_catalog()
    assert suggest(Plan(title="x", decides=decisions_of([catalog["cache"], catalog["metrics"]]))) is None


def test_the_sentence_names_what_is_decided_and_the_command() -> None:
    plan = Plan(
        title="x",
        decides=(Decides("database design", ("Outbox",)), Decides("authentication strategy", ("API keys",))),
    )
    suggestion = suggest(plan)
    assert suggestion is not None
    assert suggestion.topics == ("authentication strategy", "database design")
    assert suggestion.sentence == (
        '"📋 Architectural decision detected: authentication strategy and database design. Document the reasoning and the '
        "trade-offs? Run `architect adr new 'Authentication strategy and database design with API keys and Outbox'`\""
    )


def test_every_suggested_command_is_one_that_works(tmp_path: Path) -> None:
    for number, spec in enumerate(load_catalog()):
        suggestion = suggest(Plan(title="x", decides=decisions_of(load_catalog().closure([spec.name]))))
        if suggestion is not None:
            command = shlex.split(suggestion.command)
            assert command[0] == "architect"
            assert main([*command[1:], "--path", str(tmp_path)]) == 0, number
    assert len(list((tmp_path / "docs/decisions").iterdir())) > 10


def test_add_suggests_in_the_plan_and_writes_no_decision(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["add", "api_versioning", "--yes", "--no-review", "--path", str(shop)]) == 0
    said = capsys.readouterr().out
    assert (
        "Architectural decision detected: API versioning"
        in said.partition("Considerations")[2].partition("Follow-ups")[0]
    )
    assert not (shop / "docs").exists()


def test_add_without_such_a_decision_says_nothing_of_it(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["add", "redis_pool", "--dry-run", "--path", str(shop)]) == 0
    assert "decision detected" not in capsys.readouterr().out


def test_add_leaves_a_prompt_record_where_the_project_opted_in(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (shop / "pyproject.toml").open("a") as opened:
        opened.write("\n[tool.fastapi-architect]\nrecords = true\n")
    commit(shop)
    assert main(["add", "redis_pool", "--yes", "--path", str(shop)]) == 0
    text = (shop / "docs/prompts/0001-add-redis-pool-with-service.md").read_text()
    assert "> architect add redis_pool" in text
    assert "* `app/registry.py`" in text
    assert "| before |" in text
    assert "Recorded in docs/prompts/0001-add-redis-pool-with-service.md." in capsys.readouterr().out


def test_add_leaves_none_where_it_did_not_nor_on_a_dry_run(shop: Path) -> None:
    assert main(["add", "redis_pool", "--yes", "--no-review", "--path", str(shop)]) == 0
    assert not (shop / "docs").exists()
    with (shop / "pyproject.toml").open("a") as opened:
        opened.write("\n[tool.fastapi-architect]\nrecords = true\n")
    before = tree(shop)
    assert main(["add", "metrics", "--dry-run", "--path", str(shop)]) == 0
    assert tree(shop) == before


def test_add_says_when_the_record_could_not_be_written_and_keeps_what_it_added(
    shop: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with (shop / "pyproject.toml").open("a") as opened:
        opened.write('\n[tool.fastapi-architect.records]\nautomatic = true\nprompts = "README.md"\n')
    (shop / "README.md").write_text("x")
    commit(shop)
    assert main(["add", "redis_pool", "--yes", "--no-review", "--path", str(shop)]) == 0
    assert "no prompt record was written: 'README.md' is a file" in capsys.readouterr().err
    assert (shop / "app/components/redis_pool").is_dir()
