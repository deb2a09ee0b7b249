"""What slips past the middleware is stopped by a dependency; and a prefix that ends with a slash is one area."""

from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException, Request
from fastapi.responses import JSONResponse

app = FastAPI()


@app.middleware("http")
async def require_key(request: Request, call_next):
    if request.url.path.startswith(("/shop", "/assets/")):
        return await call_next(request)
    if request.headers.get("X-API-Key") != "k":
        return JSONResponse({}, status_code=401)
    return await call_next(request)


def owner(authorization: Annotated[str, Header()]) -> str:
    if authorization != "Bearer o":
        raise HTTPException(401)
    return "owner"


@app.get("/shopkeeper/takings")
def takings(user: Annotated[str, Depends(owner)]) -> int:
    return 1


@app.get("/shop")
def shop() -> str:
    return "open"


@app.get("/assets/{name}")
def asset(name: str) -> str:
    return name
