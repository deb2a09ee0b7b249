"""A host guard belongs outside: nobody who asked for this service is refused; a key is another matter."""

from fastapi import FastAPI, Request, Response
from fastapi.middleware.cors import CORSMiddleware
from fastapi.middleware.trustedhost import TrustedHostMiddleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint


class Host(BaseHTTPMiddleware):
    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        if request.headers.get("host") != "shop.example":
            return Response(status_code=400)
        return await call_next(request)


class Key(BaseHTTPMiddleware):
    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        if "X-Key" not in request.headers:
            return Response(status_code=401)
        return await call_next(request)


app = FastAPI()
app.add_middleware(CORSMiddleware, allow_origins=["https://shop.example"])
app.add_middleware(TrustedHostMiddleware, allowed_hosts=["shop.example"])

other = FastAPI()
other.add_middleware(CORSMiddleware, allow_origins=["https://shop.example"])
other.add_middleware(Host)

keyed = FastAPI()
keyed.add_middleware(CORSMiddleware, allow_origins=["https://shop.example"])  # finding: cors-or-error-middleware-order
keyed.add_middleware(TrustedHostMiddleware, allowed_hosts=["shop.example"])
keyed.add_middleware(Key)
