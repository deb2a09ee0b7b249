"""What must hold when everything is quiet again, asked from outside: over HTTP, in SQL, and of the operating system."""

from __future__ import annotations

import random
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.rows import dict_row

from chaos import system
from chaos.archives import BY_NAME
from chaos.clients import API, Client, Load, Refused
from chaos.installation import Installation, private_folders
from chaos.ledger import Ledger
from fastapi_architect.secapi.archives import sweep

FINAL = ("done", "failed", "dead", "cancelled")
#: A finding as it is compared between a quiet scan and one in the middle of chaos: root, file, line, rule.
Spot = tuple[str, str, int, str]


@dataclass(slots=True)
class Outcome:
    """What a kind of archive comes to when nothing is broken."""

    state: str
    error_code: str | None
    counts: dict[str, int]
    findings: list[Spot]
    not_analysed: int


@dataclass(slots=True)
class Verdict:
    """What was looked at, and what was wrong."""

    wrong: list[str] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)

    def expect(self, holds: bool, message: str) -> None:
        """Keep the message unless it holds."""
        if not holds:
            self.wrong.append(message)


def rows(installation: Installation, statement: str, *values: Any) -> list[dict[str, Any]]:
    """Return what PostgreSQL says, of every tenant."""
    with (
        installation.connect() as connection,
        connection.cursor(row_factory=dict_row) as cursor,
    ):
        return cursor.execute(statement, values or None).fetchall()


def wait_until_quiet(installation: Installation, patience: float) -> list[str]:
    """Wait until no scan is open and the outbox is empty; return what is still there when patience ends."""
    deadline = time.monotonic() + patience
    left: list[str] = ["nobody could be asked"]
    while time.monotonic() < deadline:
        for process in installation.processes():
            process.start()
        try:
            left = _unfinished(installation)
        except psycopg.OperationalError as error:
            left = [str(error)]
        if not left:
            return []
        time.sleep(0.5)
    return left


def _unfinished(installation: Installation) -> list[str]:
    scans = rows(
        installation,
        "SELECT id, state, attempts FROM scans WHERE state NOT IN ('done', 'failed', 'dead', 'cancelled')",
    )
    events = rows(
        installation,
        "SELECT id, topic, attempts, started_at IS NOT NULL AS running, last_error FROM outbox_events"
        " WHERE processed_at IS NULL AND dead_at IS NULL AND coalesce(unique_key, '') NOT LIKE 'schedule:%'",
    )
    return [
        *(f"scan {each['id']} is {each['state']} after {each['attempts']} attempts" for each in scans),
        *(f"event {each['id']} ({each['topic']}) is open: {each['last_error']}" for each in events),
    ]


def outcomes(installation: Installation) -> dict[str, Outcome]:
    """Return what the scans of every kind of archive came to that were submitted before anything was broken."""
    found = {}
    for scan in rows(installation, "SELECT * FROM scans WHERE branch LIKE 'quiet/%'"):
        notes = scan["notes"] or {}
        found[scan["branch"].removeprefix("quiet/")] = Outcome(
            scan["state"], scan["error_code"], scan["counts"] or {},
            _open_findings(installation, scan["project_id"], scan["branch"]), notes.get("not_analysed", 0),
        )  # fmt: skip
    return found


def check(installation: Installation, ledger: Ledger, load: Load, quiet: Mapping[str, Outcome]) -> Verdict:
    """Check every promise.

    Args:
        installation: quiet, and still running.
        ledger: what was promised.
        load: its clients ask.
        quiet: what each kind of archive comes to.
    """
    verdict = Verdict()
    verdict.wrong += ledger.wrong + load.errors
    # Whatever is killed, a client is told to come back, and by 503 what it does not know: never that we failed.
    failed = {status: count for status, count in ledger.answers.items() if status in ("500", "502")}
    verdict.expect(not failed, f"answers that say no more than that we failed: {failed}")
    client_of = {email.partition("@")[0]: load.client(email, "checks") for email in installation.passwords}
    scans = {
        str(each["id"]): each
        for each in rows(installation, "SELECT * FROM scans WHERE branch NOT LIKE 'quiet/%'")
    }
    _scans_end_once(installation, verdict, ledger, scans)
    _results_are_right(verdict, ledger, scans, quiet)
    _branches_are_right(installation, verdict, ledger, scans, quiet)
    _api_agrees(verdict, ledger, scans, client_of)
    _findings_are_single(installation, verdict)
    _decisions_are_kept(installation, verdict, ledger, client_of)
    _work_is_over(installation, verdict)
    _archives_are_gone(installation, verdict)
    for client in client_of.values():
        client.close()
    return verdict


