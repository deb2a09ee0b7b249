"""`Cache-Control` of answers that somebody had to sign in for, and of others."""

from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Response
from fastapi.responses import JSONResponse
from fastapi.security import HTTPBearer

bearer = HTTPBearer()
app = FastAPI()


def current_user(token: Annotated[object, Depends(bearer)]) -> str:
    if token.credentials != "t":
        raise HTTPException(401)
    return "alice"


UserDep = Annotated[str, Depends(current_user)]


@app.get("/profile")
def profile(user: UserDep, response: Response) -> dict:
    response.headers["Cache-Control"] = "public, max-age=60"  # finding: shared-cache-of-private-response
    return {"name": str(user)}


@app.get("/bill")
def bill(user: UserDep) -> JSONResponse:
    return JSONResponse({"name": str(user)}, headers={"cache-control": "s-maxage=60"})  # finding: shared-cache-of-private-response


@app.get("/inbox")
def inbox(user: UserDep, response: Response) -> dict:
    response.headers["Cache-Control"] = "private, max-age=60"  # silent: only the caller's browser
    return {"name": str(user)}


@app.get("/prices")
def prices(response: Response) -> dict:
    response.headers["Cache-Control"] = "public, max-age=60"  # silent: for everybody
    return {"tea": 1}
