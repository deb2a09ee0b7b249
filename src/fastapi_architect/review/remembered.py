"""What a process that reviews again and again remembers of files: their outlines and their syntax, by their bytes.

Every file is read and hashed at each review (a hundredth of what parsing takes), so that nothing remembered is ever
older than the file: modification times may be equal for different texts, and clocks go backwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import msgspec
from msgspec.structs import replace

from fastapi_architect.review.slicing import Outline, outline_of
from fastapi_architect.source.decode import decode
from fastapi_architect.source.kinds import Kind, kind_of
from fastapi_architect.source.tree import SourceTree, Unreadable
from fastapi_architect.syntax import ir
from fastapi_architect.syntax.cache import ParseCache, digest_of
from fastapi_architect.syntax.parse import MAX_FILE_BYTES
from fastapi_architect.syntax.workers import Progress, parse_all

#: Bytes of source whose syntax is remembered; it takes about ten times as much memory.
MAX_BYTES = 16_000_000


class FileText(msgspec.Struct, frozen=True):
    """One file as it is now.

    Attributes:
        data: its bytes; digest: their digest.
        kind: what it is; outline: what its text tells.
    """

    data: bytes
    digest: bytes
    kind: Kind
    outline: Outline


class _Module(msgspec.Struct, frozen=True):
    digest: bytes
    size: int
    parsed: ir.ParsedModule | ir.Unparsed


class Remembered:
    """Files of one or more trees. Not safe for two threads at once."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        """Remember nothing yet.

        Args:
            max_bytes: of source whose syntax is kept; what was not used for the longest time is forgotten first.
        """
        self._max_bytes = max_bytes
        self._size = 0
        #: By absolute path, the least recently used first.
        self._modules: dict[str, _Module] = {}
        self._outlines: dict[str, tuple[bytes, Outline]] = {}

    @property
    def size(self) -> int:
        """Bytes of source whose syntax is kept."""
        return self._size

    def texts(self, tree: SourceTree) -> dict[str, FileText]:
        """Every Python file of a tree that can be read, as it is now."""
        found: dict[str, FileText] = {}
        outlines: dict[str, tuple[bytes, Outline]] = {}
        for path in tree.python_files:
            data = tree.read(path, MAX_FILE_BYTES)
            if isinstance(data, Unreadable):
                continue
            digest = digest_of(data)
            key = f"{tree.root}/{path}"
            known = self._outlines.get(key)
            if known is None or known[0] != digest:
                known = digest, outline_of(decode(data).text)
            outlines[key] = known
            found[path] = FileText(data, digest, kind_of(path, data[:1000]), known[1])
        self._outlines = outlines  # of the tree reviewed last
        return found

    def parse(
        self,
        tree: SourceTree,
        paths: Iterable[str],
        *,
        texts: Mapping[str, FileText] | None = None,
        cache: ParseCache | None = None,
        jobs: int = 1,
        progress: Progress | None = None,
        at_file: Callable[[str], None] | None = None,
    ) -> dict[str, ir.ParsedModule | ir.Unparsed]:
        """As `parse_all`, without parsing again what has not changed.

        Args:
            tree: the tree under review.
            paths: which of its files.
            texts: what has been read of them already.
            cache: where syntax is looked for and kept, where nothing of the tree is remembered yet.
            jobs: processes that parse.
            progress: told about files done.
            at_file: told the path of each file before it is parsed in this process.
        """
        wanted = list(dict.fromkeys(paths))
        known: dict[str, ir.ParsedModule | ir.Unparsed] = {}
        sources: dict[str, bytes] = {}
        for path in wanted:
            text = texts.get(path) if texts is not None else None
            data = tree.read(path, MAX_FILE_BYTES) if text is None else text.data
            if isinstance(data, Unreadable):
                continue  # `parse_all` says why
            sources[path] = data
            module = self._modules.get(f"{tree.root}/{path}")
            if module is not None and module.digest == (digest_of(data) if text is None else text.digest):
                known[path] = module.parsed
        # With a part of the files the cache would be written anew for that part alone.
        missing = [path for path in wanted if path not in known]
        parsed = parse_all(
            replace(tree, instead=sources),
            missing,
            jobs=jobs,
            cache=cache if not known else None,
            progress=progress,
            at_file=at_file,
        )
        known.update(parsed)
        for path in wanted:
            if path in sources:
                self._keep(f"{tree.root}/{path}", digest_of(sources[path]), len(sources[path]), known[path])
        self._forget()
        return {path: known[path] for path in wanted}

    def _keep(self, key: str, digest: bytes, size: int, parsed: ir.ParsedModule | ir.Unparsed) -> None:
        former = self._modules.pop(key, None)
        self._size += size - (former.size if former is not None else 0)
        self._modules[key] = _Module(digest, size, parsed)

    def _forget(self) -> None:
        """Forget what was not used for the longest time, until the rest fits."""
        for key in list(self._modules):
            if self._size <= self._max_bytes:
                return
            self._size -= self._modules.pop(key).size
