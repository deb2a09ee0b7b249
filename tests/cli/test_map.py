"""The map in each of its formats: what it says, that nothing in a reviewed name escapes, and what was not resolved."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fastapi_architect.__main__ import main
from fastapi_architect.cli.map import run

APP = """
from fastapi import Depends, FastAPI, HTTPException, Header
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
import redis

app = FastAPI()
store = redis.Redis()


def get_session() -> Session: ...


def current_user(authorization: str = Header()) -> str:
    if authorization != "x":
        raise HTTPException(401)
    return authorization


@app.get("/plain")
def plain(limit: int = 10) -> int:
    return limit


@app.get("/guarded")
def guarded(user: str = Depends(current_user), session: Session = Depends(get_session)) -> None:
    session.execute("SELECT 1")


def load(session: Session) -> None:
    session.execute("SELECT 1")


@app.get("/caught")
def caught(session: Session = Depends(get_session)) -> None:
    try:
        load(session)
    except OperationalError:
        raise HTTPException(503)


@app.get("/cached")
def cached() -> None:
    store.get("x")


app.add_api_route("/elsewhere", somewhere.handler)
"""
HOSTILE = """
from fastapi import FastAPI

app = FastAPI()


@app.get("/<script>alert(1)</script>\\"];\\nclick n0 href \\x1b[2J#quot;")
def handler(): ...
"""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHITECT_CACHE_DIR", str(tmp_path / "cache"))


def mapped(tmp_path: Path, text: str, form: str) -> str:
    project, output = tmp_path / "shop", tmp_path / "map"
    project.mkdir(exist_ok=True)
    (project / "main.py").write_text(text)
    assert run([str(project), "--format", form, "--output", str(output)]) == 0
    return output.read_text()


def rows(tmp_path: Path, text: str) -> dict[str, dict[str, Any]]:
    (application,) = json.loads(mapped(tmp_path, text, "json"))["applications"]
    return {row["path"]: row for row in application["operations"]}


def test_json_says_guards_inputs_and_queries(tmp_path: Path) -> None:
    found = rows(tmp_path, APP)
    assert found["/plain"]["parameters"] == [{"name": "limit", "kind": "query", "required": False}]
    assert (found["/plain"]["access"], found["/guarded"]["access"]) == ("none", "user")
    assert found["/guarded"]["guards"] == ["main.current_user"]
    assert found["/guarded"]["dependencies"] == ["main.current_user", "main.get_session"]
    assert found["/guarded"]["queries"] == 1


def test_what_happens_when_the_database_is_down(tmp_path: Path) -> None:
    found = rows(tmp_path, APP)
    assert {path: row["when_database_is_down"] for path, row in found.items()} == {
        "/plain": "not used",
        "/guarded": "500",
        "/caught": "handled where it is called",
        "/cached": "not used",
        "/elsewhere": "not known",
    }
    assert (found["/cached"]["when_redis_is_down"], found["/plain"]["when_redis_is_down"]) == (
        "500",
        "not used",
    )


@pytest.mark.parametrize("exception", ["Exception", "500", "OperationalError"])
def test_a_handler_of_the_application_answers(tmp_path: Path, exception: str) -> None:
    handler = f"\n@app.exception_handler({exception})\ndef answer(request, error): ...\n"
    found = rows(tmp_path, APP + handler)
    assert found["/guarded"]["when_database_is_down"] == f"answered by answer ({exception})"


def test_the_table_has_a_line_for_each_operation(tmp_path: Path) -> None:
    lines = mapped(tmp_path, APP, "table").splitlines()
    assert lines[0] == "main.py: app, 5 operations"
    assert [line.split("  ")[0] for line in lines[4:9]] == [
        "GET /plain",
        "GET /guarded",
        "GET /caught",
        "GET /cached",
        "GET /elsewhere",
    ]


def test_mermaid_leads_from_a_route_through_its_guard(tmp_path: Path) -> None:
    chart = mapped(tmp_path, APP, "mermaid")
    assert chart.startswith('flowchart LR\n    n0["GET /plain"]\n')
    assert '{{"current_user"}}' in chart


@pytest.mark.parametrize("form", ["table", "json", "mermaid", "html"])
def test_hostile_names_stay_names(tmp_path: Path, form: str) -> None:
    text = mapped(tmp_path, HOSTILE, form)
    assert "\x1b" not in text
    if form == "html":
        assert "<script" not in text
    if form == "mermaid":
        assert len(text.splitlines()) == 2
        assert text.count('"') == 2


@pytest.mark.parametrize("form", ["table", "json", "html"])
def test_what_was_not_resolved_is_listed(tmp_path: Path, form: str) -> None:
    text = "from fastapi import FastAPI\n\napp = FastAPI()\napp.include_router(unknown.router)\n"
    found = mapped(tmp_path, text, form)
    assert "unknown.router" in found
    assert "the included router could not be followed to an APIRouter of this tree" in found


def test_a_tree_without_an_application_says_the_next_step(tmp_path: Path) -> None:
    assert mapped(tmp_path, "x = 1\n", "table") == (
        "No FastAPI application was found here. Pass the folder of your application.\n"
    )


def test_routers_alone_are_mapped_and_reviewed_as_they_stand(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "items.py").write_text(
        "import os\nfrom fastapi import APIRouter\n\nrouter = APIRouter()\n\n\n"
        "@router.get('/run')\ndef run(command: str) -> None:\n    os.system('ls ' + command)\n"
    )
    assert main(["map", str(tmp_path)]) == 0
    assert "GET /run" in " ".join(capsys.readouterr().out.split())
    assert main(["review", str(tmp_path), "--select", "os-command-injection"]) == 1
    told = capsys.readouterr().out
    assert "routers with 1 operation" in " ".join(told.split())
