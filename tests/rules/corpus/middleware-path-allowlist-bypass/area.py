"""The condition names what is guarded, not what is open; and numbers cannot hold a word."""

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

app = FastAPI()


@app.middleware("http")
async def require_key(request: Request, call_next):
    path = request.url.path
    if path.startswith("/internal/") or path.endswith(".csv"):
        if request.headers.get("X-API-Key") != "k":
            return JSONResponse({}, status_code=401)
    return await call_next(request)


@app.get("/internal/costs")
def costs() -> int:
    return 1


@app.get("/catalogue/{number}")
def catalogue(number: int) -> int:
    return number
