"""CORS is added last, behind a middleware that refuses."""

from fastapi import FastAPI, Request, Response
from fastapi.middleware.cors import CORSMiddleware
from fastapi.middleware.trustedhost import TrustedHostMiddleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint


class Key(BaseHTTPMiddleware):
    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        if "X-Key" not in request.headers:
            return Response(status_code=401)
        return await call_next(request)


app = FastAPI()
app.add_middleware(Key)
app.add_middleware(TrustedHostMiddleware, allowed_hosts=["shop.example"])
app.add_middleware(CORSMiddleware, allow_origins=["https://shop.example"])
