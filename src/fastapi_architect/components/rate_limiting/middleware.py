"""The limit of the whole application, and the fields of every answer."""

from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..problem_details import ServiceError
from ..problem_details.problem import ProblemResponse
from .header_fields import rate_limit_fields
from .limiter import PolicyLevel, policy_levels

if TYPE_CHECKING:
    from .component import RateLimiting

#: Of a websocket that is refused: try again later.
_TRY_AGAIN_LATER = 1013


class RateLimitMiddleware:
    """Counts each request of a client before anything is read or looked up, also those that no route answers.

    Args:
        app: what it stands before.
        rate_limiting: the component.
    """

    def __init__(self, app: ASGIApp, rate_limiting: "RateLimiting") -> None:
        self._app = app
        self._rate_limiting = rate_limiting

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve, or refuse."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        # Applications mounted below have a state of their own; the scope reaches them.
        scope["rate_limiting"] = self._rate_limiting
        levels: list[PolicyLevel] = []
        token = policy_levels.set(levels)

        async def send_with_fields(message: Message) -> None:
            if levels and message["type"] in ("http.response.start", "websocket.http.response.start"):
                message = {**message, "headers": [*message.get("headers", ()), *rate_limit_fields(levels)]}
            await send(message)

        try:
            await self._rate_limiting.count_request(scope)
        except ServiceError as error:
            await _refuse(error, scope, receive, send_with_fields)
        else:
            await self._app(scope, receive, send_with_fields)
        finally:
            policy_levels.reset(token)


async def _refuse(error: ServiceError, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket" and "websocket.http.response" not in scope.get("extensions", {}):
        await receive()
        await send({"type": "websocket.close", "code": _TRY_AGAIN_LATER, "reason": ""})
        return
    response = ProblemResponse(
        error.status,
        error.detail,
        headers=error.headers,
        type=error.type,
        title=error.title,
        extensions=error.extensions,
    )
    await response(scope, receive, send)
