"""Parse many files, in this process or in forked ones. The bytes that come out are the same either way.

A child is forked with the sources in its memory and writes what each became to a file without a name, so that
neither side ever waits for the other to read. When a child dies, the file that it was at is known: the first
that it has not written. That file is tried once more in a child of its own, and if that dies too, it is the
file's fault.

Trap: a fork copies only the thread that forks. With other threads alive one of them may hold a lock for ever
in the child, so everything happens in this process then.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import struct
import threading
from collections.abc import Callable, Iterable, Sequence
from io import FileIO
from typing import NoReturn

import msgspec

from fastapi_architect.source.tree import SourceTree, Unreadable
from fastapi_architect.syntax import ir
from fastapi_architect.syntax.cache import ParseCache, digest_of
from fastapi_architect.syntax.parse import MAX_FILE_BYTES, parse_file

#: Called with (done, total), in files.
Progress = Callable[[int, int], None]

#: Sources held in memory at a time.
_BATCH_BYTES = 64_000_000
#: With less to parse than this, a process costs more than it saves.
_WORTH_FORKING = 300_000

_FRAME = struct.Struct("<II")


def parse_all(
    tree: SourceTree,
    paths: Sequence[str],
    jobs: int = 1,
    cache: ParseCache | None = None,
    progress: Progress | None = None,
    *,
    max_bytes: int = MAX_FILE_BYTES,
) -> dict[str, bytes]:
    """Parse files of a tree.

    Args:
        tree: the tree under review.
        paths: which of its files.
        jobs: how many processes may parse at once, where forking is safe and worth it.
        cache: where results of earlier runs are found, and results of this one kept.
        progress: told about files done.
        max_bytes: larger files are not analysed.

    Returns:
        For every path, in the order given, what `ir.decode_file` takes.
    """
    results: dict[str, bytes] = dict.fromkeys(paths, b"")
    used: dict[bytes, bytes] = {}
    waiting: dict[str, bytes] = {}
    size = 0
    done = 0

    def parse_waiting() -> None:
        nonlocal done
        parsed = _parse_batch(
            waiting, jobs, lambda count: progress(done + count, len(results)) if progress else None, max_bytes
        )
        results.update(parsed)
        if cache is not None:
            used.update((digests[path], encoded) for path, encoded in parsed.items())
        done += len(waiting)
        waiting.clear()

    digests: dict[str, bytes] = {}
    for path in results:
        data = tree.read(path, max_bytes)
        if isinstance(data, Unreadable):
            results[path] = ir.encode_file(ir.Unparsed(data.reason, 0, 0))
            done += 1
            continue
        if cache is not None:
            digest = digests[path] = digest_of(data)
            known = cache.get(digest)
            if known is not None:
                results[path] = used[digest] = known
                done += 1
                continue
        waiting[path] = data
        size += len(data)
        if size > _BATCH_BYTES:
            parse_waiting()
            size = 0
    parse_waiting()
    if progress is not None:
        progress(len(results), len(results))
    if cache is not None:
        cache.save(used)
    return results


def _parse_batch(
    sources: dict[str, bytes], jobs: int, progress: Callable[[int], None], max_bytes: int
) -> dict[str, bytes]:
    collecting = gc.isenabled()
    gc.disable()
    try:
        if jobs > 1 and _may_fork() and sum(map(len, sources.values())) >= _WORTH_FORKING:
            return _Forked(sources, max_bytes, progress).parse(jobs)
        results = {}
        for count, (path, data) in enumerate(sources.items()):
            if count % 50 == 0:
                progress(count)
            results[path] = _encoded(data, path, max_bytes)
        return results
    finally:
        if collecting:
            gc.enable()


def _encoded(data: bytes, path: str, max_bytes: int) -> bytes:
    return ir.encode_file(parse_file(data, path, max_bytes))


def _may_fork() -> bool:
    alone = threading.active_count() == 1 and threading.current_thread() is threading.main_thread()
    return hasattr(os, "fork") and alone


def _bins(sources: dict[str, bytes], count: int) -> list[list[str]]:
    """The paths in `count` lists of about equal size in bytes, the same ones whenever the sources are."""
    bins: list[list[str]] = [[] for _ in range(count)]
    sizes = [0] * count
    for path in sorted(sources, key=lambda path: (-len(sources[path]), path)):
        smallest = sizes.index(min(sizes))
        bins[smallest].append(path)
        # What a file costs beyond its length.
        sizes[smallest] += len(sources[path]) + 500
    return [paths for paths in bins if paths]


class _Child(msgspec.Struct, frozen=True):
    """A process that parses `paths` in their order and writes what they became to `output`."""

    process: int
    paths: list[str]
    output: FileIO


class _Forked:
    """One batch of files, parsed by child processes."""

    def __init__(self, sources: dict[str, bytes], max_bytes: int, progress: Callable[[int], None]) -> None:
        self._sources = sources
        self._max_bytes = max_bytes
        self._progress = progress
        self._results: dict[str, bytes] = {}
        self._children: list[_Child] = []

    def parse(self, jobs: int) -> dict[str, bytes]:
        """Parse everything; whatever happens, no child is left behind."""
        try:
            waiting = _bins(self._sources, jobs)
            for paths in waiting:
                self._start(paths)
            while self._children:
                child = self._children[0]
                remaining = self._finish(child)
                self._progress(len(self._results))
                if remaining:
                    self._after_crash(remaining)
        finally:
            for child in self._children:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child.process, signal.SIGKILL)
                _wait(child.process)
                child.output.close()
        return self._results

    def _start(self, paths: list[str]) -> _Child:
        import tempfile

        output = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed in `_finish`
        # An interrupt waits until the child can deal with it and the parent knows whom to kill.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            process = os.fork()
            if process == 0:
                self._run(paths, output, mask)
            child = _Child(process, paths, output)
            self._children.append(child)
        except BaseException:
            output.close()
            raise
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        return child

    def _run(self, paths: list[str], output: FileIO, mask: Iterable[int]) -> NoReturn:
        """The child's life. It leaves by `os._exit`: nothing of the parent's may run twice."""
        status = 1
        try:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            for number, path in enumerate(paths):
                encoded = _encoded(self._sources[path], path, self._max_bytes)
                _write(output.fileno(), _FRAME.pack(number, len(encoded)) + encoded)
            status = 0
        finally:
            os._exit(status)

    def _finish(self, child: _Child) -> list[str]:
        """Wait for a child and take its results; the paths that it did not get to."""
        _wait(child.process)
        self._children.remove(child)
        with child.output as file:
            file.seek(0)
            data = file.read()
        at = done = 0
        while at + _FRAME.size <= len(data):
            number, length = _FRAME.unpack_from(data, at)
            at += _FRAME.size
            if at + length > len(data):
                break
            self._results[child.paths[number]] = data[at : at + length]
            at += length
            done = number + 1
        return child.paths[done:]

    def _after_crash(self, remaining: list[str]) -> None:
        """Try the file at which a child died by itself, and go on with the others."""
        suspect, *others = remaining
        if self._finish(self._start([suspect])):
            lines = self._sources[suspect].count(b"\n")
            self._results[suspect] = ir.encode_file(ir.Unparsed("Python's parser crashed on it", 0, lines))
        if others:
            self._start(others)


def _wait(process: int) -> None:
    # A host program that ignores SIGCHLD has its children reaped by the system.
    with contextlib.suppress(ChildProcessError):
        os.waitpid(process, 0)


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
