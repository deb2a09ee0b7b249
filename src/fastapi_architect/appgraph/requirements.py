"""Which packages in which versions: manifests and lock files, without asking an index."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import msgspec
from packaging.version import InvalidVersion, Version

from fastapi_architect.appgraph.project_files import file_name
from fastapi_architect.appgraph.version_specifiers import clauses_of, normalised, read_requirement
from fastapi_architect.source.kinds import kind_of
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.source.location import Location
from fastapi_architect.source.tree import Unreadable


class Requirement(msgspec.Struct, frozen=True):
    """A package that a file asks for or locks.

    Attributes:
        package: normalised name.
        specifier: PEP 440 specifier, "" for any version.
        version: the exact version when there is just one, else None.
        kind: lock, manifest or constraint.
        group: "" for what the application needs; otherwise the extra or group (dev, test, ...), or what kind of folder
            the file lies in (test, example, vendored).
        extras: asked for.
        location: where.
    """

    package: str
    specifier: str
    version: str | None
    kind: str
    group: str
    extras: tuple[str, ...]
    location: Location


class EffectiveVersion(msgspec.Struct, frozen=True):
    """The version that rules go by.

    Attributes:
        version: the version.
        basis: lock, pin, or lower-bound (the oldest version that the manifest allows; a newer one may be
            installed).
        requirement: where it comes from.
    """

    version: Version
    basis: str
    requirement: Requirement

    @property
    def is_exact(self) -> bool:
        """It is what is installed, as far as the files say."""
        return self.basis != "lower-bound"


class Packages(msgspec.Struct, frozen=True, dict=True):
    """All requirements of a tree."""

    requirements: tuple[Requirement, ...]

    @cached_property
    def by_name(self) -> dict[str, tuple[Requirement, ...]]:
        """Requirements by normalised name."""
        found: dict[str, list[Requirement]] = {}
        for each in self.requirements:
            found.setdefault(each.package, []).append(each)
        return {name: tuple(each) for name, each in found.items()}

    def __contains__(self, package: str) -> bool:
        return normalised(package) in self.by_name

    def version_of(self, package: str) -> EffectiveVersion | None:
        """The effective version of a package: of a lock file, else of an exact pin, else the lower bound of
        the manifest.

        Among several files of one kind the one nearest to the root wins; those of tests and examples say something
        only when nobody else does. None when nothing says a version.
        """
        every = self.by_name.get(normalised(package), ())
        known = sorted(
            [r for r in every if kind_of(r.location.path) not in _APART] or every,
            key=lambda r: (r.group != "", r.location.path.count("/"), r.location.path, r.location.line),
        )
        for kinds, basis in ((("lock",), "lock"), (("constraint", "manifest"), "pin")):
            for each in known:
                version = _version(each.version) if each.kind in kinds else None
                if version is not None:
                    return EffectiveVersion(version, basis, each)
        for each in known:
            version = _lower_bound(each.specifier)
            if version is not None:
                return EffectiveVersion(version, "lower-bound", each)
        return None

    def highest_major(self, package: str) -> int | None:
        """The newest major version that the application's own requirements allow; None where they allow any."""
        asked = [r for r in self.by_name.get(normalised(package), ()) if r.group == ""]
        return min((m for r in asked if (m := _highest_major(r.specifier)) is not None), default=None)


def _highest_major(specifier: str) -> int | None:
    for operator, text in clauses_of(specifier) or ():
        bound = _version(text.removesuffix(".*")) if operator in ("<", "<=") else None
        if bound is not None:
            return bound.major - (operator == "<" and not any(bound.release[1:]))
    return None


def _version(text: str | None) -> Version | None:
    try:
        return Version(text) if text else None
    except InvalidVersion:
        return None


def _lower_bound(specifier: str) -> Version | None:
    bounds = [
        _version(version.removesuffix(".*"))
        for operator, version in clauses_of(specifier) or ()
        if operator in (">=", ">", "~=", "==")
    ]
    return max((b for b in bounds if b is not None), default=None)


def find_packages(texts: Mapping[str, str]) -> tuple[Packages, tuple[Unreadable, ...]]:
    """Requirements of every manifest and lock file among `texts`, and the files that could not be read."""
    found: list[Requirement] = []
    unreadable: list[Unreadable] = []
    for path in sorted(texts):
        reader = _reader_for(file_name(path))
        if reader is None:
            continue
        try:
            found += _grouped(reader(path, texts[path]), path)
        except (ValueError, RecursionError, AttributeError, TypeError, KeyError) as error:
            reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
            unreadable.append(Unreadable(path, f"not a valid {file_name(path)}: {reason}"))
    return Packages(tuple(found)), tuple(unreadable)


