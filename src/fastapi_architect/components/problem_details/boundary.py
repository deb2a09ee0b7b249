"""Answers the errors that middleware raises, and those that nobody foresaw."""

import inspect
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .handlers import unexpected_error


class ErrorBoundaryMiddleware:
    """Ends an error where the components outside of it can still add their headers.

    Starlette's last resort stands outside of all middleware: a browser could not read its answer for lack of CORS headers.
    And its handlers stand inside of all middleware: a refusal that middleware raises would be an error of ours.
    """

    def __init__(self, app: ASGIApp, application: FastAPI, answered: type[Exception] = Exception) -> None:
        self.app = app
        self.application = application
        self.answered = answered

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def send_and_remember(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, send_and_remember)
        except self.answered as error:
            # Half an answer cannot be taken back: the server has to cut the connection.
            if started:
                raise
            answer = await self._answer(Request(scope, receive), error)
            if answer is not None:
                await answer(scope, receive, send)

    async def _answer(self, request: Request, error: Exception) -> Response | None:
        handler = self._handler(error)
        answer: Response | None
        if inspect.iscoroutinefunction(handler):
            answer = await handler(request, error)
        else:
            answer = await run_in_threadpool(handler, request, error)
        return answer

    def _handler(self, error: Exception) -> Callable[..., Any]:
        known = self.application.exception_handlers
        mine = (kind for kind in type(error).__mro__ if kind is not Exception and kind in known)
        return next((known[kind] for kind in mine), unexpected_error)
