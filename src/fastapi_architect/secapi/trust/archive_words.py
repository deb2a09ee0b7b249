"""What an archive says about its own review: configuration, ignore files, a baseline, marks of generated code.

All of it was written by whoever is reviewed, and is read like the rest of the archive: what cannot be understood is a note.
"""

from __future__ import annotations

import posixpath
import tomllib
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from fastapi_architect.findings import baseline as baselines
from fastapi_architect.findings.finding import Finding
from fastapi_architect.review import config as configs
from fastapi_architect.review.selection import covers, fails_gate, matches, selects
from fastapi_architect.rules.catalog import all_rules
from fastapi_architect.secapi.archives.unpacked import Unpacked
from fastapi_architect.secapi.trust import claims
from fastapi_architect.secapi.trust.claims import Claim
from fastapi_architect.source.ignore import IgnorePatterns
from fastapi_architect.source.kinds import kind_of
from fastapi_architect.source.tree import Unreadable

_MAX_CONFIGURATION = 1_000_000
_MAX_BASELINE = 10_000_000
_HEAD = 1_000


class ArchiveWords:
    """The words of one archive about one of its application roots.

    Attributes:
        config: its configuration, as if it were to be believed; the defaults where there is none.
        file: where that stands, "" for nowhere.
        notes: what could not be understood.
    """

    def __init__(self, unpacked: Unpacked, root: str) -> None:
        self._unpacked = unpacked
        self._prefix = f"{root}/" if root else ""
        self._heads: dict[str, bool] = {}
        self.notes: list[str] = []
        self.file, self._table = self._configuration(root)
        self.config = self._parsed()

    def silencers(self, finding: Finding) -> Iterator[Claim]:
        """Everything besides comments, facts and the gate that would silence a finding."""
        path, rule, config = finding.location.path, finding.rule, self.config
        for ignore in config.ignore:
            if selects((ignore.selector,), rule) and covers(ignore.path, path):
                where = f" in {ignore.path}" if ignore.path else ""
                yield self._claim(claims.IGNORE, f"{ignore.selector}{where}")
        wanted = config.select
        for settings in config.per_path:
            if matches(settings.pattern, path):
                wanted = settings.select or wanted
                for selector in settings.ignore:
                    if selects((selector,), rule):
                        yield self._claim(claims.IGNORE, f"{selector} in {settings.pattern}")
        if wanted and not selects(wanted, rule):
            yield self._claim(claims.SELECT, " ".join(sorted(wanted)))
        if self._is_excluded(path):
            yield self._claim(claims.EXCLUDE, " ".join(config.exclude))
        ignoring = self._ignoring(f"{self._prefix}{path}")
        if ignoring is not None:
            yield Claim(claims.GITIGNORE, ignoring, file=ignoring)
        if finding.fingerprint in self._known:
            yield self._claim(claims.BASELINE, str(config.baseline))
        if self._says_generated(path):
            yield Claim(claims.GENERATED, path, file=path)

    @property
    def sets_gate(self) -> bool:
        """Whether the configuration names a gate for everything."""
        return "gate" in self._table

    def opens_gate(self, finding: Finding) -> Claim | None:
        """The claim that a finding which fails the gate does not; None where the archive says nothing of the kind."""
        if not self._sets_gate_of(finding) or fails_gate(finding, self.config):
            return None
        return self._claim(claims.GATE, self.config.gate)

    def fails_own_gate(self, finding: Finding) -> bool:
        """Whether the finding fails a gate that the archive sets itself."""
        return self._sets_gate_of(finding) and fails_gate(finding, self.config)

    def _sets_gate_of(self, finding: Finding) -> bool:
        path = finding.location.path
        return self.sets_gate or any(
            each.gate is not None and matches(each.pattern, path) for each in self.config.per_path
        )

    def _claim(self, kind: str, what: str) -> Claim:
        return Claim(kind, what, file=self.file)

    def _configuration(self, root: str) -> tuple[str, Mapping[str, Any]]:
        """The nearest pyproject.toml upwards that has the table, as for a folder on the disk."""
        folder = root
        while True:
            path = posixpath.join(folder, "pyproject.toml")
            if path in self._unpacked.files:
                table = self._table_of(path)
                if table is not None:
                    return path, table
            if not folder:
                return "", {}
            folder = posixpath.dirname(folder)

    def _table_of(self, path: str) -> Mapping[str, Any] | None:
        data = self._unpacked.read(path, _MAX_CONFIGURATION)
        if isinstance(data, Unreadable):
            self.notes.append(f"{path}: its configuration was not read: {data.reason}")
            return None
        try:
            tool = tomllib.loads(data.decode("utf-8-sig")).get("tool", {})
        except (ValueError, RecursionError) as error:
            self.notes.append(f"{path}: its configuration was not read, as it is no valid TOML ({error})")
            return None
        table = tool.get(configs.TABLE) if isinstance(tool, dict) else None
        return table if isinstance(table, dict) else None

    def _parsed(self) -> configs.Config:
        try:
            return configs.parse(dict(self._table), all_rules().values(), file=Path(self.file or "archive"))
        except configs.ConfigError as error:
            self.notes.append(f"its configuration does not count: {error}")
            self._table = {}
            return configs.Config()

    def _is_excluded(self, path: str) -> bool:
        return bool(self.config.exclude) and _ignoring_folder(path, {"": self._excluding}) is not None

    @cached_property
    def _excluding(self) -> IgnorePatterns:
        return IgnorePatterns(self.config.exclude)

    def _ignoring(self, path: str) -> str | None:
        """The `.gitignore` that names a file or a folder above it."""
        folder = _ignoring_folder(path, self._gitignores)
        return None if folder is None else posixpath.join(folder, ".gitignore")

    @cached_property
    def _gitignores(self) -> dict[str, IgnorePatterns]:
        found = {}
        for path in self._unpacked.files:
            if posixpath.basename(path) == ".gitignore":
                data = self._unpacked.read(path, _MAX_CONFIGURATION)
                if not isinstance(data, Unreadable):
                    lines = data.decode("utf-8", "surrogateescape").removeprefix("\ufeff").split("\n")
                    found[posixpath.dirname(path)] = IgnorePatterns(lines)
        return found

    @cached_property
    def _known(self) -> frozenset[str]:
        """Fingerprints of the archive's baseline."""
        if self.config.baseline is None:
            return frozenset()
        path = posixpath.normpath(self.config.baseline.as_posix())
        data = self._unpacked.read(path, _MAX_BASELINE)
        if isinstance(data, Unreadable):
            self.notes.append(f"{path}: the baseline was not read: {data.reason}")
            return frozenset()
        try:
            known = baselines.parse(data.decode(), Path(path))
        except (baselines.BaselineError, UnicodeDecodeError) as error:
            self.notes.append(f"the baseline was not read: {error}")
            return frozenset()
        return frozenset(entry.fingerprint for entry in known.entries)

    def _says_generated(self, path: str) -> bool:
        """Whether the file's first lines say that nobody wrote it."""
        if path not in self._heads:
            data = self._unpacked.read(f"{self._prefix}{path}")
            head = b"" if isinstance(data, Unreadable) else data[:_HEAD]
            self._heads[path] = kind_of(path) != "generated" and kind_of(path, head) == "generated"
        return self._heads[path]


def _ignoring_folder(path: str, patterns: Mapping[str, IgnorePatterns]) -> str | None:
    """The folder whose patterns ignore the file or a folder above it; the deepest that says something decides."""
    parts = path.split("/")
    for end in range(1, len(parts) + 1):
        for depth in range(end - 1, -1, -1):
            folder = "/".join(parts[:depth])
            own = patterns.get(folder)
            verdict = None if own is None else own.verdict(parts[depth:end], end < len(parts))
            if verdict:
                return folder
            if verdict is not None:
                break
    return None
