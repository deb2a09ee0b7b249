"""The questions of `architect new`, answered on a real terminal."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

CONTROL_C, CONTROL_D = "\x03", "\x04"
#: Seconds that a loaded machine may need for one answer.
PATIENCE = 120
#: Standard input becomes the controlling terminal first, as control-C would be no signal otherwise.
COMMAND = """
import fcntl, runpy, signal, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.argv = ["architect", "new"]
runpy.run_module("fastapi_architect", run_name="__main__")
"""


def next_words(terminal: int, typed_last: str) -> bytes:
    """What is printed next; control-C is typed once a second until there is something.

    `input()` does not see a signal that comes after its prompt and before its read, so that a single one may be lost.
    """
    deadline = time.monotonic() + PATIENCE
    while not select.select([terminal], [], [], 1)[0]:
        assert time.monotonic() < deadline, f"nothing came after {typed_last!r}"
        if typed_last == CONTROL_C:
            os.write(terminal, CONTROL_C.encode())
    return os.read(terminal, 4096)


def typed(folder: Path, *answers: tuple[str, str]) -> tuple[int, str]:
    """Exit code, and what stands on the terminal, when each answer is typed once its question has been asked."""
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-c", COMMAND],
        cwd=folder,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    said = b""
    waiting = list(answers)
    last = ""
    try:
        # A terminal whose last process is gone reads as an error on Linux, as an end elsewhere.
        while chunk := next_words(ours, last):
            said += chunk
            if waiting and waiting[0][0].encode() in said.rpartition(b"\n")[2]:
                last = waiting.pop(0)[1]
                os.write(ours, last.encode())
                said += b"\n"
    except OSError:
        pass
    finally:
        os.close(ours)
    code = child.wait(30)
    assert not waiting, said.decode()
    return code, said.decode()


def test_three_answers_make_a_service(tmp_path: Path) -> None:
    code, said = typed(
        tmp_path,
        ("Name of the project [my-service]:", "Corner Shop\n"),
        ("Preset [minimal]:", "minimal\n"),
        ("separated by commas [none]:", "cache, outgoing-http\n"),
    )

    assert code == 0, said
    assert (tmp_path / "corner-shop/app/components/cache").is_dir()
    assert (tmp_path / "corner-shop/app/components/outgoing_http").is_dir()
    assert "make run" in said


def test_return_alone_takes_what_stands_in_brackets(tmp_path: Path) -> None:
    code, said = typed(tmp_path, ("[my-service]:", "\n"), ("[minimal]:", "\n"), ("[none]:", "\n"))

    assert code == 0, said
    assert (tmp_path / "my-service/app/registry.py").is_file()
    assert not (tmp_path / "my-service/app/components/cache").exists()


def test_what_does_not_exist_is_asked_again(tmp_path: Path) -> None:
    code, said = typed(
        tmp_path,
        ("[my-service]:", "shop\n"),
        ("[minimal]:", "huge\n"),
        ("no preset 'huge'. Preset [minimal]:", "minimal\n"),
        ("[none]:", "redis_pol\n"),
        ("Which of them [none]:", "redis_pool\n"),
    )

    assert code == 0, said
    assert "did you mean redis_pool?" in said
    assert (tmp_path / "shop/app/components/redis_pool").is_dir()


def test_leaving_in_the_middle_writes_nothing(tmp_path: Path) -> None:
    for key, expected, words in ((CONTROL_D, 2, "nothing written"), (CONTROL_C, 130, "interrupted")):
        code, said = typed(tmp_path, ("[my-service]:", "shop\n"), ("[minimal]:", key))

        assert code == expected, said
        assert words in said
        assert list(tmp_path.iterdir()) == []
