"""Each promise of an answer, broken once: the evidence is a real review of a real backend."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from fastapi_architect.persona.answer import Answer, render
from fastapi_architect.persona.checker import check, check_text
from fastapi_architect.persona.evidence import Evidence
from fastapi_architect.persona.hands import Hands
from fastapi_architect.persona.redaction import Redaction
from fastapi_architect.workbench.workspace import Workspace

SQL = "`app/orders.py:24` sql-injection-raw-statement"
N_PLUS_ONE = "`app/orders.py:19` n-plus-one-lazy-attribute-in-loop"
GOOD = Answer(
    context="Reviewed `app/orders.py`.",
    approach="Bind the value first, then load the items with their orders.",
    implementation=f"""\
{SQL} (CWE-89, CVSS 9.8): the client writes SQL.

```python
# app/orders.py:24
return list(session.scalars(text("SELECT id FROM orders WHERE status = :status LIMIT 50").bindparams(status=status)))
```

{N_PLUS_ONE}: 101 statements with 100 rows.

```python
# app/order_totals.py
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models import Item


def totals(session: Session) -> dict[int, int]:
    rows = session.execute(select(Item.order_id, func.count()).group_by(Item.order_id))
    return dict(rows.tuples())
```

```toml
# pyproject.toml
[tool.pytest.ini_options]
addopts = "-q"
```""",
    validation="`architect review` ends with exit code 0.",
    considerations="The statement is prepared once. It protects against SQL injection.",
    follow_ups=("Shall the listing have pages?",),
)


@pytest.fixture
def evidence(workspace: Workspace) -> Evidence:
    hands = Hands(workspace)
    hands.review()
    return hands.evidence


def broken(change: Callable[[Answer], Answer], evidence: Evidence, **more: object) -> list[tuple[str, str]]:
    """The promises that a change of the good answer breaks, and what is said of each."""
    return [(w.promise, str(w)) for w in check(change(GOOD), evidence, **more)]  # type: ignore[arg-type]


def instead(name: str, old: str, new: str) -> Callable[[Answer], Answer]:
    """A change of some words of a part."""
    return lambda good: msgspec.structs.replace(good, **{name: good.part(name).replace(old, new)})


def having(**parts: object) -> Callable[[Answer], Answer]:
    """A change of whole parts."""
    return lambda good: msgspec.structs.replace(good, **parts)


def part(name: str, more: str) -> Callable[[Answer], Answer]:
    """A change that adds a paragraph to a part."""
    return lambda good: msgspec.structs.replace(good, **{name: f"{good.part(name)}\n\n{more}"})


def test_an_answer_that_keeps_every_promise_passes(evidence: Evidence) -> None:
    assert broken(lambda good: good, evidence) == []


def test_the_checker_reads_what_a_model_wrote(evidence: Evidence) -> None:
    assert check_text(render(GOOD), evidence) == (GOOD, [])


def test_text_without_the_parts_is_no_answer(evidence: Evidence) -> None:
    answer, wrong = check_text("It looks fine to me.", evidence)
    assert answer is None
    assert [w.promise for w in wrong] == ["parts"]
    assert "Context, Approach" in str(wrong[0])


def test_an_invented_finding_is_caught(evidence: Evidence) -> None:
    [(promise, said)] = broken(
        part("implementation", "app/users.py:16 idor-object-fetched-without-owner-scope"), evidence
    )
    assert promise == "findings"
    assert "no tool reported idor-object-fetched-without-owner-scope at app/users.py:16" in said


def test_a_finding_at_the_wrong_line_is_caught_and_told_where_it_is(evidence: Evidence) -> None:
    found = broken(part("implementation", "app/orders.py:3 sql-injection-raw-statement"), evidence)
    assert (
        "findings",
        "no tool reported sql-injection-raw-statement at app/orders.py:3; it was reported at app/orders.py:24",
    ) in found


def test_a_weakness_that_no_tool_reported_is_caught(evidence: Evidence) -> None:
    [(promise, said)] = broken(part("considerations", "The login has a session fixation."), evidence)
    assert promise == "claims"
    assert "session fixation" in said


@pytest.mark.parametrize(
    "said",
    [
        "An attacker can read files by path traversal in the export.",
        "There is a CSRF hole here.",
        "The cookie allows cross-site scripting.",
        "This is not safe because of an XXE in the parser.",
        "`app/users.py:16` is vulnerable.",
        "Hard-coded credentials are used.",
        "Anybody can delete users.",
        "Passwords are stored in plain text.",
        "The endpoint exposes password hashes.",
        "CORS lets every origin in.",
    ],
)
def test_claims_of_many_kinds_are_caught(said: str, evidence: Evidence) -> None:
    assert "claims" in {promise for promise, _ in broken(part("considerations", said), evidence)}


@pytest.mark.parametrize(
    "said",
    [
        "Templates escape, which prevents cross-site scripting.",
        "There is no path traversal here.",
        "`SameSite` protects against CSRF.",
        "The SQL injection above is the gravest.",
        "See `architect explain ssrf-user-controlled-url`.",
    ],
)
def test_what_is_ruled_out_or_was_reported_is_no_invention(said: str, evidence: Evidence) -> None:
    assert broken(part("considerations", said), evidence) == []


def test_an_invented_cwe_is_caught(evidence: Evidence) -> None:
    change = instead("implementation", "CWE-89", "CWE-79")
    [(promise, said)] = broken(change, evidence)
    assert (promise, "the tools said CWE-89" in said) == ("ratings", True)


def test_an_invented_cvss_score_is_caught(evidence: Evidence) -> None:
    change = instead("implementation", "CVSS 9.8", "CVSS 10.0")
    [(promise, said)] = broken(change, evidence)
    assert (promise, "the tools said 9.8" in said) == ("ratings", True)


def test_a_rating_of_another_finding_is_caught(evidence: Evidence) -> None:
    """The number is somebody's, but not that of the finding beside it."""
    assert broken(part("considerations", f"{N_PLUS_ONE} is CWE-89."), evidence)[0][0] == "ratings"


