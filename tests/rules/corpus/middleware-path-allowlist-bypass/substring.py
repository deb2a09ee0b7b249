"""Free text in a path holds what the middleware looks for anywhere in it."""

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.middleware.base import BaseHTTPMiddleware


class Sessions(BaseHTTPMiddleware):
    async def dispatch(self, request: Request, call_next):
        path = request.url.path
        if "favicon" in path:  # finding: middleware-path-allowlist-bypass
            return await call_next(request)
        if request.cookies.get("session") != "s":
            return JSONResponse({}, status_code=401)
        return await call_next(request)


app = FastAPI()
app.add_middleware(Sessions)


@app.get("/invoices/{customer}")
def list_invoices(customer: str) -> list[str]:
    return [customer]
