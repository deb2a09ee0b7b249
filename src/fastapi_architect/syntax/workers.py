"""Parse many files, in this process or in forked ones. What comes out is equal either way.

A child is forked with the sources in its memory and writes what each became to a pipe, from which this process
decodes while the others parse. When a child dies, the file that it was at is known: the first that has not
arrived whole. That file is tried once more in a child of its own, and if that dies too, it is the file's fault.

Traps
-----
* A fork copies only the thread that forks. With other threads alive one of them may hold a lock for ever in
  the child, so everything happens in this process then.
* A child that waits for a reader must not wait for ever: it holds no pipe but its own, so that its writing
  fails when this process has died.
"""

from __future__ import annotations

import contextlib
import gc
import os
import selectors
import signal
import struct
import threading
from collections.abc import Callable, Iterable, Sequence
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
#: Read from a pipe at a time.
_CHUNK = 1 << 20

_Parsed = ir.ParsedModule | ir.Unparsed

_LENGTH = struct.Struct("<Q")


def parse_all(
    tree: SourceTree,
    paths: Sequence[str],
    jobs: int = 1,
    cache: ParseCache | None = None,
    progress: Progress | None = None,
    *,
    max_bytes: int = MAX_FILE_BYTES,
    at_file: Callable[[str], None] | None = None,
) -> dict[str, _Parsed]:
    """Parse files of a tree.

    Args:
        tree: the tree under review.
        paths: which of its files.
        jobs: how many processes may parse at once, where forking is safe and worth it.
        cache: where results of earlier runs are found, and results of this one kept.
        progress: told about files done.
        max_bytes: larger files are not analysed.
        at_file: told the path of each file before it is parsed in this process, so that a file that ends the process
            is known.

    Returns:
        For every path, in the order given, its module or why there is none.
    """
    total = len(dict.fromkeys(paths))
    results: dict[str, _Parsed] = {}
    waiting: dict[str, bytes] = {}
    digests: dict[str, bytes] = {}
    used: dict[bytes, bytes] = {}
    size = 0

    def parse_waiting() -> None:
        done = len(results)
        encoded: dict[str, bytes] | None = None if cache is None else {}
        report = (lambda count: progress(done + count, total)) if progress is not None else None
        results.update(_parse_batch(waiting, jobs, max_bytes, encoded, report, at_file))
        used.update((digests[path], data) for path, data in (encoded or {}).items())
        waiting.clear()

    for path in dict.fromkeys(paths):
        data = tree.read(path, max_bytes)
        if isinstance(data, Unreadable):
            results[path] = ir.Unparsed(data.reason, 0, 0)
            continue
        if cache is not None:
            digest = digests[path] = digest_of(data)
            known = cache.get(digest)
            if known is not None:
                results[path] = ir.decode_file(known)
                used[digest] = known
                continue
        waiting[path] = data
        size += len(data)
        if size > _BATCH_BYTES:
            parse_waiting()
            size = 0
    parse_waiting()
    if progress is not None:
        progress(total, total)
    if cache is not None:
        cache.save(used)
    return {path: results[path] for path in paths}


