"""Whose archive stays when its scan has ended, and whose does not."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session
from tests.secapi.conftest import People
from tests.secapi.scans.test_submitting import a_project, upload

from fastapi_architect.components.database import bind_worker_setting
from fastapi_architect.components.outbox import OutboxEvent
from fastapi_architect.components.uploads import Upload
from fastapi_architect.secapi.membership import TENANT
from fastapi_architect.secapi.scans.completing import end, scan_of
from fastapi_architect.secapi.scans.models import ScanState
from fastapi_architect.secapi.scans.work import ARCHIVE_LEFT


@pytest.mark.parametrize(
    ("state", "hours", "stays"),
    [
        (ScanState.DONE, 24, False),
        (ScanState.CANCELLED, 24, False),
        (ScanState.FAILED, 0, False),
        (ScanState.DEAD, 0, False),
        (ScanState.DEAD, 24, True),
    ],
)
def test_an_archive_goes_with_its_scan_unless_somebody_may_try_it_again(
    client: TestClient,
    people: People,
    service_environment: Mapping[str, str],
    state: ScanState,
    hours: int,
    stays: bool,
) -> None:
    organisation = people.organisation()
    developer = people.member(organisation, "developer")
    project = a_project(client, people, organisation, keep_failed_archives_hours=hours)
    archive = upload(client, developer)
    body = {"upload_id": archive}
    made = client.post(f"/api/v1/projects/{project}/scans", json=body, headers=developer).json()

    engine = create_engine(service_environment["DATABASE_URL"])
    with Session(engine) as session:
        bind_worker_setting(session, TENANT, organisation)
        scan = scan_of(session, UUID(made["id"]))
        assert scan is not None
        end(session, scan, state, "code", "why")
        session.commit()
        kept = session.get(Upload, UUID(archive)) is not None
        left = session.scalars(select(OutboxEvent).where(OutboxEvent.topic == ARCHIVE_LEFT)).all()
    engine.dispose()

    assert (kept, len(left)) == (stays, 0 if stays else 1)
