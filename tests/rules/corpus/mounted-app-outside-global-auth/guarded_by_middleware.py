"""Middleware of the outer application sees requests for the mounted one."""

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

app = FastAPI()
inner = FastAPI()


@app.middleware("http")
async def require_key(request: Request, call_next):
    if request.headers.get("X-API-Key") != "k":
        return JSONResponse({}, status_code=401)
    return await call_next(request)


@app.get("/orders")
def list_orders() -> list[str]:
    return []


@inner.get("/revenue")
def revenue() -> int:
    return 1


app.mount("/reports", inner)
