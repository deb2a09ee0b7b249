"""The socket of one scan."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, WebSocket

from fastapi_architect.components.service import public
from fastapi_architect.components.websockets import AdmissionDep, WebSocketsDep

from ..scans.dependencies import ScanId
from .feed import ScanFeed

router = APIRouter()


@router.websocket("/scans/{scan_id}/live")
@public
async def listen(
    websocket: WebSocket,
    scan_id: ScanId,
    admission: AdmissionDep,
    websockets: WebSocketsDep,
    since: Annotated[int, Query(ge=0, le=2**63 - 1, description="The last `id` that was seen.")] = 0,
    organisation_id: Annotated[
        UUID | None, Query(description="For which organisation, if the caller belongs to several.")
    ] = None,
) -> None:
    """Tell what happens to a scan: what `GET /scans/{scan_id}/events` returns after `since`, and then whatever comes, until it has ended.

    A page brings a ticket (`POST /websockets/tickets`), a program its credentials; both may resume with the last `id` at any time.
    """
    feed = ScanFeed(websocket.app, scan_id, since, organisation_id)
    refusal = await feed.begin(admission.principal())
    if refusal is not None:
        await websockets.refuse(websocket, refusal)
        return
    await websockets.attend(websocket, admission, feed)
