"""Submitting a scan: what is accepted is kept with its work, and repeated requests have one effect."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi.testclient import TestClient
from tests.secapi.conftest import Headers, People, archive
from uuid_utils.compat import uuid7

from fastapi_architect.components.uploads.tests.files import tar

API = "/api/v1"


def a_project(client: TestClient, people: People, organisation: object, **settings: object) -> str:
    maintainer = people.member(organisation, "maintainer")  # type: ignore[arg-type]
    answer = client.post(f"{API}/projects", json={"name": str(uuid7()), **settings}, headers=maintainer)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def upload(client: TestClient, member: Headers, content: bytes | None = None) -> str:
    identifier = str(uuid7())
    answer = client.put(
        f"{API}/uploads/{identifier}",
        params={"name": "backend.zip"},
        content=archive(main="x = 1") if content is None else content,
        headers=member | {"Content-Type": "application/zip"},
    )
    assert answer.status_code == 201, answer.text
    return identifier


def test_a_submitted_archive_is_a_scan_with_the_identifier_of_its_task(
    client: TestClient, people: People
) -> None:
    organisation = people.organisation()
    project, developer = a_project(client, people, organisation), people.member(organisation, "developer")
    content = archive(main="x = 1")

    answer = client.post(
        f"{API}/projects/{project}/scans",
        json={"upload_id": upload(client, developer, content), "branch": "feature/x", "commit": "abcdef0"},
        headers=developer,
    )

    scan = answer.json()
    assert answer.status_code == 202
    assert (scan["state"], scan["branch"], scan["commit"]) == ("queued", "feature/x", "abcdef0")
    assert scan["sha256"] == hashlib.sha256(content).hexdigest()
    read = client.get(answer.headers["location"], headers=developer)
    assert read.json() == scan
    assert scan["task_id"] != scan["id"]


def test_fifty_repetitions_of_a_request_are_one_scan(client: TestClient, people: People) -> None:
    organisation = people.organisation()
    project, developer = a_project(client, people, organisation), people.member(organisation, "developer")
    body = {"upload_id": upload(client, developer)}
    keyed = developer | {"Idempotency-Key": '"one"'}

    def submit(_: int) -> tuple[int, str]:
        answer = client.post(f"{API}/projects/{project}/scans", json=body, headers=keyed)
        return answer.status_code, answer.json().get("id", "")

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(submit, range(50)))

    # 409: the same request is being processed; whoever asks again gets the first one's answer.
    assert {status for status, _ in answers} <= {202, 409}
    assert len({identifier for status, identifier in answers if status == 202}) == 1
    listed = client.get(f"{API}/projects/{project}/scans", headers=developer).json()["items"]
    assert len(listed) == 1


def test_an_upload_is_scanned_once(client: TestClient, people: People) -> None:
    organisation = people.organisation()
    project, developer = a_project(client, people, organisation), people.member(organisation, "developer")
    body = {"upload_id": upload(client, developer)}

    statuses = [
        client.post(f"{API}/projects/{project}/scans", json=body, headers=developer).status_code for _ in "ab"
    ]

    assert statuses == [202, 409]


def test_nobody_scans_what_is_not_theirs(client: TestClient, people: People) -> None:
    organisation = people.organisation()
    project, developer = a_project(client, people, organisation), people.member(organisation, "developer")
    mallory = people.member(people.organisation("Evil"), "admin")
    colleague = people.member(organisation, "developer")
    theirs = upload(client, developer)

    into_their_project = {"upload_id": upload(client, mallory)}
    answer = client.post(f"{API}/projects/{project}/scans", json=into_their_project, headers=mallory)
    assert answer.status_code == 404
    answer = client.post(f"{API}/projects/{project}/scans", json={"upload_id": theirs}, headers=colleague)
    assert answer.status_code == 404


@pytest.mark.parametrize(
    "change",
    [
        {"upload_id": "not-an-identifier"},
        {"branch": "../etc"},
        {"branch": "a\x00b"},
        {"commit": "HEAD"},
        {"priority": "urgent"},
        {"tenant_id": "018f0000-0000-7000-8000-000000000001"},
    ],
)
def test_what_no_scan_may_be_is_refused(client: TestClient, people: People, change: dict[str, str]) -> None:
    organisation = people.organisation()
    project, developer = a_project(client, people, organisation), people.member(organisation, "developer")
    body = {"upload_id": str(uuid7())} | change

    assert client.post(f"{API}/projects/{project}/scans", json=body, headers=developer).status_code == 422


def test_a_waiting_scan_is_cancelled_at_once_and_only_once(client: TestClient, people: People) -> None:
    organisation = people.organisation()
    project, developer = a_project(client, people, organisation), people.member(organisation, "developer")
    body = {"upload_id": upload(client, developer)}
    place = client.post(f"{API}/projects/{project}/scans", json=body, headers=developer).headers["location"]

    cancelled = client.post(f"{place}/cancel", headers=developer)
    again = client.post(f"{place}/cancel", headers=developer)

    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
    assert again.status_code == 409
    # Nothing waits for the archive any more: its owner sees it no longer, and has its room again.
    assert client.get(f"{API}/uploads/{body['upload_id']}", headers=developer).status_code == 404


@pytest.mark.parametrize(
    ("name", "media_type", "content"),
    [
        ("backend.tar", "application/x-tar", tar()),
        ("backend.tar.gz", "application/gzip", tar("gz")),
        ("backend.tgz", "application/gzip", tar("gz")),
        ("backend.tar.bz2", "application/x-bzip2", tar("bz2")),
        ("backend.tar.xz", "application/x-xz", tar("xz")),
    ],
    ids=["tar", "tar.gz", "tgz", "tar.bz2", "tar.xz"],
)
def test_a_tar_archive_is_submitted_as_a_zip_archive_is(
    client: TestClient, people: People, name: str, media_type: str, content: bytes
) -> None:
    organisation = people.organisation()
    project, developer = a_project(client, people, organisation), people.member(organisation, "developer")
    identifier = str(uuid7())
    place = f"{API}/uploads/{identifier}"
    headers = developer | {"Content-Type": media_type}

    lied = client.put(place, params={"name": name}, content=archive(main="x = 1"), headers=headers)
    taken = client.put(place, params={"name": name}, content=content, headers=headers)
    answer = client.post(f"{API}/projects/{project}/scans", json={"upload_id": identifier}, headers=developer)

    assert (lied.status_code, taken.status_code, answer.status_code) == (415, 201, 202)
