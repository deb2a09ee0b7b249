"""Workers of a server: started when they are needed, ended when nobody waits for their answer."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import msgspec
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

from fastapi_architect.workbench.errors import WorkbenchError

#: Questions that are answered at the same time; others wait.
MAX_WORKERS = 4
#: Workers that are kept for the next question, with all that they hold in memory.
_MAX_IDLE = 2
#: Bytes of one line that a worker may write.
_MAX_LINE = 64_000_000
#: Seconds in which a worker ends what it has started.
_GRACE = 3.0

#: A pipe to a process that has ended, or that says what it should not.
_LOST = (
    anyio.BrokenResourceError,
    anyio.ClosedResourceError,
    anyio.DelimiterNotFound,
    anyio.EndOfStream,
    anyio.IncompleteRead,
)

#: Called with (stage, done, total).
Progress = Callable[[str, int, int], Awaitable[None]]


class WorkerFault(Exception):
    """A fault of this tool, not of the question; the message says what happened."""


class _Said(msgspec.Struct):
    """One line of a worker; one of these is given."""

    answer: msgspec.Raw = msgspec.field(default_factory=msgspec.Raw)
    refused: str | None = None
    fault: str | None = None
    progress: tuple[str, int, int] | None = None
    writing: bool | None = None


class Workers:
    """Up to `MAX_WORKERS` processes that answer questions about one folder."""

    def __init__(self, root: Path, *, writes: bool = False, tests: bool = False) -> None:
        """Workers of a folder.

        Args:
            root: the folder.
            writes: they may change files, where that is asked for.
            tests: they may run the project's tests.
        """
        options = [*(["--allow-writes"] if writes else []), *(["--allow-tests"] if tests else [])]
        # -P: a folder that is reviewed may be the working directory, and is no place to import from.
        module = "fastapi_architect.mcp.worker"
        self._command = [sys.executable, "-P", "-m", module, "--root", str(root), *options]
        self._slots = anyio.Semaphore(MAX_WORKERS)
        self._idle: list[_Worker] = []
        self._opened = 0

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Workers]:
        """Have one ready, and end all at the end. It may be open several times at once."""
        self._opened += 1
        try:
            if not self._idle:
                self._idle.append(await _Worker.start(self._command))
            yield self
        finally:
            self._opened -= 1
            if not self._opened:
                idle, self._idle = self._idle, []
                with anyio.CancelScope(shield=True):
                    for worker in idle:
                        await worker.end()

    async def ask(
        self,
        question: str,
        arguments: dict[str, Any],
        *,
        roots: Sequence[str] | None = None,
        progress: Progress | None = None,
    ) -> bytes:
        """The answer to a question as JSON. Cancelled, the work on it ends.

        Args:
            question: its name.
            arguments: its arguments.
            roots: folders that it is narrowed to; None: the whole folder is meant.
            progress: told how far the answer is.

        Raises:
            WorkbenchError: it has none; the message names the next step.
            WorkerFault: the worker failed.
        """
        asked = msgspec.json.encode({"ask": question, "arguments": arguments, "roots": roots}) + b"\n"
        async with self._slots:
            worker = await self._ready()
            try:
                said = await worker.ask(asked, progress)
            except BaseException:
                with anyio.CancelScope(shield=True):
                    await worker.end()
                raise
            if self._opened and len(self._idle) < _MAX_IDLE:
                self._idle.append(worker)
            else:
                with anyio.CancelScope(shield=True):
                    await worker.end()
        if said.refused is not None:
            raise WorkbenchError(said.refused)
        if said.fault is not None:
            raise WorkerFault(said.fault)
        return bytes(said.answer)

    async def _ready(self) -> _Worker:
        """A worker that has nothing to do; of those, the one that was used last."""
        while self._idle:
            worker = self._idle.pop()
            if worker.alive:
                return worker
            await worker.end()
        return await _Worker.start(self._command)


class _Worker:
    """One process."""

    def __init__(self, process: Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._stdin = process.stdin
        self._lines = BufferedByteReceiveStream(process.stdout)

    @classmethod
    async def start(cls, command: list[str]) -> _Worker:
        """Start one; it is in a group of processes of its own."""
        return cls(await anyio.open_process(command, stderr=None, start_new_session=True))

    @property
    def alive(self) -> bool:
        """It can be asked."""
        return self._process.returncode is None

    async def ask(self, asked: bytes, progress: Progress | None) -> _Said:
        """Hand on a question, and wait for the answer.

        Raises:
            WorkerFault: the process ended instead.
        """
        await self._send(asked)
        while True:
            said = await self._said()
            if said.progress is not None:
                if progress is not None:
                    await progress(*said.progress)
            elif said.writing:
                await self._let_write()
            else:
                return said

    async def _let_write(self) -> None:
        """Let it change files. Until that is done nothing interrupts it, so that no file is half-written."""
        with anyio.CancelScope(shield=True):
            await self._send(b'{"write": true}\n')
            while (await self._said()).writing is not False:
                pass
        await anyio.lowlevel.checkpoint()

    async def _send(self, line: bytes) -> None:
        try:
            await self._stdin.send(line)
        except _LOST:
            raise await self._fault() from None

    async def _said(self) -> _Said:
        try:
            line = await self._lines.receive_until(b"\n", _MAX_LINE)
        except _LOST:
            raise await self._fault() from None
        return msgspec.json.decode(line, type=_Said)

    async def _fault(self) -> WorkerFault:
        """What to say of a process that is not there any more."""
        with anyio.move_on_after(_GRACE):
            await self._process.wait()
        code = self._process.returncode or 0
        how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
        return WorkerFault(
            f"the process that works on answers ended {how}; ask again, for less at a time if it was for much"
        )

    async def end(self) -> None:
        """End it and what it has started."""
        process = self._process
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.terminate()
            with anyio.move_on_after(_GRACE):
                await process.wait()
        with suppress(ProcessLookupError, PermissionError):
            if hasattr(os, "killpg"):
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
        await process.aclose()
