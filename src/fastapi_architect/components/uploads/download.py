"""Hands out a file so that no browser runs what is in it."""

import base64
import logging
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from ..problem_details import NotFound
from .models import Upload
from .names import content_disposition

logger = logging.getLogger(__name__)


class Download(StreamingResponse):
    """An upload as an attachment; its file is open only while it is sent.

    Args:
        upload: whose bytes they are.
        file: gives them.
    """

    def __init__(self, upload: Upload, file: AbstractAsyncContextManager[AsyncIterator[bytes]]) -> None:
        digest = base64.b64encode(bytes.fromhex(upload.sha256)).decode()
        headers = {
            "Content-Length": str(upload.size),
            "Content-Disposition": content_disposition(upload.name),
            "X-Content-Type-Options": "nosniff",
            # For browsers that show it all the same: no script, no form, an origin of its own.
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cache-Control": "private, no-store",
            "Repr-Digest": f"sha-256=:{digest}:",
        }
        super().__init__(iter(()), media_type=upload.media_type, headers=headers)
        self._file = file
        self._upload_id = upload.id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it.

        Raises:
            NotFound: the storage has lost it.
        """
        try:
            chunks = await self._file.__aenter__()
        except FileNotFoundError as error:
            logger.exception("the file of an upload is missing", extra={"upload_id": str(self._upload_id)})
            raise NotFound("There is no such upload.") from error
        try:
            self.body_iterator = chunks
            await super().__call__(scope, receive, send)
        finally:
            await self._file.__aexit__(None, None, None)
