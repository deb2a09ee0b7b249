"""What a scan makes of the findings of its branch, on a real database and as the role of the service."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import create_engine, func, select, text
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from fastapi_architect.components.database import bind_worker_setting
from fastapi_architect.findings.fingerprint import Place, fingerprints
from fastapi_architect.secapi.findings.matching import Looked, Matched, Said, Seen, lock_branch, match_scan
from fastapi_architect.secapi.findings.models import Finding, FindingEvent, FindingInBranch
from fastapi_architect.secapi.imports.sources import ENGINE
from fastapi_architect.secapi.scans.models import Scan

BEGINNING = datetime(2026, 11, 1, tzinfo=UTC)
EVERYTHING = Looked(frozenset({"", "api"}))


class Scans:
    """Ends scans of one project, one a minute."""

    def __init__(self, session: Session, tenant: UUID, project: UUID) -> None:
        self.session, self.tenant, self.project = session, tenant, project
        self.minute = 0

    def end(
        self,
        *seen: Seen,
        branch: str = "main",
        looked: Looked = EVERYTHING,
        minute: int | None = None,
        source: str = ENGINE,
    ) -> Matched:
        self.minute += 1
        submitted = BEGINNING + timedelta(minutes=self.minute if minute is None else minute)
        locked = lock_branch(self.session, self.tenant, self.project, branch)
        scan = self.scan(branch, submitted, source)
        found = match_scan(self.session, locked, scan, submitted, Said(seen, looked, source))
        self.session.commit()
        return found

    def scan(self, branch: str, submitted: datetime, source: str) -> UUID:
        """A scan that is done when what it found is matched."""
        scan = Scan(
            id=uuid7(), tenant_id=self.tenant, project_id=self.project, kind="archive", state="done", branch=branch,
            requested_by=uuid7(), task_id=uuid7(), sha256="", size=1, created_at=submitted, sources=[source],
        )  # fmt: skip
        self.session.add(scan)
        return scan.id

    def presence(self, finding: UUID, branch: str = "main") -> str:
        statement = text(
            "SELECT presence FROM findings_in_branches p JOIN branches b ON b.id = p.branch_id "
            "WHERE finding_id = :finding AND b.name = :branch"
        )
        return str(self.session.execute(statement, {"finding": finding, "branch": branch}).scalar_one())


@pytest.fixture
def session(service_environment: Mapping[str, str]) -> Iterator[Session]:
    """A worker's session, as the role that owns nothing."""
    engine = create_engine(service_environment["DATABASE_URL"])
    with Session(engine) as session:
        yield session
    engine.dispose()


@pytest.fixture
def scans(session: Session, service_environment: Mapping[str, str]) -> Scans:
    """Scans of a new project."""
    tenant, project = uuid7(), uuid7()
    owner = create_engine(service_environment["DATABASE_OWNER_URL"])
    with owner.begin() as connection:
        connection.execute(
            text("INSERT INTO organisations (id, name, version) VALUES (:t, 'Acme', 1)"), {"t": tenant}
        )
        connection.execute(
            text(
                "INSERT INTO projects (id, tenant_id, name, default_branch, gate_severity, gate_new_only, "
                "accepts_archive_suppressions, keep_scans_days, version) "
                "VALUES (:p, :t, 'x', 'main', 'important', true, false, 365, 1)"
            ),
            {"t": tenant, "p": project},
        )
    owner.dispose()
    bind_worker_setting(session, "app.tenant_id", tenant)
    return Scans(session, tenant, project)


def seen(*places: tuple[str, int, str, str], root: str = "", rule: str = "sql-injection") -> list[Seen]:
    """Findings at (file, line, symbol, statement)."""
    prints = fingerprints([Place(rule, file, line, symbol, code) for file, line, symbol, code in places])
    return [
        Seen(
            root,
            {
                "file": file,
                "line": line,
                "rule": rule,
                "title": "t",
                "category": "security",
                "severity": "critical",
                "confidence": "certain",
                "cwe": "CWE-89",
                "cvss_score": 9.8,
                "fingerprint": print_,
            },
        )
        for (file, line, _, _), print_ in zip(places, prints, strict=True)
    ]


LIST = ("app/books.py", 10, "app.books.search", "execute(f'{title}')")


@pytest.mark.parametrize(
    "edited",
    [
        ("app/books.py", 25, "app.books.search", "execute(f'{title}')"),
        ("app/books.py", 10, "app.books.search", 'execute(\n        f"{title}",\n    )  # why'),
        ("app/novels.py", 10, "app.novels.search", "execute(f'{title}')"),
        ("app/books.py", 10, "app.books.find", "execute(f'{title}')"),
        ("lib/sql.py", 3, "lib.sql.run", "execute(f'{title}')"),
    ],
    ids=["lines above", "formatted", "file renamed", "function renamed", "moved and renamed"],
)
def test_a_finding_survives_what_people_do_to_code(scans: Scans, edited: tuple[str, int, str, str]) -> None:
    first = scans.end(*seen(LIST))
    second = scans.end(*seen(edited))

    assert (len(first.new), list(second.kept)) == (1, list(first.new))
    assert (second.new, second.fixed) == ([], [])


def test_an_edited_statement_is_fixed_and_what_it_became_is_new(scans: Scans) -> None:
    first = scans.end(*seen(LIST))
    second = scans.end(*seen(("app/books.py", 10, "app.books.search", "execute(other)")))

    assert list(second.fixed) == list(first.new)
    assert len(second.new) == 1


