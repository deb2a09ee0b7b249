"""The text report leads with what matters and hides nothing without saying so."""

from __future__ import annotations

import io

from msgspec import structs
from msgspec.structs import replace
from tests.findings.samples import a_finding
from tests.report.samples import INJECTION, QUERIES, SQL, VERB, a_review, hostile_review

from fastapi_architect.report.text import lines, render, show


def test_a_finding_says_what_where_why_how_and_what_next():
    text = render(a_review(INJECTION))
    for expected in (
        "🔒 CRITICAL sql-injection-raw-statement  app/routes/users.py:42\n",
        "   SQL injection via f-string: `name` of GET /users reaches session.execute\n",
        "   Why      `name` is a query parameter and is put into the statement in find_user.\n",
        "   Exploit  q=' UNION SELECT email, hashed_password FROM users-- reads any table.\n",
        "   Routes   GET /users\n",
        "   Path     app/routes/users.py:12  query parameter `name` of GET /users\n",
        "            app/routes/users.py:42  session.execute(query)\n",
        "   Fix      Bind the value\n",
        '            session.execute(text("SELECT * FROM users WHERE name = :name"), {"name": name})\n',
        "   Rated    CWE-89, CVSS 9.8 (CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H), certain\n",
    ):
        assert expected in text


def test_it_ends_with_score_checklist_gaps_and_the_next_command():
    text = render(a_review())
    end = text[text.index("Score ") :]
    score = a_review().score
    headings = [
        f"Score {score.value}/100 ({score.grade}): 1 critical, 1 important, 1 minor",
        "Fix these next:",
        "Gate (important and worse): failed",
        "Checklist: 1 pass, 1 fail, 1 not assessed",
        "Strengths",
        "Not analysed (1)",
        "  app/broken.py:3: invalid syntax",
        "Notes",
        "Left out: 12 in tests, 1 silenced by comment",
        "Next: architect explain sql-injection-raw-statement   (says more about the gravest finding)",
    ]
    lines = end.splitlines()
    assert [line for line in lines if line in headings] == headings
    assert lines[-1] == headings[-1]


def test_points_lost_and_the_score_without_each_rule_are_printed():
    loss = a_review().score.losses[0]
    what = f"sql-injection-raw-statement  1 finding; fixed, the score is {loss.score_after}\n"
    assert f"{-loss.points:6.1f}  {what}" in render(a_review())


def test_no_gain_is_promised_where_one_rule_alone_moves_nothing():
    review = a_review()
    stuck = tuple(structs.replace(loss, score_after=0) for loss in review.score.losses)
    text = render(replace(review, score=structs.replace(review.score, value=0, losses=stuck)))
    assert "sql-injection-raw-statement  1 finding\n" in text
    assert "fixed, the score" not in text


def test_an_empty_folder_gets_no_score():
    review = a_review()
    empty = replace(review, files=0, lines=0, findings=(), notes=("There is no Python file below backend.",))
    text = render(empty)
    assert "There is no Python file below backend." in text
    assert "Score" not in text
    assert "Checklist" not in text


def test_left_out_findings_are_counted_in_words_of_people():
    text = render(a_review(left_out={"test": 2, "example": 1, "other files": 3}))
    assert "Left out: 1 in examples, 3 in other files, 2 in tests, 1 silenced by comment\n" in text


def test_a_narrow_terminal_gets_narrow_lines_of_prose():
    wide = [line.text for line in lines(a_review(INJECTION))]
    narrow = [line.text for line in lines(a_review(INJECTION), width=60)]
    why = "   Why      `name` is a query parameter and is put into the"
    assert max(len(line) for line in wide if line.startswith("   Why")) > 60
    assert why in narrow


def test_what_is_not_shown_is_counted_and_all_shows_it():
    many = [a_finding(VERB.rule, line=line) for line in range(1, 10)]
    text = render(a_review(*many))
    assert "Not shown: 6 in API Design; the score counts them\n" in text
    assert text.endswith("Next: architect review backend --all   (shows every finding)\n")
    everything = render(a_review(*many), everything=True)
    assert everything.count("resource-naming-convention  app/users.py:") == 9
    assert "Not shown" not in everything


def test_forty_criticals_are_all_shown():
    text = render(a_review(*[a_finding(SQL, line=line) for line in range(1, 41)]))
    assert text.count("CRITICAL sql-injection-raw-statement") == 40


def test_security_comes_first_and_performance_is_quantified():
    text = render(a_review(QUERIES, INJECTION))
    assert text.index("🔒 CRITICAL") < text.index("🗄️ IMPORTANT") < text.index("51 queries, 1 + n")


def test_a_clean_review_says_so_and_leads_on():
    review = replace(a_review(), findings=(), score=a_review(VERB).score, failed=False)
    text = render(review)
    assert "nothing found" in text
    assert "Gate (important and worse): passed" in text
    assert text.endswith("Next: architect map backend   (shows every route and what guards it)\n")


def test_a_pipe_gets_plain_text_and_a_terminal_the_same_words_in_colour():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    pipe, terminal = io.StringIO(), Terminal()
    show(a_review(), pipe)
    show(a_review(), terminal)
    assert pipe.getvalue() == render(a_review())
    assert "SQL injection via f-string" in terminal.getvalue()


def test_reviewed_code_cannot_steer_the_terminal():
    text = render(hostile_review())
    assert not {"\x1b", "\u202e", "\r"} & set(text)
    assert "\\x1b[31m\\u202e" in text


def test_fences_and_long_lists_are_taken_out_of_the_readers_way():
    fenced = replace(INJECTION, suggestion="Bind it:\n```python\nrun(x)\n```")
    names = ", ".join(f"rule-{number}" for number in range(5))
    item = structs.replace(a_review().checklist[2], note=f"not checked yet: {names}")
    text = render(a_review(fenced, checklist=(item,)))
    assert "   Fix      Bind it:\n            run(x)\n" in text
    assert "? Rates are limited (not checked yet: rule-0, rule-1 and 3 more)\n" in text
