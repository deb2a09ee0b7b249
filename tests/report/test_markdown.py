"""The Markdown report, read by a Markdown parser: what it says, how long it is, and that no reviewed text becomes markup."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt
from msgspec.structs import replace
from tests.report.samples import HOSTILE, INJECTION, QUERIES, VERB, a_review, hostile_review

from fastapi_architect.findings.suppression import Suppressed
from fastapi_architect.report.markdown import MARK, MOST, render
from fastapi_architect.source.location import Location

#: What GitHub and GitLab make of text in which they find it, once it is HTML.
REFERENCES = re.compile(
    r"(?<![a-z0-9])[@#!$%~]\w|(?<![a-z0-9])GH-\d|\b[0-9a-f]{7,40}\b|https?://|www\.\w|\w@\w", re.IGNORECASE
)
TRAPS = [
    HOSTILE,
    "`` ` ``` @everyone",
    "@everyone and @org/team, fixes #1, GH-1, org/repo#2, !3, %4, ~bug, $5, &6",
    "a `code @here | x` b | c | d",
    "| a | b |\n|---|---|\n# Heading\n- item\n> quote",
    "[click](https://evil.example) ![img](https://evil.example/x.png) <https://evil.example> https://evil.example",
    "www.evil.example evil@evil.example deadbeefdeadbeefdeadbeefdeadbeefdeadbeef",
    "**bold** __bold__ ~~gone~~ <b>bold</b> &lt;b&gt; :tada: $x^2$ `$x$`",
    "</code></td></table></details><script>alert(1)</script>",
    "\\| \\` \\\\` ` \\",
    "```\n</details>\n# Escaped\n```",
    "~~~\n/close\n/assign @me\n~~~",
    "<!-- fastapi-architect -->",
    "\u202e\x1b[2J\x00\ud800",
]


class _Rendered(HTMLParser):
    """What a reader sees: elements, text outside of code, and cells of each row."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.open: list[str] = []
        self.outside = ""
        self.inside = ""
        self.cells: list[int] = []
        self.comments: list[str] = []
        html = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(text)
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs
        self.open.append(tag)
        if tag == "tr":
            self.cells.append(0)
        if tag in ("td", "th"):
            self.cells[-1] += 1

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "code" in self.open:
            self.inside += data
        else:
            self.outside += data

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)


def hostile(text: str):
    finding = replace(
        INJECTION,
        issue=text,
        reasoning=text,
        exploit=text,
        suggestion=text,
        location=Location(f"app/{text}.py", 1),
        routes=(f"GET /{text}",),
    )
    return a_review(finding, root=text, notes=(text,))


def assert_nothing_escaped(text: str) -> _Rendered:
    seen = _Rendered(text)
    allowed = {
        "h3",
        "h4",
        "p",
        "strong",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "code",
        "pre",
        "details",
        "summary",
        "ul",
        "li",
    }
    assert seen.tags <= allowed
    assert [a for a in seen.attributes if a[0] != "class"] == []
    assert set(seen.cells) == {3}
    assert seen.open == []
    assert len(seen.comments) == 1
    assert not REFERENCES.search(seen.outside), REFERENCES.search(seen.outside)
    assert not re.search(r"^\s*/\w", seen.outside, re.MULTILINE)
    return seen


def test_the_score_the_gate_and_every_finding_are_said_security_first():
    text = render(a_review(INJECTION, QUERIES, VERB))
    assert text.startswith(MARK)
    assert "gate failed" in text
    assert f"Score {a_review().score.value}/100" in text
    security, rest = text.index("Security (1)"), text.index("Everything else (2)")
    assert security < text.index("app/routes/users.py:42") < rest < text.index("app/services/orders.py:7")
    assert "(CWE-89, CVSS 9.8)" in text
    assert "tentative" in text
    assert "select(Order).options(selectinload(Order.items))" in text
    assert "app/broken.py:3</code> was not analysed" in text


