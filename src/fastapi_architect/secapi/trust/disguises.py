"""Code of the application in a folder that a review leaves out: `app/vendor/routes.py`, imported by `app/main.py`.

Findings in tests, examples, vendored and generated code are left out, which a path alone decides. That is for people who have
nothing to hide: what the application imports is the application's, whatever its folder is called.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from fastapi_architect.source.kinds import kind_of
from fastapi_architect.source.tree import SourceTree, Unreadable

# Every repetition is bounded: the lines were written by somebody who may know how a regular expression goes back.
_IMPORT = re.compile(
    rb"^[ \t]{0,200}(?:from[ \t]{1,50}(\.{0,50})[ \t]{0,50}([\w.]{0,500})[ \t]{1,50}import[ \t]{1,50}"
    rb"(\([^)]{0,2000}\)|[^\n]{0,2000})|import[ \t]{1,50}([^\n]{0,2000}))",
    re.MULTILINE,
)
_NAME = re.compile(rb"[A-Za-z_][\w.]*")
_REPORTED = frozenset({"source", "migration"})
_MAX_COMPARISONS = 2_000_000


def disguised(tree: SourceTree) -> dict[str, str]:
    """Python files that a review would leave out although the application imports them, to the folder (or file) so named."""
    hidden: dict[str, list[str]] = defaultdict(list)
    waiting = []
    for path in tree.python_files:
        if kind_of(path) in _REPORTED:
            waiting.append(path)
        else:
            hidden[_named(path)].append(path)
    by_last: dict[str, set[str]] = defaultdict(set)
    for place in hidden:
        by_last[_dotted(place)[-1]].add(place)
    found: dict[str, str] = {}
    comparisons = 0
    while waiting and hidden:
        path = waiting.pop()
        data = tree.read(path)
        if isinstance(data, Unreadable):
            continue
        for name, folder in _imported(data, path.split("/")[:-1]):
            candidates = {place for part in name for place in by_last.get(part, ())}
            comparisons += len(candidates)
            if (
                comparisons > _MAX_COMPARISONS
            ):  # of a tree that was made to take long: nothing of it is left out
                return found | {path: place for place, files in hidden.items() for path in files}
            for place in sorted(candidates):
                if _means(name, folder, place):
                    files = hidden.pop(place)
                    by_last[_dotted(place)[-1]].discard(place)
                    found.update(dict.fromkeys(files, place))
                    waiting += files
    return found


def _dotted(place: str) -> list[str]:
    return place.removesuffix(".py").split("/")


def _named(path: str) -> str:
    """The outermost folder because of whose name the file is left out, or the file itself."""
    parts = path.split("/")
    for end in range(1, len(parts)):
        if kind_of("/".join((*parts[:end], "x.py"))) not in _REPORTED:
            return "/".join(parts[:end])
    return path


def _imported(data: bytes, folder: Sequence[str]) -> Iterator[tuple[tuple[str, ...], tuple[str, ...] | None]]:
    """Names that a file imports, each with the folder that it is relative to, None for absolute ones."""
    for match in _IMPORT.finditer(data):
        if match[4] is not None:
            for each in match[4].split(b","):
                name = _NAME.match(each.strip())
                if name is not None:
                    yield _parts(name[0]), None
            continue
        base = None
        if match[1]:
            base = tuple(folder[: len(folder) - len(match[1]) + 1])
        for name in _NAME.findall(match[3]) or [b""]:
            yield (*_parts(match[2]), *_parts(name)), base


def _parts(name: bytes) -> tuple[str, ...]:
    return tuple(part for part in name.decode("utf-8", "replace").split(".") if part)


def _means(name: tuple[str, ...], base: tuple[str, ...] | None, place: str) -> bool:
    """Whether an import may mean a folder or file: from any folder above it, as nobody knows what is on `sys.path`."""
    wanted = tuple(_dotted(place))
    if base is not None:
        return (*base, *name)[: len(wanted)] == wanted
    return any(name[: len(wanted) - skip] == wanted[skip:] for skip in range(len(wanted)))