def check_leftovers(installation: Installation, verdict: Verdict, namespaces: set[str]) -> None:
    """Check that nothing is left of processes that have been told to end.

    Args:
        installation: stopped.
        verdict: takes what is wrong.
        namespaces: network name spaces that there were at the beginning.
    """
    left = system.belonging_to(installation.temporary)
    verdict.expect(not left, f"processes are left: {left}")
    # Each worker sweeps when it begins a scan; after the last ones that were killed, nobody has begun one.
    sweep(installation.temporary / "fastapi-architect")
    folders = [each.name for each in private_folders(installation.temporary)]
    verdict.expect(not folders, f"private folders are left: {folders}")
    others = [each.name for each in installation.temporary.iterdir() if each.name != "fastapi-architect"]
    # Celery's library for processes makes an empty one for each worker, and does not remove it.
    of_celery = [
        each
        for each in others
        if each.startswith("pymp-") and not any((installation.temporary / each).iterdir())
    ]
    verdict.figures["empty folders that Celery left"] = len(of_celery)
    others = sorted(set(others) - set(of_celery))
    verdict.expect(not others, f"temporary files are left: {others}")
    now = system.network_namespaces(process_id for process_id, _ in left)
    verdict.expect(now <= namespaces, "network name spaces are left")


def _scans_end_once(
    installation: Installation, verdict: Verdict, ledger: Ledger, scans: Mapping[str, dict[str, Any]]
) -> None:
    accepted = {each.scan_id for each in ledger.scans()}
    verdict.expect(accepted <= scans.keys(), f"accepted and not there: {sorted(accepted - scans.keys())}")
    verdict.expect(
        scans.keys() <= accepted,
        f"there, and accepted for nobody (a repeated request was done twice): {sorted(scans.keys() - accepted)}",
    )
    ends = Counter(
        str(each["scan_id"])
        for each in rows(installation, "SELECT scan_id FROM scan_events WHERE kind = 'finished'")
    )
    for scan_id, scan in scans.items():
        verdict.expect(scan["state"] in FINAL, f"scan {scan_id} is {scan['state']} for ever")
        if scan["state"] in ("failed", "dead"):
            verdict.expect(bool(scan["error_code"] and scan["error"]), f"scan {scan_id} says no reason")
        # Somebody who cancels what waits ends it in their own request.
        wanted = {scan["run"]} | ({scan["run"] - 1} if scan["state"] == "cancelled" else set())
        verdict.expect(
            ends[scan_id] in wanted, f"scan {scan_id} ({scan['state']}) has ended {ends[scan_id]} times"
        )
        verdict.expect(
            scan["state"] == "cancelled" or scan["finished_at"] is not None, f"scan {scan_id} has no end"
        )
    verdict.figures["scans"] = len(scans)
    verdict.figures["states"] = dict(Counter(each["state"] for each in scans.values()))
    verdict.figures["attempts"] = dict(sorted(Counter(each["attempts"] for each in scans.values()).items()))
    verdict.figures["answers"] = dict(sorted(ledger.answers.items()))


