"""Several clients at once, and what they announce."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import ListRootsResult, Root
from pydantic import FileUrl
from tests.mcp.sessions import answer, asked, http_server, over_http, over_stdio, refusal
from tests.workbench.conftest import RAW_SQL


def test_two_clients_are_answered_at_the_same_time(backend: Path) -> None:
    """Each run of the tests waits for the other one: one after the other, neither would ever end."""
    (backend / "shop" / "meet.py").write_text(
        "import os, sys, time\n"
        "open(f'here-{os.getpid()}', 'w').close()\n"
        "while sum(name.startswith('here-') for name in os.listdir()) < 2:\n"
        "    time.sleep(0.05)\n"
        "print('met')\n"
    )
    (backend / "shop" / "pyproject.toml").write_text(
        f"[tool.fastapi-architect]\ntest_command = \"'{sys.executable}' meet.py\"\n"
    )
    token = "a-token-that-nobody-guesses"
    outputs: list[str] = []

    async def one(address: str) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        async with (
            httpx2.AsyncClient(headers=headers, timeout=120) as http,
            Client(streamable_http_client(address, http_client=http)) as client,
        ):
            outputs.append((await answer(client, "run_tests", path="shop", max_seconds=100))["output"])

    async def both(address: str) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(one, address)
            tasks.start_soon(one, address)

    with http_server(backend, "--allow-tests", token=token) as address:
        anyio.run(both, address)
    assert outputs == ["met\n", "met\n"]


def test_more_questions_than_workers_are_all_answered_each_by_its_own_answer(backend: Path) -> None:
    async def conversation(client: Client) -> dict[str, Any]:
        got: dict[str, Any] = {}

        async def ask(rule: str) -> None:
            got[rule] = (await answer(client, "review", path="shop", select=[rule]))["total"]

        async with anyio.create_task_group() as tasks:
            for rule in (RAW_SQL, "os-command-injection", "open-redirect", "query-inside-loop"):
                tasks.start_soon(ask, rule)
        return got

    assert over_stdio(backend, conversation) == {
        RAW_SQL: 2,
        "os-command-injection": 0,
        "open-redirect": 0,
        "query-inside-loop": 0,
    }


# ── roots ────────────────────────────────────────────────────────────────────────────────────────────────────────


def announcing(*folders: Path | str) -> Any:
    """What a client answers when it is asked for its roots."""

    async def roots(_: Any) -> ListRootsResult:
        return ListRootsResult(
            roots=[
                Root(uri=FileUrl(each if isinstance(each, str) else each.resolve().as_uri()))
                for each in folders
            ]
        )

    return roots


@pytest.mark.parametrize("transport", ["stdio", "stdio legacy", "http", "http legacy"])
def test_roots_that_a_client_announces_narrow_what_is_served(backend: Path, transport: str) -> None:
    (backend / "other").mkdir()
    (backend / "other" / "main.py").write_text("x = 1\n")
    mode = "legacy" if transport.endswith("legacy") else "auto"

    async def conversation(client: Client) -> None:
        assert (await answer(client, "review", path="shop", select=[RAW_SQL]))["total"] == 2
        for path in (".", "other", "other/main.py", "shop/../other"):
            said = await refusal(client, "review", path=path)
            assert "outside the roots that your client announced; name a path below shop" in said

    options = {"mode": mode, "list_roots_callback": announcing(backend / "shop")}
    if transport.startswith("stdio"):
        over_stdio(backend, conversation, **options)
        return
    with http_server(backend) as address:
        over_http(address, conversation, **options)


def test_roots_never_widen_what_is_served(backend: Path) -> None:
    (backend.parent / "secret.py").write_text("x = 1\n")

    async def above(client: Client) -> None:
        assert "outside the served folder" in await refusal(client, "review", path="../secret.py")
        assert (await answer(client, "review", path="shop", select=[RAW_SQL]))["total"] == 2

    async def elsewhere(client: Client) -> None:
        assert "none of the roots" in await refusal(client, "review", path="shop")

    asked(backend, above, roots=announcing(Path("/")))
    asked(backend, above, roots=announcing())
    asked(backend, elsewhere, roots=announcing(backend.parent / "elsewhere"))
    asked(backend, elsewhere, roots=announcing(f"file://elsewhere{backend.as_posix()}"))