def test_a_vector_is_compared_whole(evidence: Evidence) -> None:
    said = f"{SQL}: CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H."
    assert broken(part("considerations", said), evidence)[0][0] == "ratings"


def test_an_invented_file_is_caught(evidence: Evidence) -> None:
    for said in ("See app/payments.py:10.", "See `app/payments.py`."):
        [(promise, text)] = broken(part("context", said), evidence)
        assert (promise, "there is no file app/payments.py" in text) == ("files", True)


def test_a_line_behind_the_end_of_a_file_is_caught(evidence: Evidence) -> None:
    [(promise, said)] = broken(part("context", "See app/main.py:400."), evidence)
    assert (promise, "the file has 8 lines" in said) == ("files", True)


def test_a_file_outside_of_the_project_does_not_exist(evidence: Evidence, shop: Path) -> None:
    (shop.parent / "secret.py").write_text("x = 1\n")
    (shop / "link.py").symlink_to(shop.parent / "secret.py")
    for said in ("See ../secret.py:1.", "See link.py:1."):
        assert broken(part("context", said), evidence)[0][0] == "files"


def test_an_invented_rule_is_caught(evidence: Evidence) -> None:
    [(promise, said)] = broken(
        part("considerations", "The rule `sql-injection-in-orders` says so."), evidence
    )
    assert (promise, "there is no rule sql-injection-in-orders" in said) == ("rules", True)


def test_a_misspelled_rule_is_caught(evidence: Evidence) -> None:
    [(promise, said)] = broken(part("considerations", "It breaks `sql-injection-raw-statment`."), evidence)
    assert (promise, "did you mean sql-injection-raw-statement?" in said) == ("rules", True)


def test_security_stands_first(evidence: Evidence) -> None:
    [(promise, said)] = broken(part("context", f"{N_PLUS_ONE} is what makes it slow."), evidence)
    assert promise == "security first"
    assert "app/orders.py:19 stands before" in said


def test_a_grave_finding_may_not_be_left_out(evidence: Evidence) -> None:
    change = having(implementation=N_PLUS_ONE, considerations="Nothing else.")
    [(promise, said)] = broken(change, evidence)
    assert (promise, "the answer does not name it" in said) == ("security first", True)


def test_nothing_is_called_secure_while_a_tool_says_otherwise(evidence: Evidence) -> None:
    for said in ("Apart from that there are no security issues.", "The code is secure."):
        assert broken(part("considerations", said), evidence)[0][0] == "claims"


@pytest.mark.parametrize(
    "hedge", ["might be", "is potentially", "is probably", "seems to be", "appears to be"]
)
def test_a_vulnerability_is_not_hedged(hedge: str, evidence: Evidence) -> None:
    [(promise, _)] = broken(part("considerations", f"{SQL} {hedge} exploitable."), evidence)
    assert promise == "hedging"


def test_quality_may_be_suggested(evidence: Evidence) -> None:
    assert broken(part("considerations", "Consider a service layer; it might read better."), evidence) == []


def test_four_follow_ups_are_one_too_many(evidence: Evidence) -> None:
    change = having(follow_ups=("a", "b", "c", "d"))
    assert [promise for promise, _ in broken(change, evidence)] == ["follow-ups"]