#: Kinds of folders whose manifests do not speak of the application.
_APART = frozenset({"test", "example", "vendored"})


def _grouped(found: Iterator[Requirement], path: str) -> Iterator[Requirement]:
    """What a file of tests or examples asks for, the application does not need."""
    kind = kind_of(path)
    for each in found:
        yield each if each.group or kind not in _APART else msgspec.structs.replace(each, group=kind)


def _reader_for(name: str):  # type: ignore[no-untyped-def]  # a table of functions with one signature
    if name in ("poetry.lock", "uv.lock", "pdm.lock"):
        return _toml_lock
    if name in _READERS:
        return _READERS[name]
    if re.search(r"requirements|requires|constraints", name) and name.endswith((".txt", ".in")):
        return _requirements_txt
    return None


# ── requirements.txt ────────────────────────────────────────────────────────────────────────────────────────

_DEVELOPMENT = lazy_pattern(r"dev|test|lint|doc|ci\b|local|type|mypy", re.IGNORECASE)


def _requirements_txt(path: str, text: str) -> Iterator[Requirement]:
    name = file_name(path)
    kind = "constraint" if "constraints" in name else "manifest"
    stem = re.sub(r"requirements|requires|constraints|\.txt|\.in|[-_.]", "", name)
    group = stem if _DEVELOPMENT.search(stem) or _DEVELOPMENT.search(path.rpartition("/")[2]) else ""
    pending = ""
    start = 0
    for number, line in enumerate(text.splitlines(), 1):
        start = start if pending else number
        line = line.strip()
        if line.endswith("\\"):
            pending += line[:-1] + " "
            continue
        whole, pending = pending + line, ""
        whole = re.sub(r"(?:^|\s)#.*", "", whole)
        whole = whole.split(" --hash")[0].split(" --")[0].strip()
        if whole and not whole.startswith(("-", "http:", "https:", "git+", ".", "/")):
            yield from _pep508(whole, path, start, kind, group)


def _pep508(text: str, path: str, line: int, kind: str, group: str) -> Iterator[Requirement]:
    asked = read_requirement(text)
    if asked is not None:
        pinned = _pinned(asked.specifier)
        yield Requirement(
            asked.name, asked.specifier, pinned, kind, group, asked.extras, Location(path, line)
        )


def _pinned(specifier: str) -> str | None:
    found = re.fullmatch(r"={2,3}\s*([^*,\s]+)", specifier)
    return found[1] if found else None


# ── pyproject.toml, Pipfile, setup.cfg, setup.py ────────────────────────────────────────────────────────────


class _Lines:
    """Finds the line on which a package is first named."""

    def __init__(self, text: str) -> None:
        self._first: dict[str, int] = {}
        for number, line in enumerate(text.splitlines(), 1):
            for word in re.findall(r"[A-Za-z0-9][\w.-]*", line):
                self._first.setdefault(normalised(word), number)

    def of(self, name: str) -> int:
        """The line, 1 when the name is not in the text."""
        return self._first.get(normalised(name), 1)


def _pyproject(path: str, text: str) -> Iterator[Requirement]:
    import tomllib

    data = tomllib.loads(text)
    lines = _Lines(text)
    project = data.get("project") or {}
    for each in project.get("dependencies") or ():
        yield from _listed(each, path, lines, "")
    for group, each_group in (project.get("optional-dependencies") or {}).items():
        for each in each_group:
            yield from _listed(each, path, lines, group)
    for group, each_group in (data.get("dependency-groups") or {}).items():
        for each in each_group:
            yield from _listed(each, path, lines, group)
    tool = data.get("tool") or {}
    pdm = (tool.get("pdm") or {}).get("dev-dependencies") or {}
    uv = {"dev": (tool.get("uv") or {}).get("dev-dependencies") or ()}
    for group, each_group in (*pdm.items(), *uv.items()):
        for each in each_group:
            yield from _listed(each, path, lines, group)
    poetry = tool.get("poetry") or {}
    yield from _poetry_table(poetry.get("dependencies") or {}, path, lines, "")
    yield from _poetry_table(poetry.get("dev-dependencies") or {}, path, lines, "dev")
    for group, table in (poetry.get("group") or {}).items():
        yield from _poetry_table((table or {}).get("dependencies") or {}, path, lines, group)


