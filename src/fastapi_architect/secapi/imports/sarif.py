"""A SARIF log as what each of its sources found.

What is not an open finding is left out and counted in a note: results that are no failure (`kind` pass, notApplicable or
informational, 3.27.9) and those that are gone (`baselineState` absent, 3.27.24). What the file suppresses is kept, as a proposal:
whoever uploads a file cannot silence the gate by it.

A run closes what it does not report only if it can have seen it: not a run that has no `results` at all (3.14.23: nothing was
looked for), not one whose tool says that it failed, and nothing in a file that the tool could not read.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from fastapi_architect.findings.severity import Severity
from fastapi_architect.secapi.imports import document, judging
from fastapi_architect.secapi.imports.document import (
    FindingDocument,
    Imported,
    NotAnalysed,
    ReportDocument,
    StepDocument,
)
from fastapi_architect.secapi.imports.identity import Trait, fingerprints
from fastapi_architect.secapi.imports.limits import ImportLimits, ImportRefused, Refusal, at_most
from fastapi_architect.secapi.imports.log import Descriptor, Location, Log, Message, Notification, Result, Run
from fastapi_architect.secapi.imports.options import ImportOptions
from fastapi_architect.secapi.imports.places import NOWHERE, Places
from fastapi_architect.secapi.imports.rules import Rules
from fastapi_architect.secapi.imports.sources import source_of
from fastapi_architect.secapi.imports.texts import fitting, naming

_VERSION = "2.1.0"
_NO_FAILURES = {"pass", "notApplicable", "informational"}
_LAST_LINE = 2**31 - 1
#: `[the value](1)`: the text of a link into the result's related locations (3.11.6).
_LINK = re.compile(r"\[([^\[\]\\]*)\]\(\d+\)")
_PLACEHOLDER = re.compile(r"\{(\d{1,3})\}")
#: What is long in a rule is its help, and it is the same for all results of the rule: the link leads to the rest.
_HELP, _MESSAGE = 1_000, 8_000


class _Found(msgspec.Struct):
    """A result before it has its fingerprint."""

    trait: Trait
    fields: dict[str, object]
    is_proposed_ignored: bool


def sources_in(log: Log, options: ImportOptions, limits: ImportLimits) -> list[Imported]:
    """What each source of a log found, sorted by source; runs of one source are taken together.

    Args:
        log: as it was read.
        options: of the submission.
        limits: how much is taken.

    Raises:
        ImportRefused: it is no log of this version, or breaks a limit.
    """
    if log.version is None:
        raise ImportRefused(
            Refusal.NOT_SARIF,
            'This is no SARIF log: it has no "version". Send the file that the tool wrote with its option for SARIF.',
        )
    if log.version != _VERSION:
        raise ImportRefused(
            Refusal.SARIF_VERSION,
            f"This log is of SARIF {log.version[:40]!r}, and {_VERSION} is what is read. Have the tool write that version.",
        )
    runs = log.runs or []
    if not runs:
        raise ImportRefused(
            Refusal.NO_RUNS,
            "The log has no run, and so says nothing about any tool. A tool that found nothing writes a run without results.",
        )
    at_most(limits.runs, len(runs), Refusal.TOO_MANY_RUNS, "runs in the log", "Send them in several files.")
    by_source: dict[str, list[Run]] = {}
    for run in runs:
        automation = run.automation_details
        name = source_of(
            run.tool.driver.name or "", (automation.id if automation is not None else None) or ""
        )
        by_source.setdefault(name, []).append(run)
    return [_imported(name, by_source[name], options, limits) for name in sorted(by_source)]


def _imported(source: str, runs: Sequence[Run], options: ImportOptions, limits: ImportLimits) -> Imported:
    found: list[_Found] = []
    not_analysed: list[NotAnalysed] = []
    notes: list[str] = []
    for run in runs:
        reader = _Reader(run, options, limits)
        found += reader.found()
        not_analysed += reader.not_analysed()
        notes += reader.notes
    prints = fingerprints(source, [each.trait for each in found])
    findings = [
        msgspec.convert({**each.fields, "fingerprint": print_}, FindingDocument)
        for each, print_ in zip(found, prints, strict=True)
    ]
    findings.sort(
        key=lambda each: (-Severity(each.severity).rank, each.file, each.line, each.rule, each.fingerprint)
    )
    driver = runs[0].tool.driver
    version = driver.semantic_version or driver.version
    model = f"{driver.name or 'unnamed tool'}{f'/{version}' if version else ''}"
    return Imported(
        source,
        ReportDocument(
            model=naming(model, document.NAME),
            score=None,
            findings=findings,
            not_analysed=not_analysed,
            notes=[fitting(each, document.TEXT) for each in notes[:1_000]],
        ),
        frozenset(print_ for each, print_ in zip(found, prints, strict=True) if each.is_proposed_ignored),
        all(run.results is not None and not _failed(run) for run in runs),
    )


class _Reader:
    """Reads one run."""

    def __init__(self, run: Run, options: ImportOptions, limits: ImportLimits) -> None:
        self._run = run
        self._limits = limits
        self._tool = run.tool.driver.name or "a tool"
        self._own = judging.is_own(self._tool)
        self._rules = Rules(run.tool, limits)
        self._places = Places(run.original_uri_base_ids, run.artifacts, options.checkout)
        self._results = run.results or []
        self.notes: list[str] = []
        at_most(
            limits.results, len(self._results), Refusal.TOO_MANY_RESULTS, f"results in a run of {self._tool}",
            "Let the tool report less, such as by fewer rules.",
        )  # fmt: skip

    def found(self) -> Iterator[_Found]:
        """What is open, and a note about what is not."""
        left_out: Counter[str] = Counter()
        for result in self._results:
            if result.baseline_state == "absent":
                left_out["gone since the run that the tool compares with"] += 1
            elif result.kind in _NO_FAILURES:
                left_out["no failures"] += 1
            else:
                yield self._one(result)
        for why, count in sorted(left_out.items()):
            self.notes.append(f"{self._tool}: {count:,} of its results are {why}.")
        if self._run.results is None:
            self.notes.append(f"{self._tool}: the run has no results at all, so that nothing was closed.")
        elif _failed(self._run):
            self.notes.append(f"{self._tool}: the tool says that it failed, so that nothing was closed.")

    def not_analysed(self) -> Iterator[NotAnalysed]:
        """Files that the tool says it could not read; ours says so by warnings."""
        grave = ("error", "warning", None) if self._own else ("error",)
        for notification in _notifications(self._run):
            if notification.level in grave:
                for location in notification.locations or ():
                    path, line, _ = self._place(location)
                    text = notification.message.text if notification.message is not None else None
                    if path != NOWHERE:
                        yield NotAnalysed(
                            path, fitting(text or "the tool could not read it", document.TEXT), line
                        )

    def _one(self, result: Result) -> _Found:
        name, rule = self._rules.of(result)
        locations = result.locations or []
        what = f"of a result of {name[:100]}"
        at_most(
            self._limits.locations, len(locations), Refusal.TOO_MANY_LOCATIONS, f"locations {what}",
            "Let the tool report one for each place.",
        )  # fmt: skip
        path, line, end_line = self._place(locations[0] if locations else None)
        symbol = _symbol(locations[0] if locations else None)
        message = self._message(result.message, rule)
        cwe, score = judging.cwe_of(result, rule), judging.score_of(result, rule)
        category = judging.category_of(rule, cwe, score)
        link = rule.help_uri if (rule.help_uri or "").startswith(("https://", "http://")) else None
        link = None if link is None else naming(link, document.LINK)
        rule_name = naming(name, document.NAME)
        fields = {
            "file": path,
            "line": line,
            "end_line": end_line,
            "column": _number(_start_column(result)),
            "rule": rule_name,
            "title": fitting(_text(rule.short_description) or rule.name or name, document.TITLE),
            "category": category.value,
            "severity": judging.severity_of(result, rule, own=self._own).value,
            "confidence": judging.confidence_of(result, rule, own=self._own).value,
            "issue": fitting(message or _text(rule.short_description) or name, _MESSAGE),
            "reasoning": fitting(_text(rule.full_description), _HELP),
            "suggestion": fitting(self._suggestion(result, rule), _HELP),
            "impact": category.title,
            "emoji": category.emoji,
            "cwe": cwe,
            "cvss_score": score,
            "symbol": fitting(symbol, document.TITLE),
            "docs": link,
            "references": [] if link is None else [link],
            "trace": self._trace(result, what),
        }
        trait = Trait.of(result, name, path, line, symbol, message)
        return _Found(trait, fields, _is_suppressed(result))

    def _message(self, message: Message | None, rule: Descriptor) -> str:
        if message is None:
            return ""
        text = message.text or (self._rules.message(message.id, rule) if message.id is not None else "")
        arguments = message.arguments or []

        def argument(found: re.Match[str]) -> str:
            number = int(found[1])
            return arguments[number] if number < len(arguments) else found[0]

        return _LINK.sub(r"\1", _PLACEHOLDER.sub(argument, text[:100_000]) if arguments else text)

    def _suggestion(self, result: Result, rule: Descriptor) -> str:
        fixes = (self._message(each.description, rule) for each in result.fixes or ())
        return next((each for each in fixes if each), "") or _text(rule.help)

    def _trace(self, result: Result, what: str) -> list[StepDocument]:
        flows = [thread for flow in result.code_flows or () for thread in flow.thread_flows or ()]
        count = sum(len(thread.locations or ()) for thread in flows)
        at_most(
            self._limits.flow_locations, count, Refusal.TOO_MANY_FLOW_LOCATIONS, f"locations in the code flows {what}",
            "Let the tool report fewer paths.",
        )  # fmt: skip
        # One path is shown; the others lead to the same place.
        steps = next((thread.locations for thread in flows if thread.locations), [])
        made = [self._step(each.location) for each in steps[: document.STEPS]]
        if len(steps) > document.STEPS:
            last = made.pop()
            made.append(
                StepDocument(last.file, last.line, f"… ({len(steps) - document.STEPS + 1:,} steps more)")
            )
        return made

    def _step(self, location: Location | None) -> StepDocument:
        path, line, _ = self._place(location)
        message = location.message.text if location is not None and location.message is not None else None
        return StepDocument(path, line, fitting(message or "", document.TITLE))

    def _place(self, location: Location | None) -> tuple[str, int, int]:
        """File, first and last line of a location; line 1 where it is the whole file."""
        physical = None if location is None else location.physical_location
        region = None if physical is None else physical.region
        line = max(1, _number(None if region is None else region.start_line))
        end_line = max(line, _number(None if region is None else region.end_line))
        return self._places.path(None if physical is None else physical.artifact_location), line, end_line


def _failed(run: Run) -> bool:
    return any(each.execution_successful is False for each in run.invocations or ())


def _notifications(run: Run) -> Iterable[Notification]:
    return (
        each for invocation in run.invocations or () for each in invocation.tool_execution_notifications or ()
    )


def _is_suppressed(result: Result) -> bool:
    """Whether the file wants it to be ignored (3.27.23): one that is under review or was rejected does not count."""
    stated = result.suppressions or ()
    return bool(stated) and all(each.status in (None, "accepted") for each in stated)


def _symbol(location: Location | None) -> str:
    found = location.logical_locations if location is not None else None
    return found[0].fully_qualified_name or found[0].name or "" if found else ""


def _start_column(result: Result) -> int | None:
    physical = result.locations[0].physical_location if result.locations else None
    return None if physical is None or physical.region is None else physical.region.start_column


def _number(value: int | None) -> int:
    return 0 if value is None else min(max(value, 0), _LAST_LINE)


def _text(message: object) -> str:
    return str(getattr(message, "text", None) or "")
