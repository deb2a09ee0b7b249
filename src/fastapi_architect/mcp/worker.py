"""The process in which questions are answered, one after another: `python -m fastapi_architect.mcp.worker`.

The server stays free to listen, however long an answer takes, and ends this process when nobody waits for it any more. What a
hostile file makes of a parser then happens here.

Lines of JSON on standard input and output:

    > {"ask": "review", "arguments": {"path": "shop"}, "roots": null}
    < {"progress": ["reading", 50, 200]}
    < {"answer": {...}}                        or {"refused": "..."}, or {"fault": "..."}

Before files change it asks, and from the server's yes to its own word that it is done it is not ended: there are no
half-written files.

    < {"writing": true}
    > {"write": true}
    < {"writing": false}
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import IO, Any, get_type_hints

import msgspec

from fastapi_architect.workbench.errors import WorkbenchError
from fastapi_architect.workbench.workspace import Workspace

#: What may be asked of a workspace: functions of the workbench, in files that are called like them.
QUESTIONS = frozenset(
    {
        "add_component", "fix", "map_backend", "new_service", "plan_component", "propose_adr", "record_prompt", "review",
        "run_tests", "show_route",
    }
)  # fmt: skip
#: What may be asked of this tool itself, to the file that holds it.
GENERAL = {
    "component": "components",
    "components": "components",
    "explain_rule": "explain_rule",
    "rules": "rules",
}
#: Seconds between two notices of how far an answer is.
_NOTICE_EVERY = 0.2
#: Seconds between two looks at whether the server lives.
_LOOK_EVERY = 1.0


def _question(name: str) -> Callable[..., Any]:
    """The function that answers; its file is imported when it is first asked for, and most never are."""
    if name not in QUESTIONS and name not in GENERAL:
        raise KeyError(name)
    question: Callable[..., Any] = getattr(
        import_module(f"fastapi_architect.workbench.{GENERAL.get(name, name)}"), name
    )
    return question


def _typed(question: Callable[..., Any], arguments: dict[str, Any]) -> dict[str, Any]:
    """Arguments as the question takes them: JSON knows no classes."""
    types = get_type_hints(question)
    return {name: msgspec.convert(value, types.get(name, Any)) for name, value in arguments.items()}


class Ended(BaseException):
    """Nobody waits for the answer any more; what was started ends with it."""


class Worker:
    """Reads questions, writes answers."""

    def __init__(
        self, root: Path, questions: IO[bytes], answers: IO[bytes], *, writes: bool, tests: bool
    ) -> None:
        self._questions = questions
        self._answers = answers
        self._noticed = 0.0
        self._writing = False
        self._workspace = Workspace(root, writes=writes, tests=tests, while_writing=self._while_writing)
        self._workspace.progress = self._progress

    def run(self) -> None:
        """Answer until there are no more questions."""
        for line in iter(self._questions.readline, b""):
            self._say(self._answer(json.loads(line)))
            gc.collect()  # what a review leaves behind refers to itself

    def _answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        name = asked["ask"]
        arguments = asked["arguments"]
        try:
            question = _question(name)
            if name in GENERAL:
                return {"answer": question(**arguments)}
            workspace = self._workspace
            if asked["roots"] is not None:
                workspace = workspace.narrowed_to(Path(root) for root in asked["roots"])
            return {"answer": question(workspace, **_typed(question, arguments))}
        except WorkbenchError as error:
            return {"refused": str(error)}
        except Exception as error:  # a fault of this tool; the next question may well have an answer
            traceback.print_exc()
            return {"fault": f"{type(error).__name__}: {error}"}

    def _progress(self, stage: str, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._noticed >= _NOTICE_EVERY:
            self._noticed = now
            self._say({"progress": [stage, done, total]})

    @contextmanager
    def _while_writing(self) -> Iterator[None]:
        self._say({"writing": True})
        if not self._questions.readline():
            raise Ended
        self._writing = True
        try:
            yield
        finally:
            self._writing = False
            self._say({"writing": False})

    def end(self, _signal: int, _frame: FrameType | None) -> None:
        """End what is being worked on, unless files are being written: then it is asked again.

        Raises:
            Ended: in the middle of whatever it was.
        """
        if not self._writing:
            raise Ended

    def _say(self, document: dict[str, Any]) -> None:
        try:
            line = msgspec.json.encode(document)
        except UnicodeEncodeError:
            # A lone surrogate in a reviewed text has no UTF-8.
            plain = json.dumps(msgspec.to_builtins(document), ensure_ascii=False)
            line = plain.encode("utf-8", "replace")
        self._answers.write(line + b"\n")
        self._answers.flush()


def _end_with(server: int) -> None:
    """End this process when the server has died without a word."""
    while os.getppid() == server:
        time.sleep(_LOOK_EVERY)
    while True:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(_LOOK_EVERY)


def main() -> None:
    """Serve the process that has started this one."""
    made = argparse.ArgumentParser(prog="fastapi_architect.mcp.worker", allow_abbrev=False)
    made.add_argument("--root", type=Path, required=True)
    made.add_argument("--allow-writes", action="store_true")
    made.add_argument("--allow-tests", action="store_true")
    given = made.parse_args()
    # What somebody prints must not get between the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server
    gc.disable()  # it runs once after each answer
    worker = Worker(given.root, sys.stdin.buffer, answers, writes=given.allow_writes, tests=given.allow_tests)
    with suppress(Ended, BrokenPipeError):
        signal.signal(signal.SIGTERM, worker.end)
        if sys.platform != "win32":
            threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
        worker.run()
    os._exit(0)  # what was read need not be taken apart


if __name__ == "__main__":
    main()