def test_an_empty_part_is_caught(evidence: Evidence) -> None:
    change = having(validation=" ")
    assert [promise for promise, _ in broken(change, evidence)] == ["parts"]


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ("```python\n# app/new.py\ndef f(:\n    pass\n```", "does not parse"),
        ("```toml\n# pyproject.toml\n[tool\n```", "does not parse"),
        ('```json\n{"a": }\n```', "does not parse"),
        ("```yaml\n# compose.yaml\na: [1\n```", "does not parse"),
        ("```python\nx = 1\n```", "does not say where it belongs"),
        ("```\nx = 1\n```", "without a language"),
        ("    x = 1\n", "without a language"),
        ("```python\n# /etc/app.py\nx = 1\n```", "lies outside the project"),
        ("```python\n# app/new.py\napp = FastAPI()\n```", "uses FastAPI, which nothing binds"),
        ("```python\n# app/new.py\ndef f(session: Session) -> None:\n    session.add(Order())\n```", "uses Order, Session"),
        ("```python\n# app/new.py\ndef f() -> None:\n    ...\n```", "leaves something out"),
        ("```python\n# app/new.py\ndef f() -> None:\n    # TODO: send the mail\n    return None\n```", "leaves something out"),
        ("```python\n# app/new.py\nx = 1\n# ... existing code ...\n```", "leaves something out"),
        ("```python\n# app/new.py\ndef f() -> int:\n    # your code here\n    return 1\n```", "leaves something out"),
        ("```python\n# app/new.py\ndef f() -> int:\n    raise NotImplementedError\n```", "leaves something out"),
        ("```python\n# app/new.py\nprint(...)\n```", "leaves something out"),
        ("```python\n# app/main.py:90\nx = 1\n```", "the file has 8 lines"),
        ("```diff\n--- a/app/main.py\n+++ b/app/main.py\n@@ -1,2 +1,2 @@\n-import nothing\n+import os\n```", "does not fit the file"),
        ("```diff\n--- a/app/none.py\n+++ b/app/none.py\n@@ -1 +1 @@\n-x\n+y\n```", "which is not there"),
    ],
)  # fmt: skip
def test_broken_code_is_caught(block: str, said: str, evidence: Evidence) -> None:
    found = broken(part("implementation", block), evidence)
    assert any(said in text for _, text in found), found


@pytest.mark.parametrize(
    "block",
    [
        "```python\n# app/new.py\nfrom typing import Protocol\n\n\nclass Sender(Protocol):\n    def send(self) -> None: ...\n```",
        "```python\n# app/new.py\nfrom pydantic import BaseModel, Field\n\n\nclass A(BaseModel):\n    a: tuple[int, ...] = Field(...)\n```",
        "```python\n# app/orders.py:18\norders = session.scalars(select(Order).limit(50)).all()\nreturn orders\n```",
        "```python\n# app/new.py\nclass Refused(Exception):\n    ...\n\n\ntotal = sum(x * x for x in range(3))\n```",
        "```console\n$ architect review\n```",
        "```diff\n--- a/app/main.py\n+++ b/app/main.py\n@@ -1,1 +1,1 @@\n-from fastapi import FastAPI\n+import fastapi\n```",
        "```diff\n--- /dev/null\n+++ b/app/none.py\n@@ -0,0 +1 @@\n+y = 1\n```",
    ],
)  # fmt: skip
def test_code_that_is_whole_passes(block: str, evidence: Evidence) -> None:
    assert broken(part("implementation", block), evidence) == []


def test_more_words_than_allowed_are_caught_unless_asked_for(evidence: Evidence) -> None:
    change = part("considerations", "word " * 500)
    assert [promise for promise, _ in broken(change, evidence)] == ["short"]
    assert broken(change, msgspec.structs.replace(evidence, wordy=True)) == []


def test_a_secret_of_the_project_is_caught(evidence: Evidence) -> None:
    redaction = Redaction({"hunter2-of-the-shop": "DB_PASSWORD of .env"})
    found = broken(part("considerations", "Use hunter2-of-the-shop."), evidence, redaction=redaction)
    assert found == [
        ("secrets", "it shows DB_PASSWORD of .env; name the place where it stands, never the value")
    ]


def test_what_looks_like_a_key_is_caught_whoever_it_belongs_to(evidence: Evidence) -> None:
    key = "ghp_" + "a1B2" * 9
    assert broken(part("considerations", f"Use {key}."), evidence)[0][0] == "secrets"


def test_what_the_user_said_is_no_claim_of_the_answer(evidence: Evidence) -> None:
    asked = msgspec.structs.replace(
        evidence, request="is there an XXE hole, and is the login perhaps vulnerable?"
    )
    assert broken(part("context", f"Asked: “{asked.request}”"), asked) == []
    assert broken(part("context", "Asked: “is there an XXE hole, ...”"), asked) == []
    assert {p for p, _ in broken(part("context", "Asked: “there is an XXE hole”"), asked)} == {"claims"}


def test_a_route_that_the_map_calls_open_may_be_called_so(workspace: Workspace) -> None:
    hands = Hands(workspace)
    hands.review()
    said = part("considerations", "Anybody can create a user by `POST /users`.")
    assert {p for p, _ in broken(said, hands.evidence)} == {"claims"}
    assert hands.operations
    assert broken(said, hands.evidence) == []


def test_nothing_found_is_a_claim_that_needs_a_review(workspace: Workspace, evidence: Evidence) -> None:
    clean = having(implementation="Nothing was found.", considerations="There are no security issues.")
    found = broken(clean, Evidence(root=workspace.root))
    assert [said for promise, said in found if promise == "claims"] == [
        "'Nothing was found' is claimed, and no review was run in this conversation; run `review` first, or leave it out",
        "'no security issues' is claimed, and no review was run in this conversation; run `review` first, or leave it out",
    ]
    assert broken(clean, Evidence(root=workspace.root, reviewed=True)) == []
