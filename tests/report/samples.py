"""A review made by hand, with hostile names in it."""

from __future__ import annotations

from msgspec import structs
from msgspec.structs import replace
from tests.findings.samples import a_finding, a_rule

from fastapi_architect.findings.finding import Fix, Step
from fastapi_architect.findings.order import ordered
from fastapi_architect.findings.score import score
from fastapi_architect.findings.severity import Category, Confidence, Severity
from fastapi_architect.findings.suppression import Suppressed
from fastapi_architect.review.result import (
    ApplicationSummary,
    ChecklistItem,
    NotAnalysed,
    Review,
    Strength,
)
from fastapi_architect.source.edit import Edit
from fastapi_architect.source.location import Location

HOSTILE = "</script><img src=x onerror=alert(1)>\"'&<!--\x1b[31m\u202e{{7*7}}`::error::%0A"

SQL = a_rule(
    title="A request's text becomes part of an SQL statement",
    topic="injection",
    cwe=89,
    cvss_vector="CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
    references=("https://owasp.org/Top10/A03_2021-Injection/",),
    why="The database cannot tell the caller's text from the statement.\n\nKnown limits: none.",
    bad='session.execute(text(f"SELECT {name}"))\n',
    good='session.execute(text("SELECT * FROM users WHERE name = :name"), {"name": name})\n',
    exploit="q=' UNION SELECT email, hashed_password FROM users-- reads any table.",
)
LOOP = a_rule(
    "query-inside-loop",
    Category.DATABASE,
    Severity.IMPORTANT,
    title="One query per row",
    topic="orm",
    why="Every turn of the loop waits for the database.",
    exploit="51 statements for 50 rows.",
)
NAMES = a_rule("resource-naming-convention", Category.API_DESIGN, Severity.MINOR, title="A path is a verb")

INJECTION = a_finding(
    SQL,
    "app/routes/users.py",
    42,
    end_line=43,
    issue="SQL injection via f-string: `name` of GET /users reaches session.execute",
    suggestion='# Good\nsession.execute(text("SELECT * FROM users WHERE name = :name"), {"name": name})',
    reasoning="`name` is a query parameter and is put into the statement in find_user.",
    cvss_score=9.8,
    cvss_vector="CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
    trace=(
        Step(Location("app/routes/users.py", 12), "query parameter `name` of GET /users"),
        Step(Location("app/routes/users.py", 42), "session.execute(query)"),
    ),
    fix=Fix("Bind the value", (Edit(Location("app/routes/users.py", 42, 4, 42, 30), "x"),), safe=False),
    routes=("GET /users",),
    fingerprint=f"v1:{'a' * 20}:{'b' * 8}:1",
    symbol="app.routes.users.find_user",
)
QUERIES = a_finding(
    LOOP,
    "app/services/orders.py",
    7,
    issue="51 queries, 1 + n: each order loads its items in list_orders",
    suggestion="select(Order).options(selectinload(Order.items))",
    confidence=Confidence.FIRM,
    impact=51.0,
    fingerprint=f"v1:{'c' * 20}:{'d' * 8}:1",
)
VERB = a_finding(
    NAMES,
    "app/routes/naïve file.py",
    1,
    end_line=0,
    issue="Consider naming the resource",
    confidence=Confidence.TENTATIVE,
    fingerprint=f"v1:{'e' * 20}:{'f' * 8}:2",
)


def a_review(*findings, **more):
    """A review of these findings, or of one of each kind."""
    found = ordered(findings or (INJECTION, QUERIES, VERB))
    result = Review(
        root="backend",
        findings=found,
        suppressed=(
            Suppressed(replace(VERB, fingerprint=f"v1:{'0' * 20}:{'1' * 8}:1"), "comment", "an old client"),
        ),
        not_analysed=(NotAnalysed("app/broken.py", "invalid syntax", 3),),
        left_out={"tests": 12, "vendored": 0},
        strengths=(Strength("all 42 operations declare a response model", 42, 42),),
        checklist=(
            ChecklistItem(
                "Quality checklist", "All inputs are validated", "pass", ("validator-defect",), 0, "1 rule"
            ),
            ChecklistItem("Guarantees", "Queries are parameterised", "fail", (SQL.name,), 1, "1 finding"),
            ChecklistItem("Guarantees", "Rates are limited", "not-assessed", (), 0, "not checked yet: x"),
        ),
        applications=(ApplicationSummary("app.main:app", "app", 42, 1, 30, 12),),
        score=score(found, 60),
        files=25,
        lines=3100,
        gate="important",
        failed=True,
        notes=("pyproject.toml: a note",),
        matrix=(
            {
                "route": "GET /users",
                "access": "none",
                "guards": ["current_user"],
                "tables": ("users",),
                "writes": True,
            },
            {
                "route": "DELETE /users/{id}",
                "access": "admin",
                "guards": [],
                "tables": ("users",),
                "writes": False,
            },
        ),
        snippets={
            "app/routes/users.py:42": tuple(f"    line {number}" for number in range(39, 47)),
            "app/routes/naïve file.py:1": ("@router.get('/getNaïve')", "def get_naive():"),
        },
        review_time_ms=800,
    )
    return replace(result, **more)


def hostile_review():
    """Every text that can come from the reviewed tree is hostile."""
    rule = structs.replace(SQL, why=HOSTILE, bad=HOSTILE, good=HOSTILE, exploit=HOSTILE)
    place = Location(f"app/{HOSTILE}.py", 1, 0, 1, 3)
    finding = replace(
        INJECTION,
        rule=rule,
        location=place,
        issue=HOSTILE,
        suggestion=HOSTILE,
        reasoning=HOSTILE,
        exploit=HOSTILE,
        trace=(Step(place, HOSTILE),),
        routes=(f"GET /{HOSTILE}",),
        fix=Fix(HOSTILE, (Edit(place, HOSTILE),)),
        cvss_notes=(HOSTILE,),
        symbol=HOSTILE,
        application=HOSTILE,
    )
    return a_review(
        finding,
        root=HOSTILE,
        suppressed=(Suppressed(finding, "comment", HOSTILE),),
        not_analysed=(NotAnalysed(HOSTILE, HOSTILE),),
        strengths=(Strength(HOSTILE, 1, 1),),
        checklist=(ChecklistItem(HOSTILE, HOSTILE, "fail", (HOSTILE,), 1, HOSTILE),),
        applications=(ApplicationSummary(HOSTILE, HOSTILE, 1, 0, 0, 1),),
        notes=(HOSTILE,),
        matrix=({HOSTILE: HOSTILE, "guards": [HOSTILE]},),
        snippets={str(place): (HOSTILE,)},
        left_out={HOSTILE: 1},
    )