def _parse_batch(
    sources: dict[str, bytes],
    jobs: int,
    max_bytes: int,
    encoded: dict[str, bytes] | None,
    progress: Callable[[int], None] | None,
    at_file: Callable[[str], None] | None,
) -> dict[str, _Parsed]:
    """Parse files that are in memory; `encoded`, when given, receives them encoded too."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        if jobs > 1 and _may_fork() and sum(map(len, sources.values())) >= _WORTH_FORKING:
            return _Forked(sources, max_bytes, encoded, progress).parse(jobs)
        results: dict[str, _Parsed] = {}
        for count, (path, data) in enumerate(sources.items()):
            if progress is not None and count % 50 == 0:
                progress(count)
            if at_file is not None:
                at_file(path)
            results[path] = parse_file(data, path, max_bytes)
            if encoded is not None:
                encoded[path] = ir.encode_file(results[path])
        return results
    finally:
        if collecting:
            gc.enable()


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


class _Child(msgspec.Struct, eq=False):
    """A process that parses files.

    Attributes:
        process: its number.
        paths: what it parses, in this order.
        pipe: where its results are read from: of each file the length, then that many bytes.
        alone: it tries again the file at which another one died.
        received: what is not decoded yet.
        done: how many files have arrived.
    """

    process: int
    paths: list[str]
    pipe: int
    alone: bool
    received: bytearray = msgspec.field(default_factory=bytearray)
    done: int = 0


class _Forked:
    """One batch of files, parsed by child processes."""

    def __init__(
        self,
        sources: dict[str, bytes],
        max_bytes: int,
        encoded: dict[str, bytes] | None,
        progress: Callable[[int], None] | None,
    ) -> None:
        self._sources = sources
        self._max_bytes = max_bytes
        self._encoded = encoded
        self._progress = progress
        self._results: dict[str, _Parsed] = {}
        self._children: list[_Child] = []

    def parse(self, jobs: int) -> dict[str, _Parsed]:
        """Parse everything; whatever happens, no child is left behind."""
        with selectors.DefaultSelector() as selector:
            try:
                for paths in _bins(self._sources, jobs):
                    self._start(paths, selector)
                while self._children:
                    for ready, _ in selector.select():
                        self._receive(ready.data, selector)
            finally:
                for child in self._children:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(child.process, signal.SIGKILL)
                    _wait(child.process)
                    os.close(child.pipe)
        return self._results

    def _start(self, paths: list[str], selector: selectors.BaseSelector, *, alone: bool = False) -> None:
        pipe, output = os.pipe()
        # An interrupt waits until the child can deal with it and the parent knows whom to kill.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            process = os.fork()
            if process == 0:
                self._run(paths, [pipe, *(other.pipe for other in self._children)], output, mask)
            child = _Child(process, paths, pipe, alone)
            self._children.append(child)
            selector.register(pipe, selectors.EVENT_READ, child)
        except OSError:
            os.close(pipe)
            raise
        finally:
            os.close(output)
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    def _run(self, paths: list[str], inherited: list[int], output: int, mask: Iterable[int]) -> NoReturn:
        """The child's life. It leaves by `os._exit`: nothing of the parent's may run twice."""
        status = 1
        try:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            for pipe in inherited:
                os.close(pipe)
            for path in paths:
                encoded = ir.encode_file(parse_file(self._sources[path], path, self._max_bytes))
                _write(output, _LENGTH.pack(len(encoded)) + encoded)
            status = 0
        finally:
            os._exit(status)

    def _receive(self, child: _Child, selector: selectors.BaseSelector) -> None:
        """Take what a child has written; when it has ended, go on with what it did not get to."""
        data = os.read(child.pipe, _CHUNK)
        if data:
            child.received += data
            self._decode(child)
            if self._progress is not None:
                self._progress(len(self._results))
            return
        selector.unregister(child.pipe)
        self._children.remove(child)
        os.close(child.pipe)
        _wait(child.process)
        remaining = child.paths[child.done :]
        if child.alone and remaining:
            lines = self._sources[remaining[0]].count(b"\n")
            self._results[remaining[0]] = ir.Unparsed("Python's parser crashed on it", 0, lines)
        elif remaining:
            self._start(remaining[:1], selector, alone=True)
            if len(remaining) > 1:
                self._start(remaining[1:], selector)

    def _decode(self, child: _Child) -> None:
        """Decode the files that have arrived whole."""
        at = 0
        while at + _LENGTH.size <= len(child.received):
            (length,) = _LENGTH.unpack_from(child.received, at)
            start = at + _LENGTH.size
            if start + length > len(child.received):
                break
            at = start + length
            encoded = bytes(child.received[start:at])
            path = child.paths[child.done]
            self._results[path] = ir.decode_file(encoded)
            if self._encoded is not None:
                self._encoded[path] = encoded
            child.done += 1
        del child.received[:at]


def _wait(process: int) -> None:
    # A host program that ignores SIGCHLD has its children reaped by the system.
    with contextlib.suppress(ChildProcessError):
        os.waitpid(process, 0)


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
