"""Clients of the SDK that talk to a server over standard input, over HTTP, and in this process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx2
from mcp import Client, StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

from fastapi_architect.mcp.server import server_for

Conversation = Callable[[Client], Awaitable[Any]]

COMMAND = [sys.executable, "-P", "-m", "fastapi_architect", "mcp"]
TOKEN = "a-token-that-nobody-guesses"
#: The first message of a client that speaks the protocol by hand.
HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "a", "version": "1"},
    },
}


def over_stdio(root: Path, conversation: Conversation, *options: str, **client: Any) -> Any:
    """What a conversation with a server in a process of its own comes to."""
    parameters = StdioServerParameters(
        command=COMMAND[0], args=[*COMMAND[1:], "--root", str(root), *options], env=dict(os.environ)
    )

    async def talk() -> Any:
        async with Client(stdio_client(parameters), **client) as one:
            return await conversation(one)

    return anyio.run(talk)


@contextmanager
def http_server(root: Path, *options: str, token: str | None = None) -> Iterator[str]:
    """The address of a server over HTTP, at a port that was free."""
    environment = {name: value for name, value in os.environ.items() if name != "ARCHITECT_MCP_TOKEN"}
    if token:
        environment["ARCHITECT_MCP_TOKEN"] = token
    with subprocess.Popen(
        [*COMMAND, "--root", str(root), "--http", "--port", "0", *options],
        stderr=subprocess.PIPE,
        env=environment,
        text=True,
    ) as process:
        try:
            assert process.stderr is not None
            line = process.stderr.readline()
            assert " at http://" in line, line
            yield line.split(" at ")[1].strip()
        finally:
            process.terminate()
            process.wait(10)


def over_http(address: str, conversation: Conversation, *, token: str | None = None, **client: Any) -> Any:
    """What a conversation with a server over HTTP comes to."""

    async def talk() -> Any:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with (
            httpx2.AsyncClient(headers=headers, timeout=120) as http,
            Client(streamable_http_client(address, http_client=http), **client) as one,
        ):
            return await conversation(one)

    return anyio.run(talk)


def asked(root: Path, conversation: Conversation, *, roots: Any = None, **options: Any) -> Any:
    """What a conversation with a server in this process comes to; its workers are processes all the same."""

    async def talk() -> Any:
        async with Client(server_for(root, **options), list_roots_callback=roots) as client:
            return await conversation(client)

    return anyio.run(talk)


async def answer(client: Client, tool: str, **arguments: Any) -> Any:
    """The structured answer of one call."""
    got = await client.call_tool(tool, arguments)
    assert not got.is_error, got.content
    return got.structured_content


async def refusal(client: Client, tool: str, **arguments: Any) -> str:
    """The text of a call that is refused."""
    got = await client.call_tool(tool, arguments)
    assert got.is_error, got.content
    return str(got.content[0].text)  # type: ignore[union-attr]