def test_a_regression_opens_the_same_finding_again_and_its_history_stays(scans: Scans) -> None:
    [finding] = scans.end(*seen(LIST)).new
    assert list(scans.end().fixed) == [finding]
    assert scans.presence(finding) == "fixed"

    assert list(scans.end(*seen(LIST)).reopened) == [finding]

    assert scans.presence(finding) == "reopened"
    kinds = scans.session.scalars(select(FindingEvent.kind).order_by(FindingEvent.id)).all()
    assert list(kinds) == ["found", "fixed", "reopened"]


def test_what_was_not_looked_at_is_not_called_fixed(scans: Scans) -> None:
    [top] = scans.end(*seen(LIST)).new
    [inner] = scans.end(*seen(LIST), *seen(LIST, root="api")).new

    unread = scans.end(*seen(LIST, root="api"), looked=Looked(frozenset({"", "api"}), frozenset({LIST[0]})))
    without_root = scans.end(*seen(LIST), looked=Looked(frozenset({""})))

    assert (unread.fixed, without_root.fixed) == ([], [])
    assert (scans.presence(top), scans.presence(inner)) == ("open", "open")


def test_a_branch_has_the_same_findings_and_a_state_of_its_own(scans: Scans) -> None:
    [finding] = scans.end(*seen(LIST)).new

    on_branch = scans.end(*seen(LIST), branch="feature")
    scans.end(branch="feature")

    assert list(on_branch.new) == [finding]
    assert (scans.presence(finding), scans.presence(finding, "feature")) == ("open", "fixed")
    assert scans.session.scalar(select(func.count()).select_from(Finding)) == 1


def test_a_scan_that_ends_after_a_newer_one_changes_nothing(scans: Scans) -> None:
    scans.end(minute=10)

    late = scans.end(*seen(LIST), minute=5)

    assert late.is_outdated
    assert scans.session.scalar(select(func.count()).select_from(FindingInBranch)) == 0


def test_two_equal_statements_are_two_findings_and_each_keeps_its_own(scans: Scans) -> None:
    twice = [LIST, ("app/books.py", 20, "app.books.search", "execute(f'{title}')")]
    first = scans.end(*seen(*twice))

    second = scans.end(*seen(twice[0]))

    assert len(first.new) == 2
    assert (len(second.kept), len(second.fixed)) == (1, 1)


def test_two_scans_of_a_branch_that_end_at_once_end_one_after_the_other(
    scans: Scans, service_environment: Mapping[str, str]
) -> None:
    def end(minute: int) -> int:
        engine = create_engine(service_environment["DATABASE_URL"])
        with Session(engine) as session:
            bind_worker_setting(session, "app.tenant_id", scans.tenant)
            other = Scans(session, scans.tenant, scans.project)
            count = len(other.end(*seen(LIST), minute=minute).new)
        engine.dispose()
        return count

    with ThreadPoolExecutor(4) as threads:
        new = list(threads.map(end, [1, 2, 3, 4]))

    assert sum(new) == 1
    assert scans.session.scalar(select(func.count()).select_from(Finding)) == 1


def test_a_finding_is_in_each_branch_where_the_branch_has_it(scans: Scans) -> None:
    top, below = Looked(frozenset({""})), Looked(frozenset({"api"}))
    [finding] = scans.end(*seen(LIST), looked=top).new
    scans.end(*seen(LIST, root="api"), branch="monorepo", looked=below)

    # The other branch has moved everything into a folder, which is nothing that this one has to know.
    scans.end(looked=top)

    assert scans.presence(finding) == "fixed"
    assert scans.presence(finding, "monorepo") == "open"


BANDIT, SEMGREP = "sarif:bandit", "sarif:semgrep"


def test_what_a_tool_says_closes_and_reopens_its_own_findings_and_no_others(scans: Scans) -> None:
    found = {source: scans.end(*seen(LIST), source=source).new[0] for source in (ENGINE, BANDIT, SEMGREP)}

    nothing = scans.end(source=BANDIT)
    again = scans.end(*seen(LIST), source=BANDIT)
    engine = scans.end()

    assert len(set(found.values())) == 3
    assert (list(nothing.fixed), list(again.reopened)) == ([found[BANDIT]], [found[BANDIT]])
    assert list(engine.fixed) == [found[ENGINE]]
    assert scans.presence(found[SEMGREP]) == "open"
    assert scans.presence(found[BANDIT]) == "reopened"


def test_a_scan_is_not_late_because_another_tool_was_quicker(scans: Scans) -> None:
    scans.end(*seen(LIST), source=BANDIT, minute=10)

    slow = scans.end(*seen(LIST), minute=5)
    late = scans.end(source=BANDIT, minute=5)

    assert (len(slow.new), slow.is_outdated) == (1, False)
    assert late.is_outdated
    newest = scans.session.execute(text("SELECT scanned_at FROM branches")).scalar_one()
    assert newest == BEGINNING + timedelta(minutes=10)


def test_a_scan_of_a_worker_that_knew_no_sources_is_one_of_the_engine(scans: Scans) -> None:
    scans.end(minute=10)
    scans.session.execute(text("UPDATE scans SET sources = NULL"))

    assert scans.end(*seen(LIST), minute=5).is_outdated
    assert not scans.end(*seen(LIST), minute=5, source=BANDIT).is_outdated


def test_a_branch_compares_what_a_tool_says_with_the_same_tool_on_another(scans: Scans) -> None:
    [finding] = scans.end(*seen(LIST), source=BANDIT).new

    assert list(scans.end(*seen(LIST), source=BANDIT, branch="feature").new) == [finding]
    assert list(scans.end(*seen(LIST), branch="feature").new) != [finding]
