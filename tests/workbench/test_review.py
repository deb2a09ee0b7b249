"""A review in pages, of a folder, of a file, of changed lines, and of code that is nowhere yet."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.workbench.conftest import APP, RAW_SQL, snapshot

from fastapi_architect.workbench.errors import WorkbenchError
from fastapi_architect.workbench.review import MAX_CODE_BYTES, review
from fastapi_architect.workbench.workspace import Workspace

ROUTER = textwrap.dedent("""
    from fastapi import APIRouter
    from sqlalchemy import text
    from shop.database import engine

    router = APIRouter()

    @router.get("/authors")
    def authors(name: str) -> list[str]:
        with engine.connect() as connection:
            return list(connection.scalars(text(f"SELECT name FROM authors WHERE name = '{name}'")))
""")


def refusal(workspace: Workspace, **arguments: Any) -> str:
    """What is said about arguments."""
    with pytest.raises(WorkbenchError) as refused:
        review(workspace, **arguments)
    return str(refused.value)


def test_a_finding_has_its_place_and_the_next_step(workspace: Workspace) -> None:
    answer = review(workspace, "shop", select=[RAW_SQL])
    assert (answer.folder, answer.total, answer.next, answer.failed) == ("shop", 2, None, True)
    found = answer.findings[0]
    assert (found["file"], found["line"]) == ("main.py", 11)
    assert "bindparams" in found["suggestion"]
    assert "trace" not in found


def test_detail_full_adds_the_path_of_the_value(workspace: Workspace) -> None:
    answer = review(workspace, "shop", select=[RAW_SQL], detail="full")
    assert len(answer.findings[0]["trace"]) >= 2


def test_pages_follow_each_other_and_hold_everything_once_the_most_severe_first(workspace: Workspace) -> None:
    everything: dict[str, Any] = {"path": "shop", "severity": "info", "confidence": "tentative"}
    whole = review(workspace, **everything, limit=100)
    found: list[Any] = []
    cursor: int | None = 0
    while cursor is not None:
        one = review(workspace, **everything, limit=1, cursor=cursor)
        found += one.findings
        cursor = one.next
    assert whole.total >= 2
    assert tuple(found) == whole.findings
    assert whole.findings[0]["severity"] == "critical"


def test_one_file_is_reviewed_with_its_project_around_it(folder: Path, workspace: Workspace) -> None:
    (folder / "shop" / "requirements.txt").write_text("fastapi\n")
    (folder / "shop" / "other.py").write_text("import main\n")
    answer = review(workspace, "shop/main.py")
    assert answer.folder == "shop"
    assert {each["file"] for each in answer.findings} == {"main.py"}


def test_only_changed_lines_are_listed(folder: Path, workspace: Workspace, git: Callable[..., str]) -> None:
    assert review(workspace, changed_since="HEAD").total == 0
    main = folder / "shop" / "main.py"
    main.write_text(main.read_text().replace("SELECT text", "SELECT body"))
    assert [each["line"] for each in review(workspace, changed_since="HEAD", select=[RAW_SQL]).findings] == [
        16
    ]


def test_findings_that_the_project_knows_are_left_out(folder: Path, workspace: Workspace) -> None:
    from fastapi_architect.__main__ import main

    assert main(["review", str(folder), "--write-baseline", str(folder / "known.json")]) == 0
    (folder / "pyproject.toml").write_text('[tool.fastapi-architect]\nbaseline = "known.json"\n')
    assert review(workspace).total == 0


# ── code that is nowhere yet ─────────────────────────────────────────────────────────────────────────────────────


def test_code_is_reviewed_alone_and_that_is_said(folder: Path, workspace: Workspace) -> None:
    before = snapshot(folder)
    answer = review(workspace, code=textwrap.dedent(APP), select=[RAW_SQL])
    assert [(each["file"], each["line"]) for each in answer.findings] == [
        ("snippet.py", 11),
        ("snippet.py", 16),
    ]
    assert "Pass the path" in answer.notes[0]
    assert snapshot(folder) == before


def test_code_with_a_path_is_reviewed_where_it_would_stand(folder: Path, workspace: Workspace) -> None:
    (folder / "shop" / "requirements.txt").write_text("fastapi\nsqlalchemy\n")
    (folder / "shop" / "database.py").write_text(
        "from sqlalchemy import create_engine\nengine = create_engine('sqlite://')\n"
    )
    (folder / "shop" / "main.py").write_text(
        "from fastapi import FastAPI\nfrom shop.authors import router\n\n"
        'app = FastAPI()\napp.include_router(router, prefix="/api")\n'
    )
    before = snapshot(folder)
    alone = review(workspace, code=ROUTER, select=[RAW_SQL])
    inside = review(workspace, "shop/authors.py", code=ROUTER, select=[RAW_SQL])
    assert [each["routes"] for each in alone.findings] == [["GET /authors"]]
    assert [(each["file"], each["routes"]) for each in inside.findings] == [
        ("authors.py", ["GET /api/authors"])
    ]
    assert inside.folder == "shop"
    assert snapshot(folder) == before


def test_code_stands_in_for_the_file_that_is_there(folder: Path, workspace: Workspace) -> None:
    code = textwrap.dedent(APP).replace("= '{title}'", "= :title")
    for _ in range(2):  # what one of them has parsed is not what the other one says
        assert review(workspace, "shop/main.py", select=[RAW_SQL]).total == 2
        assert review(workspace, "shop/main.py", code=code, select=[RAW_SQL]).total == 0
        assert review(workspace, "shop", select=[RAW_SQL]).total == 2


def test_findings_of_other_files_are_not_those_of_the_code(workspace: Workspace) -> None:
    assert review(workspace, "shop/new.py", code="def twice(x: int) -> int:\n    return 2 * x\n").total == 0


def test_code_that_does_not_parse_is_said(workspace: Workspace) -> None:
    answer = review(workspace, code="def broken(:\n")
    assert (answer.total, len(answer.not_analysed)) == (0, 1)
    assert "snippet.py" in answer.not_analysed[0]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"code": "x = 1\n" * MAX_CODE_BYTES}, "review the file by its path"),
        ({"code": "x", "path": "../x.py"}, "outside the served folder"),
        ({"code": "x", "path": "link/x.py"}, "outside the served folder"),
        ({"code": "x", "path": "shop"}, "is no Python file"),
        ({"code": "x", "path": "shop/page.html"}, "is no Python file"),
        ({"code": "x", "changed_since": "HEAD"}, "changed_since"),
        ({"select": ["sql-injection"]}, "did you mean"),
        ({"changed_since": "HEAD~1"}, "is not in a git repository"),
        ({"limit": 0}, "limit"),
        ({"limit": 101}, "limit"),
        ({"cursor": -1}, "cursor"),
        ({"severity": "terrible"}, "critical"),
    ],
)
def test_a_mistake_is_answered_with_the_next_step(
    folder: Path, workspace: Workspace, arguments: dict[str, Any], says: str
) -> None:
    (folder / "link").symlink_to(folder.parent)
    assert says in refusal(workspace, **arguments)


def test_a_broken_configuration_is_said_as_on_the_command_line(folder: Path, workspace: Workspace) -> None:
    (folder / "pyproject.toml").write_text('[tool.fastapi-architect]\ngaet = "minor"\n')
    assert "gate" in refusal(workspace, path="shop")
