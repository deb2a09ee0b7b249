"""Middleware tests callers of /admin only; the write under /reports is open to everybody."""

from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException, Request
from fastapi.responses import JSONResponse
from pathlib import Path

app = FastAPI()


@app.middleware("http")
async def require_key(request: Request, call_next):
    if request.url.path.startswith("/admin/") and request.headers.get("X-API-Key") != "k":
        return JSONResponse({"detail": "no"}, status_code=401)
    return await call_next(request)


def current_user(authorization: Annotated[str | None, Header()] = None) -> str:
    if authorization is None:
        raise HTTPException(401)
    return authorization


@app.get("/me")
def read_me(user: Annotated[str, Depends(current_user)]) -> str:
    return user


@app.post("/admin/flush")
def flush() -> None:
    Path("cache.txt").write_text("")


@app.put("/reports/{number}")
def store_report(number: int, text: str) -> None:  # finding: unauthenticated-state-changing-route
    Path(f"{number}.txt").write_text(text)
