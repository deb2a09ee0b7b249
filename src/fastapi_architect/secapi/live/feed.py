"""What one socket is told of one scan.

PostgreSQL is asked again and again, and nothing else: what Redis carries may be lost, and a listener that has to resume by a cursor
needs the table anyway. The events of a scan are written under the lock of its row, so that their identifiers are in the order of
their commits, and none can appear behind the cursor.
"""

import logging
import time
from uuid import UUID

import anyio
from fastapi import FastAPI
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from sqlalchemy.ext.asyncio import AsyncSession

from fastapi_architect.components.database import Database, bind_setting
from fastapi_architect.components.problem_details import Forbidden, InvalidInput, NotFound, ServiceError
from fastapi_architect.components.service import Principal, installed
from fastapi_architect.components.tenancy import Tenancy, as_member
from fastapi_architect.components.websockets import Connection, WebSockets, closing, messages

from ..membership import TENANT, Member
from ..scans.models import ScanEvent, ScanState
from ..scans.repository import ScanRepository
from ..scans.schemas import ScanProgress

logger = logging.getLogger(__name__)

#: Seconds between two looks: after something happened, and at most.
SHORTEST, LONGEST = 0.25, 2.0
#: Events of one look.
PAGE = 100
PERMISSION = "scans:read"
_SAY_WHICH = closing.Closing(1008, "say in organisation_id for which of your organisations")


class ScanFeed:
    """Tells a socket what happens to a scan until it has ended.

    Args:
        app: the service.
        scan_id: which scan.
        since: the last identifier that the client has seen.
        organisation_id: for which organisation the client listens, if they belong to several.
    """

    def __init__(self, app: FastAPI, scan_id: UUID, since: int, organisation_id: UUID | None) -> None:
        self._app = app
        self._scan_id = scan_id
        self._cursor = since
        self._organisation_id = organisation_id
        self._member: Member | None = None
        self._known_until = float("-inf")
        self._topic = f"scan:{scan_id}"

    async def begin(self, principal: Principal) -> closing.Closing | None:
        """Look once whether the caller may listen; return why they may not."""
        try:
            async with installed(self._app, Database).sessions() as session:
                await self._bind(session, principal)
                await self._state(session)
        except NotFound:
            return closing.NOT_FOUND
        except Forbidden:
            return closing.FORBIDDEN
        except InvalidInput:
            return _SAY_WHICH
        except (OperationalError, PoolExhausted):
            logger.warning("a listener is sent away: the database does not answer", exc_info=True)
            return closing.TRY_LATER
        return None

    async def __call__(self, connection: Connection) -> None:
        """Tell what happened since the cursor, and what happens from now on."""
        pause = SHORTEST
        while True:
            try:
                has_ended, events = await self._look(connection.principal)
            except ServiceError:
                connection.end(closing.NOT_AUTHORISED)
                return
            except (OperationalError, PoolExhausted):
                # It comes back, and nothing is lost meanwhile: the cursor stands.
                logger.warning("a listener waits for the database", exc_info=True)
                has_ended, events = False, []
            for each in events:
                await connection.put(messages.event(self._topic, each.model_dump(mode="json")))
                self._cursor = each.id
            if len(events) == PAGE:
                continue
            if has_ended:
                connection.finish(closing.COMPLETE)
                return
            pause = SHORTEST if events else min(LONGEST, pause * 2)
            await anyio.sleep(pause)

    async def _look(self, principal: Principal) -> tuple[bool, list[ScanProgress]]:
        """Return whether the scan has ended, and what happened after the cursor."""
        async with installed(self._app, Database).sessions() as session:
            member = await self._bind(session, principal)
            # In this order: what a scan that has ended will ever tell is there when its events are read.
            state = await self._state(session)
            rows = await ScanRepository(session, member.tenant_id).events(self._scan_id, self._cursor, PAGE)
            return state.is_final, [_published(each) for each in rows]

    async def _bind(self, session: AsyncSession, principal: Principal) -> Member:
        """Bind the session to the organisation, and look now and then whether the caller still belongs to it."""
        if self._member is None or time.monotonic() > self._known_until:
            roles = installed(self._app, Tenancy)
            found = Member.of(await as_member(session, principal, roles, self._organisation_id))
            if not found.may(PERMISSION):
                raise Forbidden("Your role does not allow to read scans.")
            self._member = found
            self._known_until = time.monotonic() + installed(self._app, WebSockets).settings.recheck_seconds
        else:
            await bind_setting(session, TENANT, self._member.tenant_id)
        return self._member

    async def _state(self, session: AsyncSession) -> ScanState:
        member = self._member
        if member is None:
            raise LookupError("the session is bound before a scan is looked for")
        return await ScanRepository(session, member.tenant_id).state_of(self._scan_id)


def _published(event: ScanEvent) -> ScanProgress:
    return ScanProgress.model_validate(event)
