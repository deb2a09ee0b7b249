"""`architect mcp [--root DIR]`: the reviewer as a server of the Model Context Protocol on standard input and output."""

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
        description="Serve review, explain_rule, map_backend and fix (a patch) to an AI agent over standard input and output "
        "(Model Context Protocol, extra [mcp]).",
        allow_abbrev=False,
    )
    made.add_argument(
        "--root",
        type=Path,
        default=Path(),
        metavar="DIR",
        help="folder that the agent may read (default: here)",
    )
    return made


def run(arguments: list[str]) -> int:
    """Serve until the client closes standard input."""
    from fastapi_architect.mcp.server import server_for
    from fastapi_architect.workbench.workspace import Workspace

    options = parser()
    given = options.parse_args(arguments)
    if not given.root.is_dir():
        options.error(f"--root: {given.root} is no folder; name the folder of the project")
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)  # standard output belongs to the protocol
    gc.enable()  # one review ends with its process, a server does not
    server_for(Workspace(given.root.resolve())).run("stdio")
    return 0