def _results_are_right(
    verdict: Verdict, ledger: Ledger, scans: Mapping[str, dict[str, Any]], quiet: Mapping[str, Outcome]
) -> None:
    """Each scan found what a quiet one finds, unless it says that it could not look at everything."""
    compared = 0
    for each in ledger.scans():
        scan, expected = scans.get(each.scan_id), quiet.get(each.sample)
        if scan is None or expected is None:
            continue
        if scan["state"] == "failed":
            # A sandbox that is killed again and again is taken for the fault of the code: a reason, too.
            allowed = {expected.error_code, "scan-died"}
            verdict.expect(
                scan["error_code"] in allowed, f"scan {each.scan_id} ({each.sample}) failed: {scan['error']}"
            )
        if scan["state"] != "done":
            continue
        verdict.expect(
            expected.state == "done", f"scan {each.scan_id} ({each.sample}) is done, and should fail"
        )
        verdict.expect(
            scan["roots"] == scan["roots_done"], f"scan {each.scan_id} is done with {scan['roots_done']} of {scan['roots']} roots"
        )  # fmt: skip
        if _is_whole(scan, expected) and not scan["notes"]["is_outdated"]:
            compared += 1
            verdict.expect(
                scan["counts"] == expected.counts,
                f"scan {each.scan_id} ({each.sample}) counts {scan['counts']} in place of {expected.counts}",
            )
    verdict.figures["results compared with quiet ones"] = compared


def _branches_are_right(
    installation: Installation,
    verdict: Verdict,
    ledger: Ledger,
    scans: Mapping[str, dict[str, Any]],
    quiet: Mapping[str, Outcome],
) -> None:
    """The open findings of a branch are those of its newest scan, each once."""
    samples = {each.scan_id: each.sample for each in ledger.scans()}
    newest: dict[tuple[Any, str], dict[str, Any]] = {}
    for scan in scans.values():
        if scan["state"] == "done" and not scan["notes"]["is_outdated"]:
            place = (scan["project_id"], scan["branch"])
            if place not in newest or scan["created_at"] > newest[place]["created_at"]:
                newest[place] = scan
    compared = 0
    for (project, branch), scan in newest.items():
        expected = quiet.get(samples.get(str(scan["id"]), ""))
        if expected is None or not _is_whole(scan, expected):
            continue
        compared += 1
        found = _open_findings(installation, project, branch)
        verdict.expect(
            found == expected.findings,
            f"branch {branch} of {project} holds {found} in place of {expected.findings} (scan {scan['id']})",
        )
    verdict.figures["branches compared"] = compared


def _is_whole(scan: Mapping[str, Any], expected: Outcome) -> bool:
    """Whether nothing was left out that a quiet scan looks at: a sandbox that is killed twice costs a file."""
    notes = scan["notes"]
    return not notes["not_reviewed"] and notes["not_analysed"] == expected.not_analysed


def _open_findings(installation: Installation, project: Any, branch: str) -> list[Spot]:
    statement = """
        SELECT p.root, p.file, p.line, f.rule FROM findings f
        JOIN findings_in_branches p ON p.finding_id = f.id JOIN branches b ON b.id = p.branch_id
        WHERE f.project_id = %s AND b.name = %s AND p.presence <> 'fixed'
    """
    return sorted(
        (each["root"], each["file"], each["line"], each["rule"])
        for each in rows(installation, statement, project, branch)
    )


def _api_agrees(
    verdict: Verdict,
    ledger: Ledger,
    scans: Mapping[str, dict[str, Any]],
    client_of: Mapping[str, Client],
) -> None:
    """The API says of each scan what the table says."""
    for each in ledger.scans():
        scan = scans.get(each.scan_id)
        if scan is None:
            continue
        try:
            answer = client_of[each.organisation].call("GET", f"{API}/scans/{each.scan_id}", expected=(200,))
        except Refused as refusal:
            verdict.wrong.append(f"scan {each.scan_id} cannot be read: {refusal}")
            continue
        told = answer.json()
        same = all(
            told[name] == scan[name] for name in ("state", "counts", "score", "error_code", "attempts")
        )
        verdict.expect(same, f"scan {each.scan_id}: the API says {told['state']} {told['counts']}")
    for organisation, client in client_of.items():
        for project in client.call("GET", f"{API}/projects", expected=(200,)).json()["items"]:
            for branch in sorted({each.branch for each in BY_NAME.values()}):
                _lists_agree(verdict, client, organisation, project["id"], branch, scans)


