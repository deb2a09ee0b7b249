"""Every tool, driven by the SDK's own client over standard input and over HTTP, as a day of work would."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from tests.mcp.conftest import commit, git
from tests.mcp.sessions import TOKEN, answer, http_server, over_http, over_stdio
from tests.workbench.conftest import RAW_SQL, snapshot

ALLOWED = ("--allow-writes", "--allow-tests")


@pytest.mark.parametrize("transport", ["stdio", "stdio legacy", "http", "http legacy"])
def test_a_day_of_work(backend: Path, transport: str) -> None:
    mode = "legacy" if transport.endswith("legacy") else "auto"

    async def day(client: Client) -> None:
        await _find_and_fix(client, backend)
        await _build(client, backend)
        await _read_on(client)

    if transport.startswith("stdio"):
        over_stdio(backend, day, *ALLOWED, mode=mode)
        return
    with http_server(backend, *ALLOWED, token=TOKEN) as address:
        over_http(address, day, token=TOKEN, mode=mode)


async def _find_and_fix(client: Client, backend: Path) -> None:
    before = snapshot(backend)
    heard: list[Any] = []

    async def hear(*progress: Any) -> None:
        heard.append(progress)

    got = await client.call_tool("review", {"path": "shop", "select": [RAW_SQL]}, progress_callback=hear)
    found = got.structured_content
    assert found is not None
    assert found["total"] == 2
    assert (found["findings"][0]["file"], found["findings"][0]["line"]) == ("main.py", 11)
    assert heard
    assert json.loads(got.content[0].text) == found  # type: ignore[union-attr]

    page = await answer(client, "explain_rule", rule=RAW_SQL)
    assert page["cwe"] == "CWE-89"
    mapped = await answer(client, "map_backend", path="shop", route="{title}")
    assert [each["route"] for each in mapped["operations"]] == ["GET /books/{title}"]
    route = await answer(client, "show_route", route="GET /books/{title}", path="shop")
    assert [each["rule"] for each in route["routes"][0]["findings"]] == [RAW_SQL]

    patch = await answer(client, "fix", path="shop/main.py", select=[RAW_SQL], unsafe=True)
    assert (patch["applied"], len(patch["fixed"])) == (False, 2)
    new = (backend / "shop" / "main.py").read_text().replace("= '{title}'", "= :title")
    rest = await answer(client, "review", path="shop/main.py", code=new, select=[RAW_SQL])
    assert rest["total"] == 0
    assert snapshot(backend) == before

    fixed = await answer(client, "fix", path="shop", select=[RAW_SQL], unsafe=True, apply=True)
    assert fixed["applied"]
    assert (await answer(client, "review", path="shop", select=[RAW_SQL]))["total"] == 0
    changed = await answer(client, "review", path=".", changed_since="HEAD", severity="info")
    assert {each["file"] for each in changed["findings"]} <= {"shop/main.py"}
    tests = await answer(client, "run_tests", path="shop")
    assert (tests["passed"], tests["output"]) == (True, "42\n")
    git(backend, "checkout", "--", ".")
    assert snapshot(backend) == before


async def _build(client: Client, backend: Path) -> None:
    made = await answer(client, "new_service", name="bookshop")
    assert made["folder"] == "bookshop"
    commit(backend)
    before = snapshot(backend)
    plan = await answer(client, "plan_component", components=["cache"], path="bookshop")
    assert snapshot(backend) == before
    added = await answer(client, "add_component", components=["cache"], path="bookshop", plan=plan["plan"])
    assert "app/components/cache/cache.py" in added["new_files"]
    assert added["new_findings"] == []
    git(backend, "checkout", "--", ".")
    git(backend, "clean", "--quiet", "--force", "-d")
    assert snapshot(backend) == before

    options = [
        {"name": "Redis", "advantages": ["shared"], "disadvantages": ["a server"]},
        {"name": "In memory"},
    ]
    shown = await answer(client, "propose_adr", title="Cache in Redis", options=options, path="bookshop")
    assert not shown["written"]
    assert snapshot(backend) == before
    written = await answer(
        client, "propose_adr", title="Cache in Redis", options=options, path="bookshop", consent=True
    )
    assert (backend / written["folder"] / written["file"]).read_text() == written["text"]
    kept = await answer(
        client, "record_prompt", request="cache the book list", done=["Added cache."], path="bookshop"
    )
    assert (backend / kept["folder"] / kept["file"]).read_text() == kept["text"]


async def _read_on(client: Client) -> None:
    async def read(uri: str) -> str:
        return str((await client.read_resource(uri)).contents[0].text)  # type: ignore[union-attr]

    assert RAW_SQL in [each["rule"] for each in json.loads(await read("rule://index"))]
    assert "## Bad" in await read(f"rule://{RAW_SQL}")
    assert "cache" in [each["name"] for each in json.loads(await read("component://index"))]
    assert (await read("component://cache")).startswith("# Cache")
    assert json.loads(await read("review://last"))["folder"] == "."
    with pytest.raises(MCPError, match="did you mean sql-injection-raw-statement"):
        await read("rule://sql-injection-raw")

    names = {each.name for each in (await client.list_prompts()).prompts}
    assert {"review_authentication", "slow_endpoint", "add_endpoint", "add_caching", "threat_model"} <= names
    asked = await client.get_prompt("threat_model", {"route": "GET /books"})
    assert "GET /books" in asked.messages[0].content.text  # type: ignore[union-attr]
