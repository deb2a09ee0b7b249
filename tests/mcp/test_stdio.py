"""`architect mcp`, driven by the SDK's own client over standard input and output."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, StdioServerParameters, stdio_client

from fastapi_architect.__main__ import main
from fastapi_architect.mcp.server import server_for
from fastapi_architect.workbench.workspace import Workspace

APP = """
    from fastapi import FastAPI
    from sqlalchemy import create_engine, text

    app = FastAPI()
    engine = create_engine("sqlite://")

    @app.get("/books")
    def search(title: str) -> list[str]:
        with engine.connect() as connection:
            return list(connection.scalars(text(f"SELECT title FROM books WHERE title = '{title}'")))

    @app.get("/books/{title}")
    def describe(title: str) -> list[str]:
        with engine.connect() as connection:
            return list(connection.scalars(text(f"SELECT text FROM books WHERE title = '{title}'")))

    @app.get("/health")
    def health() -> str:
        return "up"
"""


@pytest.fixture
def backend(tmp_path: Path) -> Path:
    """A served folder that holds one backend."""
    folder = tmp_path / "served" / "shop"
    folder.mkdir(parents=True)
    (folder / "main.py").write_text(textwrap.dedent(APP), encoding="utf-8")
    return folder.parent


def over_stdio(root: Path, conversation: Callable[[Client], Awaitable[Any]]) -> Any:
    """What a conversation with a server in a process of its own comes to."""
    parameters = StdioServerParameters(
        command=sys.executable,
        args=["-m", "fastapi_architect", "mcp", "--root", str(root)],
        env=dict(os.environ),
    )

    async def talk() -> Any:
        async with Client(stdio_client(parameters)) as client:
            return await conversation(client)

    return anyio.run(talk)


def asked(root: Path, conversation: Callable[[Client], Awaitable[Any]]) -> Any:
    """What a conversation with a server in this process comes to."""

    async def talk() -> Any:
        async with Client(server_for(Workspace(root.resolve()))) as client:
            return await conversation(client)

    return anyio.run(talk)


def call(root: Path, tool: str, **arguments: Any) -> Any:
    """The structured answer of one call."""
    answer = asked(root, lambda client: client.call_tool(tool, arguments))
    assert not answer.is_error, answer.content
    return answer.structured_content


def refusal(root: Path, tool: str, **arguments: Any) -> str:
    """The text of a call that is refused."""
    answer = asked(root, lambda client: client.call_tool(tool, arguments))
    assert answer.is_error
    return str(answer.content[0].text)


def test_the_tools_say_what_they_take_and_that_they_only_read(backend: Path) -> None:
    listed = over_stdio(backend, lambda client: client.list_tools()).tools
    assert {"review", "explain_rule", "map_backend", "fix"} == {tool.name for tool in listed}
    for tool in listed:
        assert tool.description
        assert tool.output_schema
        assert all("description" in each for each in tool.input_schema["properties"].values())
        assert tool.annotations.read_only_hint


def test_the_schema_of_an_answer_describes_its_fields_and_is_said_once(backend: Path) -> None:
    listed = {tool.name: tool for tool in asked(backend, lambda client: client.list_tools()).tools}
    schema = listed["fix"].output_schema
    assert schema["title"] == "Patch"
    assert "git apply" in schema["properties"]["patch"]["description"]
    assert "$defs" not in schema


def test_a_review_names_the_flaw_with_its_place_and_next_step(backend: Path) -> None:
    answer = call(backend, "review", path="shop", select=["sql-injection-raw-statement"])
    assert (answer["folder"], answer["total"], answer["next"]) == ("shop", 2, None)
    found = answer["findings"][0]
    assert (found["file"], found["line"]) == ("main.py", 11)
    assert "bindparams" in found["suggestion"]
    assert "trace" not in found
    assert answer["failed"] is True


def test_detail_full_adds_the_path_of_the_value(backend: Path) -> None:
    answer = call(backend, "review", path="shop", select=["sql-injection-raw-statement"], detail="full")
    assert len(answer["findings"][0]["trace"]) >= 2


def test_pages_follow_each_other_and_hold_everything_once(backend: Path) -> None:
    whole = call(backend, "review", path="shop", severity="info", confidence="tentative", limit=100)
    found, cursor = [], 0
    while cursor is not None:
        one = call(
            backend, "review", path="shop", severity="info", confidence="tentative", limit=1, cursor=cursor
        )
        found += one["findings"]
        cursor = one["next"]
    assert whole["total"] >= 2
    assert found == whole["findings"]


def test_one_file_is_reviewed_with_its_project_around_it(backend: Path) -> None:
    (backend / "shop" / "requirements.txt").write_text("fastapi\n", encoding="utf-8")
    (backend / "shop" / "other.py").write_text("import main\n", encoding="utf-8")
    answer = call(backend, "review", path="shop/main.py")
    assert answer["folder"] == "shop"
    assert {each["file"] for each in answer["findings"]} == {"main.py"}


def test_nothing_outside_the_served_folder_is_read(backend: Path) -> None:
    outside = backend.parent / "secret.py"
    outside.write_text("from fastapi import FastAPI\napp = FastAPI()\n", encoding="utf-8")
    (backend / "link").symlink_to(backend.parent)
    for path in ("..", "../secret.py", str(outside), "link", "link/secret.py", "shop/../../secret.py"):
        assert "outside the served folder" in refusal(backend, "review", path=path)


def test_a_configuration_above_the_served_folder_does_not_count(backend: Path) -> None:
    above = backend.parent / "pyproject.toml"
    above.write_text('[tool.fastapi-architect]\nignore = ["all"]\n', encoding="utf-8")
    assert call(backend, "review", path="shop")["total"] >= 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"path": "nowhere"}, "there is nothing at 'nowhere'"),
        ({"path": "a\0b"}, "is no path"),
        ({"select": ["sql-injection"]}, "did you mean"),
        ({"changed_since": "HEAD~1"}, "is not in a git repository"),
        ({"limit": 0}, "limit"),
        ({"cursor": -1}, "cursor"),
        ({"severity": "terrible"}, "severity"),
    ],
)
def test_a_mistake_is_answered_with_the_next_step(
    backend: Path, arguments: dict[str, Any], says: str
) -> None:
    assert says in refusal(backend, "review", **arguments)


def test_a_broken_configuration_is_said_as_on_the_command_line(backend: Path) -> None:
    (backend / "pyproject.toml").write_text('[tool.fastapi-architect]\ngaet = "minor"\n', encoding="utf-8")
    assert "gate" in refusal(backend, "review", path="shop")


def test_a_rule_is_explained_as_a_page(backend: Path) -> None:
    answer = call(backend, "explain_rule", rule="sql-injection-raw-statement")
    assert answer["cwe"] == "CWE-89"
    assert answer["cvss_score"] == 9.8
    assert "## Bad" in answer["page"]


def test_an_unknown_rule_is_answered_with_near_ones(backend: Path) -> None:
    assert "sql-injection-raw-statement" in refusal(backend, "explain_rule", rule="sql-injection-raw")


def test_the_map_lists_routes_and_can_be_narrowed(backend: Path) -> None:
    answer = call(backend, "map_backend", path="shop")
    assert [each["route"] for each in answer["operations"]] == [
        "GET /books",
        "GET /books/{title}",
        "GET /health",
    ]
    assert answer["applications"] == ["main.py:app"]
    narrowed = call(backend, "map_backend", path="shop", route="/health", without_authentication=True)
    assert [each["route"] for each in narrowed["operations"]] == ["GET /health"]


def test_a_fix_is_a_patch_that_git_applies_and_nothing_is_written(backend: Path) -> None:
    shop = backend / "shop"
    before = (shop / "main.py").read_bytes()
    answer = call(backend, "fix", path="shop", select=["sql-injection-raw-statement"], unsafe=True)
    assert (answer["folder"], len(answer["fixed"]), answer["undone"]) == ("shop", 2, [])
    assert (shop / "main.py").read_bytes() == before
    subprocess.run(["git", "apply", "-"], cwd=shop, input=answer["patch"].encode(), check=True)
    assert call(backend, "review", path="shop", select=["sql-injection-raw-statement"])["total"] == 0


def test_a_fix_that_wants_a_persons_eye_is_only_counted(backend: Path) -> None:
    answer = call(backend, "fix", path="shop", select=["sql-injection-raw-statement"])
    assert (answer["patch"], answer["fixed"], answer["more"]) == ("", [], {"unsafe": 2})


def test_one_server_answers_again_and_again_and_sees_edits(backend: Path) -> None:
    async def conversation(client: Client) -> list[int]:
        totals = []
        for text in (APP, APP.replace("{title}", ":title"), APP):
            (backend / "shop" / "main.py").write_text(textwrap.dedent(text), encoding="utf-8")
            answer = await client.call_tool("review", {"select": ["sql-injection-raw-statement"]})
            totals.append(answer.structured_content["total"])
        return totals

    assert over_stdio(backend, conversation) == [2, 0, 2]


def test_a_root_that_is_no_folder_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["mcp", "--root", str(tmp_path / "missing")])
    assert stop.value.code == 2
    assert "is no folder" in capsys.readouterr().err


def test_without_the_extra_the_command_says_which_one_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in sys.modules if name.startswith("fastapi_architect.mcp")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "mcp", None)
    monkeypatch.setitem(sys.modules, "mcp.server.mcpserver", None)
    assert main(["mcp"]) == 2
    assert "pip install 'fastapi-architect[mcp]'" in capsys.readouterr().err