def _lists_agree(
    verdict: Verdict,
    client: Client,
    organisation: str,
    project: str,
    branch: str,
    scans: Mapping[str, dict[str, Any]],
) -> None:
    here = [
        each
        for each in scans.values()
        if str(each["project_id"]) == project
        and each["branch"] == branch
        and each["state"] == "done"
        and not each["notes"]["is_outdated"]
    ]
    if not here:
        return
    query = {"branch": branch, "limit": 100}
    listed = list(_pages(client, f"{API}/projects/{project}/findings", query))
    counts = dict(Counter(each["severity"] for each in listed))
    newest = max(here, key=lambda each: each["created_at"])
    verdict.expect(
        counts == newest["counts"],
        f"{organisation}: the list of branch {branch} of {project} counts {counts}, scan {newest['id']} {newest['counts']}",
    )


def _pages(client: Client, path: str, query: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    cursor = None
    while True:
        page = client.call(
            "GET", path, expected=(200,), params={**query, **({"cursor": cursor} if cursor else {})}
        ).json()
        yield from page["items"]
        cursor = page["next_cursor"]
        if not cursor:
            return


def _findings_are_single(installation: Installation, verdict: Verdict) -> None:
    same = rows(
        installation,
        "SELECT finding_id, kind, scan_id, details->>'branch' AS branch, count(*) FROM finding_events"
        " WHERE scan_id IS NOT NULL GROUP BY 1, 2, 3, 4 HAVING count(*) > 1",
    )
    verdict.expect(not same, f"a scan was counted twice: {same}")
    found = rows(
        installation,
        "SELECT finding_id, details->>'branch' AS branch, count(*) FROM finding_events WHERE kind = 'found'"
        " GROUP BY 1, 2 HAVING count(*) > 1",
    )
    verdict.expect(not found, f"findings that were new twice: {found}")
    twins = rows(
        installation,
        "SELECT p.branch_id, p.root, f.fingerprint, p.file, p.line, count(*), array_agg(f.id::text) AS ids FROM findings f"
        " JOIN findings_in_branches p ON p.finding_id = f.id WHERE p.presence <> 'fixed'"
        " GROUP BY 1, 2, 3, 4, 5 HAVING count(*) > 1",
    )
    verdict.expect(not twins, f"the same finding several times: {twins}")
    roots = rows(
        installation, "SELECT scan_id, path, count(*) FROM scan_roots GROUP BY 1, 2 HAVING count(*) > 1"
    )
    verdict.expect(not roots, f"roots that were kept twice: {roots}")
    verdict.figures["findings"] = rows(installation, "SELECT count(*) FROM findings")[0]["count"]


def _decisions_are_kept(
    installation: Installation, verdict: Verdict, ledger: Ledger, client_of: Mapping[str, Client]
) -> None:
    """Everything that was answered with 200 is in the history, and the last decision stands."""
    by_finding = defaultdict(list)
    for promise in ledger.promises:
        by_finding[promise.finding_id].append(promise)
    for finding_id, promises in by_finding.items():
        client = client_of[promises[0].organisation]
        history: list[dict[str, Any]] = []
        while True:
            after = history[-1]["id"] if history else 0
            page = client.call(
                "GET", f"{API}/findings/{finding_id}/events", expected=(200,), params={"after": after}
            ).json()
            history += page
            if len(page) < 100:
                break
        told = Counter(text for each in history for text in each["details"].values() if isinstance(text, str))
        for promise in promises:
            verdict.expect(
                told[promise.text] == 1,
                f"{promise.kind} of finding {finding_id} is in its history {told[promise.text]} times: {promise.text}",
            )
        decisions = [each for each in promises if each.kind == "triaged"]
        if decisions:
            last = max(decisions, key=lambda each: each.version)
            [row] = rows(
                installation, "SELECT triage, reason, version FROM findings WHERE id = %s", finding_id
            )
            # A decision whose answer was lost may have followed; then it stands in the history.
            texts = [each["details"].get("reason") for each in history if each["kind"] == "triaged"]
            is_last = row["reason"] == last.text and row["triage"] == last.triage
            verdict.expect(
                is_last or row["reason"] in texts[texts.index(last.text) + 1 :]
                if last.text in texts
                else False,
                f"finding {finding_id}: {last.triage} ({last.text}) was answered with 200, it is {row['triage']} ({row['reason']})",
            )
    verdict.figures["acknowledged decisions and comments"] = len(ledger.promises)


def _work_is_over(installation: Installation, verdict: Verdict) -> None:
    leases = rows(
        installation,
        "SELECT id, topic FROM outbox_events WHERE processed_at IS NULL AND dead_at IS NULL"
        " AND coalesce(unique_key, '') NOT LIKE 'schedule:%'",
    )
    verdict.expect(not leases, f"events that nobody ends: {leases}")
    stuck = rows(
        installation,
        "SELECT id, topic FROM outbox_events WHERE processed_at IS NULL AND dead_at IS NULL AND started_at IS NOT NULL"
        " AND held_until < now() - interval '30 seconds'",
    )
    verdict.expect(not stuck, f"leases that nobody takes over: {stuck}")
    dead = rows(
        installation, "SELECT topic, payload->>'scan_id' AS scan FROM outbox_events WHERE dead_at IS NOT NULL"
    )
    verdict.figures["dead letters"] = dict(Counter(each["topic"] for each in dead))
    known = {
        str(each["id"])
        for each in rows(installation, "SELECT id FROM scans WHERE state <> 'queued' AND state <> 'running'")
    }
    lost = [each for each in dead if each["scan"] is not None and each["scan"] not in known]
    verdict.expect(not lost, f"dead letters whose scans have not ended: {lost}")


def _archives_are_gone(installation: Installation, verdict: Verdict) -> None:
    """What no scan needs any more is deleted: only failed and dead ones keep their archive, to be tried again."""
    kept = rows(
        installation,
        "SELECT s.id, s.state FROM scans s WHERE s.state = 'done' AND s.upload_id IS NOT NULL",
    )
    verdict.expect(not kept, f"scans that are done and keep their archive: {kept}")
    unknown = len(
        rows(installation, "SELECT key FROM stored_files WHERE key NOT IN (SELECT storage_key FROM uploads)")
    )
    # An API that is killed while an archive arrives leaves what has arrived: retention takes it after a day.
    verdict.figures["bytes without a row (an API was killed there)"] = unknown
    verdict.expect(
        unknown <= verdict.figures.get("kills of the API", 0) + installation.api.starts + 2,
        f"archives that nobody knows: {unknown}",
    )
    half = rows(
        installation,
        "SELECT id FROM uploads JOIN stored_files ON key = storage_key WHERE finished_at IS NULL",
    )
    verdict.expect(not half, f"uploads whose archive has not arrived whole: {half}")


def submit_quietly(load: Load, emails: Sequence[str], seed: int) -> None:
    """Submit one archive of each kind, each in a branch of its own, before anything is broken."""
    client = load.client(emails[0], "quiet")
    projects = {layout: client.project(f"Quiet {layout}") for layout in ("single", "several")}
    chance = random.Random(seed)
    for sample in BY_NAME.values():
        if sample.name in ("poison", "vanishing"):
            continue
        upload = f"018f0000-0000-7000-8000-{chance.getrandbits(48):012x}"
        client.call(
            "PUT", f"{API}/uploads/{upload}", expected=(201,), params={"name": "a.zip"},
            content=sample.packed(upload), headers={"Content-Type": "application/zip"},
        )  # fmt: skip
        client.call(
            "POST", f"{API}/projects/{projects[sample.layout]}/scans", expected=(202,),
            json={"upload_id": upload, "branch": f"quiet/{sample.name}"},
        )  # fmt: skip
    client.close()
