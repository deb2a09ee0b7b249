"""What workers delete, organisation by organisation, each behind its own wall, and so much in a transaction that no lock lasts."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from fastapi_architect.components.audit_log import record
from fastapi_architect.components.database import Database, bind_worker_setting
from fastapi_architect.components.outbox import HandlerContext, Priority, handles
from fastapi_architect.components.tenancy import every_tenant
from fastapi_architect.components.uploads import Uploads, remove_orphans_in_worker

from ..membership import TENANT
from .component import ORPHANS, SWEEP, Retention
from .deleted_projects import delete_project_piecemeal
from .sweeping import STEPS, archives_in_use, delete_forgotten_uploads, delete_kept_answers, in_batches

logger = logging.getLogger(__name__)


class NotSwept(Exception):
    """What is old could not be deleted of some organisations; the log says why."""


@handles(SWEEP, priority=Priority.LOW)
def sweep(context: HandlerContext, _: dict[str, Any]) -> None:
    """Delete what is old, and write into the log of each organisation how much it was.

    Raises:
        NotSwept: of some organisations; those of the others are done.
    """
    database = context.component(Database)
    days = context.component(Retention).settings.deleted_project_days
    tenants = every_tenant(context.session)
    # No transaction of this one is open while those of the organisations run.
    context.session.rollback()
    in_use: set[UUID] = set()
    failed = 0
    for tenant in tenants:
        try:
            _sweep_organisation(database, tenant, timedelta(days=days))
            with _of(database, tenant) as session:
                in_use |= archives_in_use(session)
        except SQLAlchemyError:
            # One whose rows cannot be deleted must not keep those of all others.
            logger.exception("an organisation was not swept", extra={"tenant_id": str(tenant)})
            failed += 1
    in_batches(database.sync_sessions.begin, partial(delete_forgotten_uploads, in_use=in_use))
    in_batches(database.sync_sessions.begin, delete_kept_answers)
    if failed:
        raise NotSwept(f"{failed} of {len(tenants)} organisations; the log says why")


@handles(ORPHANS, priority=Priority.LOW)
def sweep_orphans(context: HandlerContext, _: dict[str, Any]) -> None:
    """Delete bytes of archives that a process left which was killed while they arrived."""
    removed = remove_orphans_in_worker(context.component(Database), context.component(Uploads).storage)
    if removed:
        logger.info("bytes without an upload were deleted", extra={"files": removed})


def _sweep_organisation(database: Database, tenant: UUID, after: timedelta) -> None:
    transaction = partial(_of, database, tenant)
    while True:
        with transaction() as session:
            if not delete_project_piecemeal(session, after):
                break
    swept = {name: in_batches(transaction, step) for name, step in STEPS.items()}
    if any(swept.values()):
        with transaction() as session:
            record(
                session,
                "retention.swept",
                actor=None,
                tenant_id=tenant,
                subject_type="organisation",
                subject_id=tenant,
                details=swept,
            )


@contextmanager
def _of(database: Database, tenant: UUID) -> Iterator[Session]:
    with database.sync_sessions.begin() as session:
        bind_worker_setting(session, TENANT, tenant)
        yield session
