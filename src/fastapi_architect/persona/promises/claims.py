"""Promises about claims: findings, rules, weaknesses and scores are those that a tool reported, security first, unhedged."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator

from fastapi_architect.persona.answer import Citation, Passage, citations
from fastapi_architect.persona.evidence import Reported, Weakness
from fastapi_architect.persona.judged import Judged, Wrong
from fastapi_architect.persona.promises.weaknesses import ANYBODY, GENERAL, named_weaknesses
from fastapi_architect.source.lazy_pattern import lazy_pattern

_CWE = lazy_pattern(r"\bCWE[-\s]?(\d{1,4})\b", re.IGNORECASE)
_VECTOR = lazy_pattern(r"\bCVSS:\d\.\d/[A-Z:/]+")
_SCORE = lazy_pattern(
    r"\bCVSS\b(?!:)(?:\s*v?[234]\.\d(?=\D{1,12}\d))?[^\d\n.;]{0,24}(\d{1,2}\.\d)\b", re.IGNORECASE
)
_RULE = lazy_pattern(
    r"(?:\brules?\b[\s:*`\"']{1,4}|\barchitect explain\s+|\ballow\(|--(?:rule|select|ignore)[= ])"
    r"(?P<name>[a-z][a-z0-9]*(?:-[a-z0-9]+)+)\b"
)
_CODE_WORD = lazy_pattern(r"`(?P<name>[a-z][a-z0-9]*(?:-[a-z0-9]+)+)`")
_HEDGE = lazy_pattern(
    r"\b(might|maybe|perhaps|possibly|potential(?:ly)?|probably|presumably|seem(?:s|ingly)?|appears?|likely|"
    r"could be (?:vulnerable|exploited|exploitable)|may be (?:vulnerable|exploited|exploitable)|may allow|could allow)\b",
    re.IGNORECASE,
)
_SENTENCE = lazy_pattern(r"(?<=[.!?])\s+(?=[A-Z`*\d])|\n")
_ALL_CLEAR = lazy_pattern(
    r"\b(?:no (?:\w+ ){0,3}(?:vulnerabilit(?:y|ies)|security (?:issues?|findings?|problems?|flaws?))\b(?! (?:in|of|"
    r"at) (?:the )?(?:rest|others?))"
    r"|(?:code|application|service|middleware|endpoint|route|api|it) is (?:fully |completely |now )?secure\b)",
    re.IGNORECASE,
)
ANYBODY_CAN = lazy_pattern(ANYBODY, re.IGNORECASE)
_QUOTED = lazy_pattern(r"“(?P<said>[^”]{3,})”")
_NAME = lazy_pattern(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)+")
_NOTHING_FOUND = lazy_pattern(
    r"\b(?:no|0|zero) (?:\w+ ){0,2}findings?\b|\bnothing was found\b", re.IGNORECASE
)
#: How alike a word has to be to a rule's name to be taken for a misspelled one.
_ALIKE = 0.86


def rules_exist(judged: Judged) -> Iterator[Wrong]:
    """Every rule that is named exists."""
    seen: set[str] = set()
    for passage in judged.passages:
        named = {c.rule for c in citations(passage.text) if c.rule} | {
            m["name"] for m in _RULE.finditer(passage.text)
        }
        misspelled = {
            m["name"]
            for m in _CODE_WORD.finditer(passage.text)
            if difflib.get_close_matches(m["name"], judged.rules, n=1, cutoff=_ALIKE)
        }
        for name in sorted((named | misspelled) - judged.rules - seen):
            seen.add(name)
            near = difflib.get_close_matches(name, judged.rules, n=1)
            hint = f"did you mean {near[0]}?" if near else "name a rule that a tool reported"
            yield Wrong("rules", f"there is no rule {name}", hint)


def findings_were_reported(judged: Judged) -> Iterator[Wrong]:
    """Every finding that is cited as `file:line rule` is one that a tool reported there."""
    for passage in judged.passages:
        for cited in citations(passage.text):
            if cited.rule in judged.rules and not any(
                f.rule == cited.rule for f in _reported_at(judged, cited)
            ):
                yield Wrong(
                    "findings",
                    f"no tool reported {cited.rule} at {cited.path}:{cited.line}",
                    _where_else(judged, cited),
                )


def _where_else(judged: Judged, cited: Citation) -> str:
    places = [
        f"{p}:{line}" for f in judged.evidence.findings if f.rule == cited.rule for p, line, _ in f.places[:1]
    ]
    return (
        f"it was reported at {', '.join(places[:3])}"
        if places
        else "claim only what a tool reported; leave this out"
    )


def claims_come_from_tools(judged: Judged) -> Iterator[Wrong]:
    """Every claim about security comes from a tool's result."""
    known = {f.cwe for f in judged.evidence.findings} | {w.cwe for w in judged.evidence.weaknesses}
    for passage in judged.passages:
        for sentence in _sentences(passage, judged):
            for words, cwes in named_weaknesses(sentence):
                if not cwes & known and not _is_open(judged, sentence):
                    yield Wrong(
                        "claims",
                        f"{words!r} is claimed ({_short(sentence)}), and no tool reported it",
                        "run the tool that would find it, or leave it out",
                    )
            yield from _place_called_vulnerable(judged, sentence)


