"""What the pages claim about privacy: no command of the reviewer asks for a host or opens a connection."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

#: Runs the command line with every attempt to reach a host turned into a fault that cannot be missed.
GUARDED = """
import os, sys

def refuse(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto", "urllib.Request"):
        os.write(2, f"REACHES OUT: {event} {arguments}".encode())
        os._exit(99)

sys.addaudithook(refuse)
from fastapi_architect.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


def guarded(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    given = {**os.environ, "HOME": str(folder), "XDG_CACHE_HOME": str(folder / "cache")}
    return subprocess.run(
        [sys.executable, "-c", GUARDED, *words],
        cwd=folder,
        env=given,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("review", str(ROOT / "examples" / "bookshop")), 0),
        (("map", str(ROOT / "examples" / "bookshop")), 0),
        (("fix", "--dry-run", str(ROOT / "examples" / "bookshop")), 0),
        (("explain", "open-redirect"), 0),
        (("new", "shop"), 0),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_no_command_of_the_reviewer_reaches_out(words: tuple[str, ...], code: int, tmp_path: Path) -> None:
    ran = guarded(tmp_path, *words)

    assert "REACHES OUT" not in ran.stderr
    assert ran.returncode == code, ran.stderr


def test_the_guard_of_these_tests_sees_a_connection(tmp_path: Path) -> None:
    script = GUARDED.replace(
        "from fastapi_architect",
        "import socket; socket.create_connection(('127.0.0.1', 9))\nfrom fastapi_architect",
    )
    ran = subprocess.run(
        [sys.executable, "-c", script, "rules"], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert ran.returncode == 99
    assert "REACHES OUT" in ran.stderr
