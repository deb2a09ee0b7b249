"""Middleware tests every caller but of three exact paths; no dependency shows it."""

from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.middleware.base import BaseHTTPMiddleware

PUBLIC = {"/health", "/docs", "/openapi.json"}


class TokenMiddleware(BaseHTTPMiddleware):
    async def dispatch(self, request: Request, call_next):
        if request.url.path in PUBLIC:
            return await call_next(request)
        token = request.headers.get("Authorization")
        if token != "Bearer t":
            return JSONResponse({"detail": "not authenticated"}, status_code=401)
        return await call_next(request)


app = FastAPI()
app.add_middleware(TokenMiddleware)


@app.post("/notes")
def write_note(text: str) -> None:
    Path("note.txt").write_text(text)


@app.get("/health")
def health() -> str:
    return "ok"
