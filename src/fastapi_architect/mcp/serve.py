"""`architect mcp`: the architect as a server of the Model Context Protocol, on standard input and output or over HTTP."""

from __future__ import annotations

import argparse
import gc
import logging
import sys
from pathlib import Path


def parser() -> argparse.ArgumentParser:
    """Options of the command."""
    made = argparse.ArgumentParser(
        prog="architect mcp",
        description="Serve the architect to an AI agent (Model Context Protocol, extra [mcp]): review, fix, map, plans, "
        "components. Nothing is written and nothing of the project is run unless you allow it here, once for all agents.",
        epilog="Over HTTP a token is required on any address but this machine's own, and wherever writing or tests are allowed, "
        "because every program on the machine can connect. It is read from a file, or from ARCHITECT_MCP_TOKEN, and clients "
        "send it as `Authorization: Bearer TOKEN`.",
        allow_abbrev=False,
    )
    made.add_argument(
        "--root",
        type=Path,
        default=Path(),
        metavar="DIR",
        help="folder that the agent may read (default: here)",
    )
    made.add_argument(
        "--allow-writes",
        action="store_true",
        help="let it apply fixes, add components, make services and keep records below DIR, when you ask for that",
    )
    made.add_argument(
        "--allow-tests",
        action="store_true",
        help="let it run the project's own tests, which is code that runs with your rights",
    )
    http = made.add_argument_group("over HTTP, for several clients")
    http.add_argument(
        "--http", action="store_true", help="serve streamable HTTP at /mcp instead of standard input"
    )
    http.add_argument("--host", metavar="ADDRESS", help="address to listen at (default: 127.0.0.1)")
    http.add_argument("--port", type=int, metavar="PORT", help="port to listen at, 0 for any (default: 8642)")
    http.add_argument(
        "--allowed-host",
        action="append",
        metavar="NAME",
        help="name by which clients call this machine, such as build.example.com; may repeat",
    )
    http.add_argument("--token-file", type=Path, metavar="FILE", help="file that holds the token")
    return made


def run(arguments: list[str]) -> int:
    """Serve until the client closes standard input, or until Ctrl-C."""
    options = parser()
    given = options.parse_args(arguments)
    if not given.root.is_dir():
        options.error(f"--root: {given.root} is no folder; name the folder of the project")
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)  # standard output belongs to the protocol
    gc.enable()  # one review ends with its process, a server does not
    if given.http:
        from fastapi_architect.mcp import http

        return http.serve(given, options.error)
    for option in ("host", "port", "allowed_host", "token_file"):
        if getattr(given, option) is not None:
            options.error(f"--{option.replace('_', '-')} belongs to --http; add that, or leave it out")
    from fastapi_architect.mcp.server import server_for

    server_for(given.root, writes=given.allow_writes, tests=given.allow_tests).run("stdio")
    return 0