def test_it_is_what_a_parser_of_markdown_reads_back():
    seen = assert_nothing_escaped(render(a_review()))
    assert seen.tags >= {"table", "details", "summary", "code", "pre"}
    assert "SQL injection via f-string: " in seen.outside
    assert "name" in seen.inside
    assert "51 queries, 1 + n: each order loads its items in list_orders" in seen.outside


@pytest.mark.parametrize("text", TRAPS)
def test_reviewed_text_stays_text(text: str):
    report = render(hostile(text))
    seen = assert_nothing_escaped(report)
    assert not any(sign in report for sign in ("\x1b", "\x00", "\u202e", "\ud800"))
    if "evil" in text:
        assert "evil" in seen.outside + seen.inside  # it is shown, not dropped


def test_a_whole_hostile_review_stays_text():
    assert_nothing_escaped(render(hostile_review(), prefix="back|end/`x`"))


def test_a_fence_in_the_code_does_not_end_its_block():
    seen = _Rendered(
        render(a_review(replace(INJECTION, suggestion="`````python\nx = 1\n```\n````\n</details>\n`````")))
    )
    assert "x = 1\n```\n````\n</details>\n" in seen.inside


def test_prose_and_code_of_a_suggestion_are_told_apart():
    suggestion = "Bind `name`:\n```python\nbound = 1\n```\nor do <b>that</b>."
    seen = _Rendered(render(a_review(replace(INJECTION, suggestion=suggestion))))
    assert "bound = 1" in seen.inside
    assert "or do <b>that</b>." in seen.outside
    assert "b" not in seen.tags


@pytest.mark.parametrize("count", [39, 40, 41, 200, 2000])
def test_it_keeps_below_the_size_of_a_comment_and_says_what_it_left_out(count: int):
    long = replace(INJECTION, issue="`x` " + "\U0001f600 wörds & " * 400, suggestion="y = 1\n" * 3000)
    findings = [
        replace(long, location=Location("app/x.py", n + 1), fingerprint=f"v1:{n:020}:a:1")
        for n in range(count)
    ]
    text = render(a_review(*findings))
    assert len(text.encode("utf-16-le")) // 2 < MOST < 65_000
    seen = assert_nothing_escaped(text)
    rows = len(seen.cells) - 1
    details = text.count("<details><summary>🔴")
    left = text.partition("**Left out here, for its length**: ")[2]
    assert rows == min(count, 40)
    assert left.startswith(f"{count - rows} finding") == (rows < count)
    assert f"details of {rows - details} finding" in left
    assert details > 5


def test_a_small_limit_is_kept_with_whole_pieces():
    for most in range(1600, 6000, 97):
        text = render(a_review(), most=most)
        assert len(text.encode("utf-16-le")) // 2 <= most
        seen = _Rendered(text)
        assert seen.open == []
        if text.count("\n| 🔴") + text.count("\n| 🟠") + text.count("\n| 🟡") < 3:
            assert "Left out here" in text


def test_with_a_baseline_only_what_is_new_is_said_to_be_listed():
    known = Suppressed(VERB, "baseline", "known since the baseline")
    assert "Only what is new is listed: 1 finding more is known" in render(
        a_review(INJECTION, suppressed=(known,))
    )


def test_a_score_of_some_lines_is_not_told_as_the_projects():
    text = render(a_review(INJECTION, partial=True))
    assert "/100" not in text
    assert "**1 critical** in what was changed" in text


def test_nothing_found_is_good_news_and_nothing_read_is_not():
    good = render(replace(a_review(), findings=(), failed=False, not_analysed=(), notes=()))
    assert "nothing found" in good
    assert "gate passed" in good
    assert "|" not in good
    empty = render(replace(a_review(), findings=(), files=0, failed=False))
    assert "Nothing was found to review" in empty
    assert "/100" not in empty


def test_the_same_review_gives_the_same_bytes():
    assert render(a_review()) == render(a_review())
