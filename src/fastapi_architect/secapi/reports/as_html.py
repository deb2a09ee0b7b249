"""A report for people: the page of the command line, with what they decided. It loads nothing, and escapes all it shows."""

from collections.abc import Iterator, Sequence

import msgspec

from fastapi_architect.findings.finding import Finding
from fastapi_architect.findings.score import Score
from fastapi_architect.report.elements import Markup, element
from fastapi_architect.report.html import render_together
from fastapi_architect.review.result import Review

from ..findings.models import Triage
from .material import Decision, Material, RootMaterial
from .rebuilding import rebuilt

#: What each source says of a root, and the review that this is.
_Reviews = Sequence[tuple[RootMaterial, Review]]
_WORDS = {
    Triage.CONFIRMED: "confirmed",
    Triage.FALSE_POSITIVE: "false positive",
    Triage.ACCEPTED: "accepted",
}


def html_of(material: Material) -> str:
    """Return the report as one page.

    Raises:
        UnreadableReport: the document of a root is none.
    """
    reviews = [
        (each, rebuilt(each.report, _name(each), is_imported=each.is_imported))
        for each in material.roots
        if each.report is not None
    ]
    decided = sorted(_decided(reviews), key=lambda pair: -pair[0].severity.rank)
    whole = _whole(material, reviews, [finding for finding, _ in decided])
    missing = [
        element("p", element("code", each.path or "."), f" was not reviewed: {each.error}", class_="failed")
        for each in material.roots
        if each.report is None
    ]
    return render_together(
        whole,
        [review for _, review in reviews],
        [*_about(material), *missing],
        _decisions(decided),
        # Other tools give no score, and do not say what they read.
        scored=any(not root.is_imported for root, _ in reviews),
    )


def _name(root: RootMaterial) -> str:
    path = root.path or "."
    return f"{root.source} in {path}" if root.is_imported else path


def _decided(reviews: _Reviews) -> Iterator[tuple[Finding, Decision | None]]:
    """Yield every finding, its path from the top of the archive, with what was decided about it."""
    for root, review in reviews:
        for finding, decision in zip(review.findings, root.decisions, strict=True):
            yield _below(root.path, finding), decision


def _below(root: str, finding: Finding) -> Finding:
    if not root:
        return finding
    place = finding.location
    return msgspec.structs.replace(
        finding, location=msgspec.structs.replace(place, path=f"{root}/{place.path}")
    )


def _whole(material: Material, reviews: _Reviews, findings: Sequence[Finding]) -> Review:
    every = [review for _, review in reviews]
    left_out: dict[str, int] = {}
    for each in every:
        for kind, count in each.left_out.items():
            left_out[kind] = left_out.get(kind, 0) + count
    lowest: Score = min((each.score for each in every), key=lambda score: score.value)
    gate = material.gate or {}
    return msgspec.structs.replace(
        every[0],
        root=material.project,
        findings=tuple(findings),
        suppressed=tuple(
            msgspec.structs.replace(silenced, finding=_below(root.path, silenced.finding))
            for root, review in reviews
            for silenced in review.suppressed
        ),
        not_analysed=tuple(
            msgspec.structs.replace(
                missing, file=f"{root.path}/{missing.file}" if root.path else missing.file
            )
            for root, review in reviews
            for missing in review.not_analysed
        ),
        left_out=left_out,
        applications=tuple(application for each in every for application in each.applications),
        score=lowest,
        files=sum(each.files for each in every),
        lines=sum(each.lines for each in every),
        notes=tuple(note for each in every for note in each.notes),
        gate=str(gate.get("severity", "none")),
        failed=not gate.get("passed", True),
    )


def _about(material: Material) -> list[Markup]:
    scan = material.scan
    commit = [" at ", element("code", scan["commit"])] if scan["commit"] else []
    compared = (material.gate or {}).get("compared_with")
    tools = [root.source for root in material.roots if root.is_imported]
    words = [
        *([element("p", "Found by ", ", ".join(tools))] if tools else []),
        element("p", "Branch ", element("code", scan["branch"]), *commit, f", scan {scan['id']}"),
        element("p", f"Decisions as of {material.made_at:%Y-%m-%d %H:%M} UTC.", class_="soft"),
    ]
    if compared:
        words.append(
            element("p", "The gate counts what ", element("code", compared), " has not.", class_="soft")
        )
    return words


def _decisions(decided: Sequence[tuple[Finding, Decision | None]]) -> list[Markup]:
    """A table of what people decided; findings that are only open are left out."""
    rows = [
        _row(number, finding, decision)
        for number, (finding, decision) in enumerate(decided, start=1)
        if decision is not None and decision.triage != Triage.OPEN
    ]
    if not rows:
        return []
    heads = [element("th", head, scope="col") for head in ("Finding", "Rule", "Decision", "Until", "Reason")]
    table = element("table", element("thead", element("tr", heads)), element("tbody", rows))
    wide = element("div", table, class_="wide", tabindex=0, role="region", aria_label="Decisions")
    return [element("h2", "Decisions", id="decisions"), element("div", wide, class_="card")]


def _row(number: int, finding: Finding, decision: Decision) -> Markup:
    until = "–" if decision.expires_at is None else f"{decision.expires_at:%Y-%m-%d}"
    if decision.expires_at is not None and not decision.is_silenced:
        until += " (over)"
    return element(
        "tr",
        element("td", element("a", str(finding.location), href=f"#finding-{number}")),
        element("td", element("code", finding.rule.name)),
        element("td", _WORDS[Triage(decision.triage)]),
        element("td", until),
        element("td", decision.reason or "–"),
    )
