"""Work ends when nobody waits for it any more, and never in the middle of writing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from mcp import Client
from tests.mcp.sessions import (
    COMMAND,
    HELLO,
    TOKEN,
    answer,
    asked,
    http_server,
    over_http,
    over_stdio,
    refusal,
)
from tests.workbench.conftest import RAW_SQL, snapshot

from fastapi_architect.mcp import workers as module
from fastapi_architect.mcp.workers import MAX_WORKERS, WorkerFault, Workers

#: A test run that says where it is, and ends when it is ended.
ENDLESS = """\
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])
with open('processes.new', 'w') as file:
    file.write(f'{os.getpid()} {child.pid}')
os.rename('processes.new', 'processes')
time.sleep(600)
"""


@pytest.fixture
def endless(backend: Path) -> Path:
    """A backend whose tests never end."""
    (backend / "shop" / "endless.py").write_text(ENDLESS)
    (backend / "shop" / "pyproject.toml").write_text(
        f"[tool.fastapi-architect]\ntest_command = \"'{sys.executable}' endless.py\"\n"
    )
    return backend


def alive(process: int) -> bool:
    """It runs."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{process}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return sys.platform != "linux"


async def until(holds: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for something that has to come."""
    with anyio.fail_after(seconds):
        while not holds():
            await anyio.sleep(0.05)


@pytest.mark.parametrize("transport", ["stdio", "stdio legacy", "http", "http legacy"])
def test_what_is_cancelled_ends_with_all_its_processes_and_the_next_question_is_answered(
    endless: Path, transport: str
) -> None:
    processes = endless / "shop" / "processes"
    mode = "legacy" if transport.endswith("legacy") else "auto"

    async def conversation(client: Client) -> None:
        # As many as are answered at once, so that the next one has to wait for their end.
        for _ in range(MAX_WORKERS):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(client.call_tool, "run_tests", {"path": "shop"})
                await until(processes.exists)
                numbers = [int(each) for each in processes.read_text().split()]
                assert all(map(alive, numbers))
                tasks.cancel_scope.cancel()
            await until(lambda gone=numbers: not any(map(alive, gone)))
            processes.unlink()
        assert (await answer(client, "review", path="shop", select=[RAW_SQL]))["total"] == 2

    if transport.startswith("stdio"):
        over_stdio(endless, conversation, "--allow-tests", mode=mode)
        return
    with http_server(endless, "--allow-tests", token=TOKEN) as address:
        over_http(address, conversation, token=TOKEN, mode=mode)


def test_a_client_that_goes_away_takes_its_work_with_it(endless: Path) -> None:
    processes = endless / "shop" / "processes"

    async def conversation(client: Client) -> list[int]:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.call_tool, "run_tests", {"path": "shop"})
            await until(processes.exists)
            numbers = [int(each) for each in processes.read_text().split()]
            assert all(map(alive, numbers))
            tasks.cancel_scope.cancel()
        return numbers

    numbers = over_stdio(endless, conversation, "--allow-tests")
    anyio.run(until, lambda: not any(map(alive, numbers)))


def test_a_review_stops_in_the_middle_of_computing(tmp_path: Path) -> None:
    """The process that computes is gone long before it could have finished."""
    for number in range(60):
        functions = "\n".join(
            f"@app.get('/x{number}/{each}')\ndef f{each}(q: str, n: int) -> list[str]:\n    return g{each}(q) * n\n"
            f"def g{each}(q: str) -> list[str]:\n    return [q for _ in range(3) if q != 'x']\n"
            for each in range(60)
        )
        (tmp_path / f"m{number}.py").write_text(f"from fastapi import FastAPI\napp = FastAPI()\n{functions}")

    async def conversation() -> None:
        async with Workers(tmp_path).open() as workers:
            process = workers._idle[0]._process

            async def begun(stage: str, done: int, total: int) -> None:
                tasks.cancel_scope.cancel()

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(lambda: workers.ask("review", {}, progress=begun))
            assert not workers._idle
            assert process.returncode is not None
            line = json.loads(await workers.ask("explain_rule", {"rule": RAW_SQL}))
            assert line["rule"] == RAW_SQL

    anyio.run(conversation)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_server_that_is_killed_takes_its_work_with_it(endless: Path, how: int) -> None:
    processes = endless / "shop" / "processes"
    call = {
        "jsonrpc": "2.0",
        "id": 2,
        "method": "tools/call",
        "params": {"name": "run_tests", "arguments": {"path": "shop"}},
    }
    with subprocess.Popen(
        [*COMMAND, "--root", str(endless), "--allow-tests"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(json.dumps(HELLO).encode() + b"\n")
        server.stdin.flush()
        server.stdout.readline()
        for message in ({"jsonrpc": "2.0", "method": "notifications/initialized"}, call):
            server.stdin.write(json.dumps(message).encode() + b"\n")
        server.stdin.flush()
        anyio.run(until, processes.exists)
        numbers = [int(each) for each in processes.read_text().split()]
        assert all(map(alive, numbers))
        server.send_signal(how)
        anyio.run(until, lambda: not any(map(alive, numbers)))


# ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("granted", [False, True])
def test_files_are_written_whole_or_not_at_all_whenever_it_is_cancelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, granted: bool
) -> None:
    root = tmp_path / "served"
    root.mkdir()
    whole = tmp_path / "whole"
    whole.mkdir()
    let_write = module._Worker._let_write

    async def conversation() -> None:
        async with Workers(whole, writes=True).open() as workers:
            await workers.ask("new_service", {"name": "bookshop"})
        async with Workers(root, writes=True).open() as workers:
            with anyio.CancelScope() as scope:

                async def cancelled(worker: module._Worker) -> None:
                    scope.cancel()
                    if not granted:
                        await anyio.lowlevel.checkpoint()
                    await let_write(worker)

                monkeypatch.setattr(module._Worker, "_let_write", cancelled)
                await workers.ask("new_service", {"name": "bookshop"})
            assert scope.cancelled_caught

    anyio.run(conversation)
    if granted:
        assert snapshot(root) == snapshot(whole)
    else:
        assert not any(root.iterdir())


# ── a worker that dies ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_worker_that_dies_is_said_and_replaced(endless: Path) -> None:
    async def conversation(client: Client) -> tuple[str, Any]:
        said: list[str] = []

        async def ask() -> None:
            said.append(await refusal(client, "run_tests", path="shop"))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask)
            await until((endless / "shop" / "processes").exists)
            tests, child = (int(each) for each in (endless / "shop" / "processes").read_text().split())
            worker = int(Path(f"/proc/{tests}/stat").read_text().rpartition(")")[2].split()[1])
            os.kill(worker, signal.SIGKILL)
            for each in (tests, child):
                os.kill(each, signal.SIGKILL)
        return said[0], await answer(client, "review", path="shop", select=[RAW_SQL])

    if sys.platform != "linux":
        pytest.skip("who is whose parent is asked of /proc")
    said, reviewed = asked(endless, conversation, tests=True)
    assert "ended by signal 9" in said
    assert "not of what was asked" in said
    assert reviewed["total"] == 2


def test_a_worker_that_died_while_nobody_asked_costs_no_answer(tmp_path: Path) -> None:
    async def conversation() -> None:
        async with Workers(tmp_path).open() as workers:
            process = workers._idle[0]._process
            process.kill()
            await process.wait()
            assert await workers.ask("rules", {})

    anyio.run(conversation)


def test_a_client_that_does_not_hear_how_far_it_is_costs_nobody_else_an_answer(backend: Path) -> None:
    async def conversation() -> None:
        async def deaf(stage: str, done: int, total: int) -> None:
            raise anyio.BrokenResourceError

        async with Workers(backend).open() as workers:
            with anyio.fail_after(60), pytest.raises(anyio.BrokenResourceError):
                await workers.ask("review", {}, progress=deaf)
            assert await workers.ask("rules", {})

    anyio.run(conversation)


def test_a_fault_of_ours_is_said_as_such_and_costs_nothing_else(tmp_path: Path) -> None:
    async def conversation() -> None:
        async with Workers(tmp_path).open() as workers:
            with pytest.raises(WorkerFault, match="TypeError"):
                await workers.ask("review", {"no_such_argument": 1})
            assert await workers.ask("rules", {})

    anyio.run(conversation)


def test_an_idle_worker_ends_with_its_server(tmp_path: Path) -> None:
    async def conversation() -> Any:
        async with Workers(tmp_path).open() as workers:
            return workers._idle[0]._process

    begin = time.monotonic()
    process = anyio.run(conversation)
    assert process.returncode is not None
    assert time.monotonic() - begin < 60
