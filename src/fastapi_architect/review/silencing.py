"""What is left out of a review, and why: other people's code, configuration, suppressions, baseline, unchanged lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol

import msgspec

from fastapi_architect.findings import baseline as baselines
from fastapi_architect.findings import suppression
from fastapi_architect.findings.finding import Finding
from fastapi_architect.program.definitions import Class, Function, all_classes, all_functions
from fastapi_architect.program.program import Program
from fastapi_architect.review.config import Config
from fastapi_architect.review.result import Suppressed
from fastapi_architect.review.selection import is_kept
from fastapi_architect.syntax import ir, span

#: Kinds of files whose findings are reported.
REPORTED = frozenset({"source", "migration"})


class Silenced(msgspec.Struct, frozen=True):
    """Findings divided.

    Attributes:
        active: reported.
        suppressed: silenced by a comment, the configuration or the baseline.
        left_out: number of findings by kind of file.
        notes: suppressions that do not do what their writer hoped, and a baseline that knows more than is found, each with
            the next step.
        contested: suppressions by comments that do not count; their findings are active.
        unreported: findings of the project that this report does not repeat, because some files or changed lines
            were asked for, or because a baseline knows them; neither silenced by anybody nor in code of others.
    """

    active: tuple[Finding, ...]
    suppressed: tuple[Suppressed, ...]
    left_out: dict[str, int]
    notes: tuple[str, ...]
    unreported: tuple[Finding, ...] = ()
    contested: tuple[Suppressed, ...] = ()


class Silencer(Protocol):
    """Decides about silence where the reviewed code does not decide for itself."""

    def honours(self, suppressed: Suppressed) -> bool:
        """Whether a suppression in a comment counts."""

    def silences(self, finding: Finding) -> Suppressed | None:
        """How a finding that nothing else silences is silenced; None: it is not."""


def silence(
    findings: Sequence[Finding],
    program: Program,
    comments: Mapping[str, list[ir.Comment]],
    config: Config,
    *,
    known: Collection[str],
    ran: Collection[str],
    baseline: baselines.Baseline | None,
    only: Collection[str] | None = None,
    changed: Mapping[str, frozenset[int]] | None = None,
    silencer: Silencer | None = None,
) -> Silenced:
    """Divide findings into reported and silenced ones.

    Args:
        only: report these files alone.
        changed: report these lines of these files alone.
        silencer: asked about every comment that silences, and about every finding that is left.
    """
    left_out: Counter[str] = Counter()
    kept = []
    unreported: list[Finding] = []
    suppressed: list[Suppressed] = []
    for finding in findings:
        module = program.modules.get(finding.location.path)
        kind = module.kind if module is not None else "source"
        if kind not in REPORTED:
            left_out[kind] += 1
        elif only is not None and finding.location.path not in only:
            left_out["other files"] += 1
            unreported.append(finding)
        elif changed is not None and not _touched(finding, changed):
            left_out["unchanged lines"] += 1
            unreported.append(finding)
        elif not is_kept(finding, config):
            suppressed.append(Suppressed(finding, "configuration", "ignored by the configuration"))
        else:
            kept.append(finding)
    read = suppression.read(_comments(comments), _blocks(program, comments), known)
    applied = suppression.apply(kept, read.suppressions, ran)
    active, by_comment, contested = _judged(applied, silencer)
    suppressed += by_comment
    partial = only is not None or changed is not None
    told: list[str] = []
    if baseline is not None:
        compared = baselines.compare(baseline, active)
        told += () if partial else _settled(compared.gone, suppressed, ran)
        suppressed += [Suppressed(f, "baseline", "known since the baseline") for f in compared.known]
        active = compared.new
        unreported += compared.known
    problems = (*read.problems, *(() if partial else applied.problems))
    told += [f"{p.location}: {p.text}" for p in problems if _is_ours(p.location.path, program)]
    return Silenced(
        active,
        tuple(suppressed),
        dict(sorted(left_out.items())),
        tuple(told),
        _asked_for(unreported, read.suppressions, config),
        contested,
    )


def _judged(
    applied: suppression.Applied, silencer: Silencer | None
) -> tuple[tuple[Finding, ...], tuple[Suppressed, ...], tuple[Suppressed, ...]]:
    """Findings that stay, those that are silenced, and suppressions by comments that do not count."""
    if silencer is None:
        return applied.active, applied.suppressed, ()
    silenced: list[Suppressed] = []
    contested: list[Suppressed] = []
    for each in applied.suppressed:
        (silenced if silencer.honours(each) else contested).append(each)
    active = []
    for finding in (*applied.active, *(each.finding for each in contested)):
        more = silencer.silences(finding)
        if more is None:
            active.append(finding)
        else:
            silenced.append(more)
    return tuple(active), tuple(silenced), tuple(contested)


def _settled(
    gone: Iterable[baselines.Entry], suppressed: Iterable[Suppressed], ran: Collection[str]
) -> list[str]:
    """What to do about entries that nothing answers to any more, of rules that ran and were not silenced in another way.

    An entry that stays would let the same flaw come back without a word.
    """
    silenced = {each.finding.fingerprint for each in suppressed}
    settled = [entry for entry in gone if entry.rule in ran and entry.fingerprint not in silenced]
    if not settled:
        return []
    first = f"{settled[0].rule} at {settled[0].file}:{settled[0].line}"
    counted = f"{first} is" if len(settled) == 1 else f"{first} and {len(settled) - 1} more are"
    next_step = (
        "`architect review --write-baseline FILE --replace` forgets them, so that nothing comes back unseen"
    )
    return [f"baseline: {counted} no longer found; {next_step}"]


def _asked_for(
    findings: Sequence[Finding], suppressions: Sequence[suppression.Suppression], config: Config
) -> tuple[Finding, ...]:
    """Those that neither the configuration nor a comment silences."""
    kept = [finding for finding in findings if is_kept(finding, config)]
    return suppression.apply(kept, suppressions, ()).active


def _is_ours(path: str, program: Program) -> bool:
    module = program.modules.get(path)
    return module is not None and module.kind in REPORTED


def _touched(finding: Finding, changed: Mapping[str, frozenset[int]]) -> bool:
    """The finding's lines, or those of a step of its trace, were changed."""
    places = [finding.location, *(step.location for step in finding.trace)]
    for place in places:
        lines = changed.get(place.path)
        if lines and any(line in lines for line in range(place.line, (place.end_line or place.line) + 1)):
            return True
    return False


def _comments(comments: Mapping[str, list[ir.Comment]]) -> Iterable[suppression.Comment]:
    for path, found in comments.items():
        for comment in found:
            yield suppression.Comment(path, span.line_of(comment.span), f"# {comment.text}", comment.own_line)


def _blocks(program: Program, comments: Mapping[str, list[ir.Comment]]) -> Iterable[suppression.Block]:
    for path in comments:
        module = program.modules[path]
        scopes: list[Function | Class] = [*all_functions(module), *all_classes(module)]
        for scope in scopes:
            node = scope.node
            start = min([span.line_of(node.span), *(span.line_of(d.span) for d in node.decorators)])
            yield suppression.Block(
                path, start, span.line_of(node.name_span or node.span), span.end_line_of(node.span)
            )