def _is_open(judged: Judged, sentence: str) -> bool:
    """A sentence about a route of which the map said that it asks nobody to sign in."""
    return (
        any(path in sentence for path in judged.evidence.open_paths)
        and ANYBODY_CAN.search(sentence) is not None
    )


def _place_called_vulnerable(judged: Judged, sentence: str) -> Iterator[Wrong]:
    words = GENERAL.search(sentence)
    if words is None and not any(True for _ in named_weaknesses(sentence)):
        return
    cited = citations(sentence)
    for each in cited:
        if not any(f.is_security for f in _reported_at(judged, each)):
            yield Wrong(
                "claims",
                f"{each.path}:{each.line} is called vulnerable ({_short(sentence)}), and no tool reported a weakness there",
                "claim only what a tool reported; leave this out",
            )
    known = judged.evidence.weaknesses or any(f.is_security for f in judged.evidence.findings)
    if words is not None and not cited and not known:
        yield Wrong(
            "claims",
            f"{words[0]!r} is claimed ({_short(sentence)}), and no tool reported a weakness",
            "run `review` first, or leave it out",
        )


def rated_as_reported(judged: Judged) -> Iterator[Wrong]:
    """Every CWE, CVSS score and vector equals what a tool said of the findings named beside it."""
    for passage, row in _with_rows(judged):
        about = _about(judged, row)
        for cwe in dict.fromkeys(f"CWE-{int(n)}" for n in _CWE.findall(passage)):
            if cwe not in {each.cwe for each in about}:
                yield _differs(row, cwe, sorted({each.cwe for each in about if each.cwe}))
        for score in dict.fromkeys(map(float, _SCORE.findall(passage))):
            if score not in {each.cvss_score for each in about}:
                said = sorted({str(each.cvss_score) for each in about if each.cvss_score is not None})
                yield _differs(row, f"CVSS {score}", said)
        for vector in dict.fromkeys(_VECTOR.findall(passage)):
            if vector.rstrip("/") not in {each.cvss_vector for each in about}:
                yield _differs(row, vector, sorted({each.cvss_vector for each in about if each.cvss_vector}))


def security_comes_first(judged: Judged) -> Iterator[Wrong]:
    """A grave finding of security that a tool named stands before every other finding."""
    first = [f for f in judged.evidence.findings if f.stands_first]
    if not first:
        return
    named = [
        (cited, _reported_at(judged, cited, rule=cited.rule))
        for passage in judged.passages
        for cited in citations(passage.text)
    ]
    named = [(cited, found) for cited, found in named if found]
    grave: dict[Reported, int] = {}
    for number, (_, found) in enumerate(named):
        for finding in found:
            if finding.stands_first:
                grave.setdefault(finding, number)  # what is named again below was named in time
    other = [n for n, (_, found) in enumerate(named) if not any(f.is_security for f in found)]
    path, line, _ = first[0].places[0]
    if not grave:
        yield Wrong(
            "security first",
            f"{path}:{line} {first[0].rule} ({first[0].severity}) was reported, and the answer does not name it",
            "begin the implementation with it",
        )
    elif other and other[0] < max(grave.values()):
        cited = named[other[0]][0]
        yield Wrong(
            "security first",
            f"{cited.path}:{cited.line} stands before a {first[0].severity} finding of security",
            "name findings of security first",
        )


