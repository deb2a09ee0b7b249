"""Prefixes in a list: /doc was meant, and /documents begins alike."""

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

OPEN = ["/doc", "/health"]
app = FastAPI()


@app.middleware("http")
async def require_key(request: Request, call_next):
    if any(request.url.path.startswith(prefix) for prefix in OPEN):  # finding: middleware-path-allowlist-bypass
        return await call_next(request)
    if request.headers.get("X-API-Key") != "k":
        return JSONResponse({}, status_code=401)
    return await call_next(request)


@app.get("/documents")
def list_documents() -> list[str]:
    return []


@app.get("/health")
def health() -> str:
    return "ok"
