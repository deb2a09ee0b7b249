"""The page stands alone, reads without scripts, and reviewed code cannot do anything on it."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest
from msgspec.structs import replace
from tests.findings.samples import a_finding
from tests.report.samples import HOSTILE, INJECTION, SQL, a_review, hostile_review

from fastapi_architect.report.elements import advice, element, link, prose
from fastapi_architect.report.html import render
from fastapi_architect.review.result import Spent

EMPTY = {"br", "input", "meta"}


class Page(HTMLParser):
    """Elements, texts and balance of a page."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.texts, self.open = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append((self.open[-1] if self.open else "", data))

    def all(self, tag, **attributes):
        return [found for name, found in self.elements if name == tag and attributes.items() <= found.items()]

    @property
    def text(self):
        return "".join(data for tag, data in self.texts if tag not in ("style", "script"))


REVIEWS = {"one of each": a_review(), "hostile": hostile_review(), "clean": replace(a_review(), findings=())}


@pytest.fixture(params=REVIEWS.values(), ids=REVIEWS)
def page(request):
    return Page(render(request.param))


def test_every_element_is_closed(page):
    assert page.open == []


def test_identifiers_are_unique_and_every_inner_link_leads_somewhere(page):
    ids = [found["id"] for _, found in page.elements if "id" in found]
    assert len(ids) == len(set(ids))
    inner = {found["href"][1:] for found in page.all("a") if found["href"].startswith("#")}
    assert inner <= set(ids)


def test_nothing_is_loaded_and_nothing_but_our_script_runs(page):
    assert {tag for tag, _ in page.elements} & {
        "img",
        "iframe",
        "link",
        "object",
        "embed",
        "base",
        "audio",
    } == set()
    attributes = {key for _, found in page.elements for key in found}
    assert {key for key in attributes if key.startswith("on") or key in ("src", "style", "srcset")} == set()
    assert len(page.all("script")) == len(page.all("style")) == 1
    [policy] = page.all("meta", **{"http-equiv": "Content-Security-Policy"})
    for tag in ("script", "style"):
        [text] = [data for name, data in page.texts if name == tag]
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy["content"]
        assert not re.search(r"https?://|@import|url\(|fetch\(|XMLHttp|innerHTML|eval", text)
    assert policy["content"].startswith("default-src 'none'; ")


def test_hostile_text_is_shown_as_text():
    page = Page(render(hostile_review()))
    visible = HOSTILE.replace("\x1b", "\\x1b").replace("\u202e", "\\u202e")
    assert page.text.count("</script><img src=x onerror=alert(1)>") > 15
    assert visible in page.text
    assert not {"\x1b", "\u202e"} & set(render(hostile_review()))


def test_a_reader_sees_score_findings_evidence_and_gaps():
    page = Page(render(a_review()))
    score = a_review().score
    for expected in (
        "Review of backend",
        f"grade {score.grade}",
        "Score when fixed",
        "app.main:app in app: 42 operations, 1 websocket, 30 behind a sign-in, 12 public",
        "SQL injection via f-string: name of GET /users reaches session.execute",
        "app/routes/users.py:42",
        "query parameter name of GET /users",
        "line 42",
        "CVSS 9.8",
        "all 42 operations declare a response model",
        "Queries are parameterised",
        "DELETE /users/{id}",
        "invalid syntax",
        "an old client",
        "pyproject.toml: a note",
    ):
        assert expected in page.text


def test_the_flagged_lines_are_marked_in_the_code():
    page = Page(render(a_review(INJECTION)))
    assert len(page.all("span", **{"class": "hit"})) == 2


def test_without_scripts_every_finding_is_there_and_the_filters_are_not():
    page = Page(render(a_review()))
    assert [found["data-severity"] for found in page.all("article")] == ["critical", "important", "minor"]
    assert [found for found in page.all("article") if "hidden" in found] == []
    [form] = page.all("form")
    assert "hidden" in form


def test_controls_have_names_and_the_page_a_language():
    page = Page(render(a_review()))
    assert page.all("html", lang="en")
    named = [found for tag in ("select", "svg") for found in page.all(tag)]
    assert [found for found in named if not {"aria-label", "aria-hidden"} & set(found)] == []
    assert [each for each in page.all("input", type="search") if "aria-label" not in each] == []


def test_all_findings_are_on_the_page():
    many = [a_finding(SQL, line=line) for line in range(1, 121)]
    page = Page(render(a_review(*many)))
    assert len(page.all("article")) == 120


def test_equal_reviews_make_equal_pages():
    slow = replace(a_review(), review_time_ms=77_777, spent=Spent({"a-rule": 9.0}, {}))
    assert render(slow) == render(a_review())


def test_only_addresses_of_the_web_become_links():
    assert link("https://owasp.org/x", "x") == '<a href="https://owasp.org/x" rel="noopener noreferrer">x</a>'
    for address in (
        "javascript:alert(1)",
        "data:text/html,x",
        "https:javascript",
        "//evil.example",
        "https://",
    ):
        assert link(address, "x") == "x"


def test_prose_marks_code_and_advice_tells_code_from_words():
    assert prose("call `f(<b>)` now") == "call <code>f(&lt;b&gt;)</code> now"
    assert advice("Consider a noun.") == "<p>Consider a noun.</p>"
    assert advice("run(x)") == "<pre><code>run(x)</code></pre>"
    assert advice("Bind it:\n\n```python\nrun(x)\n```\n\nand `test`.") == (
        "<p>Bind it:</p><pre><code>run(x)</code></pre><p>and <code>test</code>.</p>"
    )
    assert advice("") == ""


def test_attributes_are_escaped():
    assert element("p", "x", title='"><script>') == '<p title="&quot;&gt;&lt;script&gt;">x</p>'


def test_the_matrix_leaves_out_what_tells_nothing_and_marks_open_routes():
    rows = (
        {
            "application": "a",
            "route": "GET /x",
            "path": "/x",
            "access": "none",
            "public_reason": "",
            "tables": [],
        },
        {
            "application": "a",
            "route": "GET /y",
            "path": "/y",
            "access": "none",
            "public_reason": "health",
            "tables": [],
        },
        {
            "application": "a",
            "route": "GET /z",
            "path": "/z",
            "access": "user",
            "public_reason": "",
            "tables": [],
        },
    )
    page = Page(render(replace(a_review(), findings=(), matrix=rows)))
    head = [data for tag, data in page.texts if tag == "th"]
    assert [
        name for name in head if name in ("application", "route", "path", "access", "public reason", "tables")
    ] == [
        "route",
        "access",
        "public reason",
    ]
    assert [data for tag, data in page.texts if tag == "b"] == ["none"]