def said_without_hedging(judged: Judged) -> Iterator[Wrong]:
    """A vulnerability is stated, never supposed."""
    for passage in judged.passages:
        for sentence in _sentences(passage, judged):
            hedge = _HEDGE.search(sentence)
            if hedge is not None and _is_about_weakness(judged, sentence):
                yield Wrong(
                    "hedging",
                    f"{hedge[0]!r} hedges a vulnerability ({_short(sentence)})",
                    "state what the tool reported as a fact",
                )


def no_all_clear(judged: Judged) -> Iterator[Wrong]:
    """Nothing is called secure while a tool reports a grave finding of security, and nothing clean that was not reviewed."""
    grave = [f for f in judged.evidence.findings if f.stands_first]
    for passage in judged.passages:
        said = _ALL_CLEAR.search(passage.text)
        if said is not None and grave and not citations(passage.text):
            path, line, _ = grave[0].places[0]
            yield Wrong(
                "claims",
                f"{said[0]!r} is claimed, and a tool reported {grave[0].rule} at {path}:{line}",
                "say what was found",
            )
        clean = said or _NOTHING_FOUND.search(passage.text)
        if clean is not None and not judged.evidence.reviewed:
            yield Wrong(
                "claims",
                f"{clean[0]!r} is claimed, and no review was run in this conversation",
                "run `review` first, or leave it out",
            )


# ── what a sentence is about ─────────────────────────────────────────────────────────────────────────────────────


def _is_about_weakness(judged: Judged, sentence: str) -> bool:
    if GENERAL.search(sentence) or any(True for _ in named_weaknesses(sentence)) or _CWE.search(sentence):
        return True
    return any(
        f.is_security and f.confidence != "tentative"
        for cited in citations(sentence)
        for f in _reported_at(judged, cited, rule=cited.rule)
    )


def _reported_at(judged: Judged, cited: Citation, rule: str = "") -> list[Reported]:
    return [
        f
        for f in judged.evidence.findings
        if f.at(cited.path, cited.line, cited.end) and (not rule or f.rule == rule)
    ]


class _Rated:
    """What a CWE or a score may be compared with."""

    def __init__(self, cwe: str, score: float | None, vector: str) -> None:
        self.cwe, self.cvss_score, self.cvss_vector = cwe, score, vector


def _about(judged: Judged, text: str) -> list[_Rated]:
    """The findings and rules that a text names; all of the conversation where it names none."""
    found: Iterable[Reported] = judged.evidence.findings
    weaknesses = judged.evidence.weaknesses
    cited = [
        f
        for c in citations(text)
        for f in _reported_at(judged, c, rule=c.rule if c.rule in judged.rules else "")
    ]
    names = {word for word in re.findall(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)+", text) if word in judged.rules}
    if cited:
        found, weaknesses = cited, ()
    elif names:
        found = [f for f in found if f.rule in names]
        weaknesses = tuple(w for w in weaknesses if w.rule in names)
    rated: list[Reported | Weakness] = [*found, *weaknesses]
    return [_Rated(each.cwe, each.cvss_score, each.cvss_vector) for each in rated]


def _with_rows(judged: Judged) -> Iterator[tuple[str, str]]:
    """Each passage, and what it is to be read with: cells of a table with those of their row."""
    rows: list[str] = []
    for passage in judged.passages:
        if not passage.in_table:
            rows = []
            yield passage.text, passage.text
            continue
        if citations(passage.text) or not rows:
            rows = [passage.text]
        else:
            rows.append(passage.text)
        yield passage.text, " ".join(rows)


def _sentences(passage: Passage, judged: Judged | None = None) -> list[str]:
    """The sentences of a passage; for a check of claims without what the user said, and without names of rules."""
    text = passage.text
    if judged is not None and judged.evidence.request:
        text = _QUOTED.sub(
            lambda m: "“”" if judged.evidence.request.startswith(m["said"].rstrip(".")) else m[0], text
        )
    said = [each for each in _SENTENCE.split(text) if each.strip()]
    if judged is None:
        return said
    return [_NAME.sub(lambda m: "_" if m[0] in judged.rules else m[0], each) for each in said]


def _differs(text: str, claimed: str, said: list[str]) -> Wrong:
    beside = f"the tools said {', '.join(said[:4])}" if said else "no tool said one"
    return Wrong("ratings", f"{claimed} is claimed ({_short(text)})", f"{beside}; copy what they said")


def _short(text: str) -> str:
    text = " ".join(text.split())
    return f"“{text}”" if len(text) <= 90 else f"“{text[:87]}...”"