def _listed(each: Any, path: str, lines: _Lines, group: str) -> Iterator[Requirement]:
    if isinstance(each, str):
        name = re.split(r"[\s\[<>=!~;@(]", each.strip(), maxsplit=1)[0]
        yield from _pep508(each, path, lines.of(name), "manifest", group)


def _poetry_table(table: Mapping[str, Any], path: str, lines: _Lines, group: str) -> Iterator[Requirement]:
    for name, said in table.items():
        if name == "python":
            continue
        said = said[0] if isinstance(said, list) and said else said
        text = said.get("version", "") if isinstance(said, dict) else said
        extras = tuple(said.get("extras") or ()) if isinstance(said, dict) else ()
        specifier = poetry_specifier(text) if isinstance(text, str) else ""
        package = normalised(name)
        location = Location(path, lines.of(name))
        yield Requirement(package, specifier, _pinned(specifier), "manifest", group, extras, location)


def poetry_specifier(text: str) -> str:
    """`^1.2` as `>=1.2,<2`, `~1.2` as `>=1.2,<1.3`, `1.2.3` as `==1.2.3`, `*` as any."""
    parts = []
    for part in text.split("||", maxsplit=1)[0].split(","):
        part = part.strip()
        if part in ("", "*"):
            continue
        if part.startswith("^"):
            parts.append(_up_to(part[1:].strip(), caret=True))
        elif part.startswith("~") and not part.startswith("~="):
            parts.append(_up_to(part[1:].strip(), caret=False))
        elif part[0].isdigit():
            parts.append(f"=={part}")
        else:
            parts.append(part)
    return ",".join(sorted(",".join(parts).replace(" ", "").split(","))) if parts else ""


def _up_to(text: str, caret: bool) -> str:
    numbers = [int(n) for n in re.findall(r"\d+", text.split("-", maxsplit=1)[0])[:3]]
    if not numbers:
        return ""
    first = next((i for i, n in enumerate(numbers) if n), len(numbers) - 1)
    at = first if caret else min(1, len(numbers) - 1)
    upper = [*numbers[:at], numbers[at] + 1]
    return f">={text},<{'.'.join(map(str, upper))}"


def _pipfile(path: str, text: str) -> Iterator[Requirement]:
    import tomllib

    data = tomllib.loads(text)
    lines = _Lines(text)
    yield from _poetry_table(data.get("packages") or {}, path, lines, "")
    yield from _poetry_table(data.get("dev-packages") or {}, path, lines, "dev")


def _setup_cfg(path: str, text: str) -> Iterator[Requirement]:
    import configparser

    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text)
    except configparser.Error as error:
        raise ValueError(str(error)) from error
    lines = _Lines(text)
    for each in parser.get("options", "install_requires", fallback="").splitlines():
        yield from _listed(each.strip(), path, lines, "")


def _setup_py(path: str, text: str) -> Iterator[Requirement]:
    found = re.search(r"install_requires\s*=\s*\[([^\]]*)\]", text)
    lines = _Lines(text)
    for each in re.findall(r"[\"']([^\"'\n]+)[\"']", found[1]) if found else ():
        yield from _listed(each, path, lines, "")


# ── lock files ──────────────────────────────────────────────────────────────────────────────────────────────

# Not by a TOML parser: lock files are long, and these two lines stand together in all three formats.
_LOCKED = lazy_pattern(
    r"^\[\[package\]\][ \t]*\nname = \"([^\"\n]+)\"[ \t]*\nversion = \"([^\"\n]+)\"", re.MULTILINE
)


def _toml_lock(path: str, text: str) -> Iterator[Requirement]:
    line, at = 1, 0
    for found in _LOCKED.finditer(text):
        line += text.count("\n", at, found.start())
        at = found.start()
        yield _locked(found[1], found[2], path, line + 1)


def _locked(name: str, version: str, path: str, line: int) -> Requirement:
    return Requirement(normalised(name), f"=={version}", version, "lock", "", (), Location(path, line))


def _pipfile_lock(path: str, text: str) -> Iterator[Requirement]:
    import json

    data = json.loads(text)
    lines = _Lines(text)
    for name, said in (data.get("default") or {}).items():
        version = said.get("version", "").removeprefix("==") if isinstance(said, dict) else ""
        if version:
            yield _locked(name, version, path, lines.of(name))


_READERS = {
    "pyproject.toml": _pyproject,
    "Pipfile": _pipfile,
    "Pipfile.lock": _pipfile_lock,
    "setup.cfg": _setup_cfg,
    "setup.py": _setup_py,
}
