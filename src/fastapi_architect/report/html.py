"""The review as one self-contained page that a lead would forward: no network, works without scripts.

A content security policy admits the page's own style and script by their hashes and nothing else, so that
even text that slipped through escaping could neither run nor load anything.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from itertools import groupby
from typing import NamedTuple

from fastapi_architect.findings.finding import Finding
from fastapi_architect.findings.severity import Category, Severity
from fastapi_architect.report import wording
from fastapi_architect.report.elements import Markup, advice, element, join, link, prose
from fastapi_architect.review.result import ApplicationSummary, Review

_RING = 52
_AROUND = 326.7256
_FOLD = 10
_OPEN = 20
# Columns of the matrix that say again what the heading or the route says.
_REPEATED = frozenset({"application", "method", "path", "kind", "handler", "file", "line"})
_SIGNS = {"pass": ("✓", "passed"), "fail": ("✗", "failed"), "not-assessed": ("?", "soft")}


def render(review: Review) -> str:
    """The page, all findings, as one HTML document."""
    return _page(review, _header(review), _sections(review))


def render_together(
    whole: Review,
    roots: Sequence[Review],
    about: Sequence[Markup] = (),
    sections: Sequence[Markup] = (),
    *,
    scored: bool = True,
) -> str:
    """Several application roots as one page: each with its own score, the findings of all of them in one list.

    Args:
        whole: the findings of all, and what the head of the page says: the lowest score, the gate.
        roots: each as it was reviewed.
        about: paragraphs of the head.
        sections: what stands before the findings.
        scored: there is a score; otherwise other tools found all of it.
    """
    several = len(roots) > 1
    parts = []
    for number, each in enumerate(roots, start=1):
        part = _Part(number, each.root if several else "")
        parts += [*_score(each, part), *_checklist(each, part), *_strengths(each, part)]
    content = [*(parts if scored else []), *sections, *_findings(whole), *_not_reported(whole)]
    return _page(whole, _header(whole, about, scored=scored), content, scored=scored)


class _Part(NamedTuple):
    """Which application root a section is about, where there are several."""

    number: int = 1
    name: str = ""

    def heading(self, text: str) -> Markup:
        """The heading of a section, with its anchor."""
        anchor = text.lower() if self.number == 1 else f"{text.lower()}-{self.number}"
        return element("h2", f"{text} of {self.name}" if self.name else text, id=anchor)


_ONLY = _Part()


def _page(review: Review, header: Markup, sections: Sequence[Markup], *, scored: bool = True) -> str:
    style, script = _asset("report.css"), _asset("report.js")
    policy = f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; base-uri 'none'"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="generator", content=wording.tool_and_version()),
        element("title", f"Review of {review.root}{f': {review.score.value}/100' if scored else ''}"),
        element("style", Markup(style)),
    )
    body = element(
        "body",
        element("a", "Skip to the findings", class_="skip", href="#findings"),
        header,
        element("main", *sections),
        element(
            "footer",
            f"Made by {wording.tool_and_version()}.{' The code was read, never run.' if scored else ''}",
        ),
        element("script", Markup(script)),
    )
    page = f"<!doctype html>\n{element('html', head, body, lang='en')}\n"
    return page.encode("utf-8", "replace").decode("utf-8")


def _asset(name: str) -> str:
    return resources.files(__package__).joinpath("assets", name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"


def _sections(review: Review) -> list[Markup]:
    return [
        *_score(review),
        *_checklist(review),
        *_strengths(review),
        *_matrix(review),
        *_findings(review),
        *_not_reported(review),
    ]


def _header(review: Review, about: Sequence[Markup] = (), *, scored: bool = True) -> Markup:
    score = review.score
    counts = [(each, sum(one.severity is each for one in review.findings)) for each in reversed(Severity)]
    chips = [
        element("li", element("b", str(count)), f" {each.value}", class_=f"chip {each.value}")
        for each, count in counts
        if count
    ]
    if review.gate != "none":
        verdict = "failed" if review.failed else "passed"
        chips.append(element("li", f"gate ({review.gate} and worse) {verdict}", class_=f"chip {verdict}"))
    size = f"{wording.counted(review.files, 'file')}, {wording.counted(review.lines, 'line')} of code read"
    words = element(
        "div",
        element("h1", f"Review of {review.root}"),
        element("p", size, class_="soft") if scored else None,
        list(about),
        [_application(each) for each in review.applications],
        element("ul", chips or [element("li", "nothing found", class_="chip passed")], class_="chips"),
        class_="words",
    )
    places = [
        ("score", "Score"),
        ("checklist", "Checklist"),
        ("strengths", "Strengths"),
        ("matrix", "Authorisation"),
    ]
    shown = {
        "score": scored,
        "checklist": review.checklist,
        "strengths": review.strengths,
        "matrix": review.matrix,
    }
    places = [(anchor, text) for anchor, text in places if shown.get(anchor, True)]
    places += [("findings", f"Findings ({len(review.findings)})"), ("rest", "Not reported")]
    nav = element(
        "nav",
        element("ul", [element("li", element("a", text, href=f"#{anchor}")) for anchor, text in places]),
        aria_label="Sections",
    )
    dial = _dial(score.value, score.grade) if scored else None
    return element("header", element("div", element("div", dial, words, class_="top"), nav))


def _application(each: ApplicationSummary) -> Markup:
    parts = [wording.counted(each.operations, "operation")]
    if each.websockets:
        parts.append(wording.counted(each.websockets, "websocket"))
    parts += [f"{each.authenticated} behind a sign-in", f"{each.public} public"]
    place = element("code", each.root or ".")
    return element("p", element("code", each.name), " in ", place, f": {', '.join(parts)}")


def _dial(value: int, grade: str) -> Markup:
    around = round(_AROUND * value / 100, 2)
    ring = element(
        "circle",
        cx=60,
        cy=60,
        r=_RING,
        class_=f"ring-{grade}",
        stroke_dasharray=f"{around} {_AROUND}",
        transform="rotate(-90 60 60)",
    )
    return element(
        "svg",
        element("circle", cx=60, cy=60, r=_RING, class_="track"),
        ring if value else None,
        element("text", str(value), x=60, y=66),
        element("text", f"grade {grade}", x=60, y=84, class_="small"),
        class_="dial",
        viewBox="0 0 120 120",
        role="img",
        aria_label=f"Score {value} of 100, grade {grade}",
    )


def _bar(share: float, kind: str) -> Markup:
    """A bar of which `share`, 0 to 1, is filled; decoration beside a number."""
    width = f"{round(min(max(share, 0.0), 1.0) * 100, 1)}%"
    return element(
        "svg",
        element("rect", width="100%", height="100%", rx=4, class_="track"),
        element("rect", width=width, height="100%", rx=4, class_=kind),
        class_="bar",
        aria_hidden="true",
    )


def _score(review: Review, part: _Part = _ONLY) -> list[Markup]:
    score = review.score
    rows = [
        (
            element("code", loss.rule.name),
            str(loss.findings),
            f"{loss.points:.1f}",
            _bar(loss.points / score.losses[0].points, "lost"),
            str(loss.score_after),
        )
        for loss in score.losses
    ]
    ceiling = None
    if score.ceiling < score.raw:
        count = wording.counted(score.criticals, "critical finding")
        ceiling = element("p", f"{count}: the score cannot exceed {score.ceiling}.", class_="failed")
    categories = []
    for category in Category:
        value = score.by_category.get(category.value, 100)
        kind = "good" if value >= 75 else "fair" if value >= 40 else "lost"
        categories.append((f"{category.emoji} {category.title}", str(value), _bar(value / 100, kind)))
    lost = _folded(rows) if rows else element("p", "No rule costs points.")
    return [
        part.heading("Score"),
        *([element("p", f"{score.value} of 100, grade {score.grade}")] if part.name else []),
        element("div", element("h4", "Fix these next"), lost, ceiling, class_="card"),
        element(
            "div",
            element("h4", "By category, each on its own"),
            _table(("Category", "#Score", ""), categories, "Score by category"),
            class_="card",
        ),
    ]


def _folded(rows: Sequence[tuple[str, ...]]) -> Markup:
    """The rules that cost most, and the rest behind a line to open."""
    heads = ("Rule", "#Findings", "#Points lost", "", "#Score when fixed")
    first = _table(heads, rows[:_FOLD], "Fix these next: points lost by rule")
    if len(rows) <= _FOLD:
        return first
    rest = _table(heads, rows[_FOLD:], "The other rules that cost points")
    more = element(
        "details", element("summary", f"{len(rows) - _FOLD} more rules cost points"), rest, class_="fold"
    )
    return join([first, more])


def _checklist(review: Review, part: _Part = _ONLY) -> list[Markup]:
    cards = []
    for section, items in groupby(review.checklist, key=lambda item: item.section):
        lines = []
        for item in items:
            sign, style = _SIGNS[item.verdict]
            mark = element("span", sign, class_=f"sign {style}", aria_hidden="true")
            verdict = element("span", f"{item.verdict.replace('-', ' ')}: ", class_=style)
            note = element("span", f" ({item.note})", class_="soft") if item.note else None
            lines.append(element("li", mark, verdict, item.title, note, title=", ".join(item.rules) or None))
        cards.append(
            element("div", element("h4", section), element("ul", lines, class_="plain"), class_="card")
        )
    if not cards:
        return []
    return [part.heading("Checklist"), element("div", cards, class_="columns")]


def _strengths(review: Review, part: _Part = _ONLY) -> list[Markup]:
    if not review.strengths:
        return []
    lines = [
        element("li", element("span", "+", class_="sign passed", aria_hidden="true"), prose(each.text))
        for each in review.strengths
    ]
    return [
        part.heading("Strengths"),
        element("div", element("ul", lines, class_="plain"), class_="card"),
    ]


def _matrix(review: Review) -> list[Markup]:
    rows: list[Mapping[str, object]] = [row for row in review.matrix if isinstance(row, Mapping)]
    if not rows:
        return []
    columns = _columns(rows)
    tables = []
    for application, group in groupby(rows, key=lambda row: str(row.get("application", ""))):
        title = f"Routes of {application}" if application else "Routes"
        cells = [tuple(_matrix_cell(column, row) for column in columns) for row in group]
        table = _table(tuple(column.replace("_", " ") for column in columns), cells, title)
        if len(rows) > _FOLD:
            heading = f"{title}: {wording.counted(len(cells), 'route')}"
            table = element("details", element("summary", heading), table, class_="fold")
        else:
            table = join([element("h4", title), table])
        tables.append(table)
    return [
        element("h2", "Authorisation matrix", id="matrix"),
        element("div", tables, class_="card broad"),
    ]


def _columns(rows: Sequence[Mapping[str, object]]) -> list[str]:
    """Columns that tell rows apart: those that are empty everywhere or repeat the route are left out."""
    columns = dict.fromkeys(str(key) for row in rows for key in row)
    kept = []
    for column in columns:
        values = {_cell(row.get(column)) for row in rows}
        if column not in _REPEATED and values != {"–"}:
            kept.append(column)
    return kept


def _matrix_cell(column: str, row: Mapping[str, object]) -> str:
    text = _cell(row.get(column))
    if column == "route":
        return element("code", text)
    if column == "access" and text in ("none", "optional") and not row.get("public_reason"):
        return element("b", text, class_="failed")
    if column == "guards":
        # The last name is what a reader knows a guard by; the full one is in its title.
        names = text.split(", ")
        shown = [element("span", name.rpartition(".")[2], title=name) for name in names]
        return join([piece for each in shown for piece in (", ", each)][1:])
    return text


def _cell(value: object) -> str:
    if value is None or value is False or value in ("", 0):
        return "–"
    if value is True:
        return "yes"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_cell(each)}" for key, each in value.items()) or "–"
    if isinstance(value, set | frozenset):
        return ", ".join(sorted(map(str, value))) or "–"
    if isinstance(value, Iterable) and not isinstance(value, str):
        return ", ".join(_cell(each) for each in value) or "–"
    return str(value)


def _findings(review: Review) -> list[Markup]:
    heading = element("h2", "Findings", id="findings")
    if not review.findings:
        return [heading, element("p", "Nothing found.", class_="card passed")]
    articles = [_finding(review, finding, number) for number, finding in enumerate(review.findings, start=1)]
    return [heading, _filters(review), *articles]


def _filters(review: Review) -> Markup:
    present = {finding.severity for finding in review.findings}
    boxes = [
        element(
            "label",
            element("input", type="checkbox", value=each.value, checked=True),
            f" {each.value}",
            class_=each.value,
        )
        for each in reversed(Severity)
        if each in present
    ]
    categories = {finding.rule.category for finding in review.findings}
    options = [element("option", "all categories", value="")]
    options += [element("option", each.title, value=each.value) for each in Category if each in categories]
    return element(
        "form",
        element("fieldset", boxes, aria_label="Severities"),
        element("select", options, name="category", aria_label="Category", autocomplete="off"),
        element(
            "input",
            type="search",
            name="text",
            placeholder="rule, file, text",
            aria_label="Text in the finding",
            autocomplete="off",
        ),
        element("span", "", id="shown", class_="soft", aria_live="polite"),
        id="filters",
        class_="card filters",
        hidden=True,
    )


def _finding(review: Review, finding: Finding, number: int) -> Markup:
    rule, severity = finding.rule, finding.severity.value
    meta = element(
        "div",
        element("span", severity, class_=f"badge {severity}"),
        element("span", f"{rule.category.emoji} {rule.category.title}"),
        element("span", str(finding.location), class_="place"),
        element("span", rule.name, class_="place soft"),
        class_="meta",
    )
    summary = element("summary", meta, element("h3", prose(finding.issue)))
    body = element("div", *_body(review, finding), class_="body")
    return element(
        "article",
        element("details", summary, body, open=number <= _OPEN),
        class_=f"card finding {severity}",
        id=f"finding-{number}",
        data_severity=severity,
        data_category=rule.category.value,
    )


def _body(review: Review, finding: Finding) -> list[Markup]:
    rule = finding.rule
    parts = _part("Code", _source(review, finding))
    why, exploit = wording.reasoning(finding), wording.exploit(finding)
    parts += _part("Why", element("p", prose(why)) if why else None)
    parts += _part(
        "Exploit" if rule.cvss_vector else "How it shows", element("p", prose(exploit)) if exploit else None
    )
    if finding.trace:
        steps = [
            element("li", element("span", str(step.location), class_="place"), " ", prose(step.text))
            for step in finding.trace
        ]
        parts += _part("Path", element("ol", steps, class_="path"))
    suggestion = wording.suggestion(finding)
    if suggestion or finding.fix:
        title = element("p", prose(finding.fix.title)) if finding.fix else None
        parts += _part("Fix", join([title, advice(suggestion)]))
    if finding.routes:
        routes = [piece for route in finding.routes for piece in (", ", element("code", route))][1:]
        parts += _part("Routes", element("p", routes))
    return parts + _part("Rating", _rating(finding))


def _part(title: str, content: Markup | None) -> list[Markup]:
    return [] if content is None else [element("h4", title), content]


def _rating(finding: Finding) -> Markup:
    rule = finding.rule
    pieces: list[Markup] = []
    if rule.cwe is not None:
        pieces.append(link(f"https://cwe.mitre.org/data/definitions/{rule.cwe}.html", f"CWE-{rule.cwe}"))
    if finding.cvss_score is not None:
        pieces.append(prose(f"CVSS {finding.cvss_score} (`{finding.cvss_vector}`)"))
    pieces += [prose(finding.confidence.value), prose(f"`architect explain {rule.name}`")]
    pieces += [link(address, address.partition("//")[2]) for address in rule.references]
    separated = [piece for each in pieces for piece in (prose(" · "), each)][1:]
    notes = [element("li", note) for note in finding.cvss_notes]
    return join([element("p", separated), element("ul", notes) if notes else None])


def _source(review: Review, finding: Finding) -> Markup | None:
    lines = wording.snippet(review, finding)
    if not lines:
        return None
    last = max(finding.location.end_line, finding.location.line)
    rows = [
        element(
            "span",
            element("i", str(number)),
            text or " ",
            class_="hit" if finding.location.line <= number <= last else None,
        )
        for number, text in lines
    ]
    return element("pre", element("code", rows), class_="source")


def _not_reported(review: Review) -> list[Markup]:
    cards = []
    missing = [
        (f"{each.file}:{each.line}" if each.line else each.file, each.reason) for each in review.not_analysed
    ]
    if missing:
        cards.append(_listing("Not analysed", ("File", "Because"), missing))
    silenced = [
        (str(each.finding.location), each.finding.rule.name, each.by, each.reason)
        for each in review.suppressed
    ]
    if silenced:
        cards.append(_listing("Silenced", ("Place", "Rule", "By", "Reason"), silenced))
    left_out = [(kind, str(count)) for kind, count in sorted(review.left_out.items()) if count]
    if left_out:
        cards.append(_listing("Read for facts only", ("Kind of code", "#Findings left out"), left_out))
    if review.notes:
        notes = element("ul", [element("li", prose(note)) for note in review.notes])
        cards.append(element("div", element("h4", "Notes"), notes, class_="card"))
    if not cards:
        cards.append(element("p", "Everything was analysed, and nothing was left out.", class_="card"))
    return [element("h2", "Not reported", id="rest"), *cards]


def _listing(title: str, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Markup:
    table = _table(columns, rows, title)
    if len(rows) > _FOLD:
        table = element("details", element("summary", str(len(rows))), table, class_="fold")
    return element("div", element("h4", title), table, class_="card")


def _table(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]], label: str) -> Markup:
    """A table; a column whose title starts with `#` holds numbers."""
    kinds = ["number" if column.startswith("#") else None for column in columns]
    head = [
        element("th", column.removeprefix("#"), class_=kind, scope="col")
        for column, kind in zip(columns, kinds, strict=True)
    ]
    body = [
        element("tr", [element("td", cell, class_=kind) for cell, kind in zip(row, kinds, strict=True)])
        for row in rows
    ]
    table = element("table", element("thead", element("tr", head)), element("tbody", body))
    return element("div", table, class_="wide", tabindex=0, role="region", aria_label=label)
