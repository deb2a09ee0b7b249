"""A class that dispatches, and one that reads streams of an application that has some."""

from collections.abc import AsyncIterator

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import Response, StreamingResponse
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint

app = FastAPI()


class Limit(BaseHTTPMiddleware):
    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        if int(request.headers.get("content-length", 0)) > 1000:
            raise HTTPException(status_code=413)  # finding: base-http-middleware-hazard
        response = await call_next(request)
        body = b""
        async for chunk in response.body_iterator:  # finding: base-http-middleware-hazard
            body += chunk
        return Response(body, response.status_code)


app.add_middleware(Limit)


async def events() -> AsyncIterator[str]:
    yield "data: 1\n\n"


@app.get("/events")
async def stream() -> StreamingResponse:
    return StreamingResponse(events(), media_type="text/event-stream")
