"""The only cookie stays on its own site: minor, but the star still stands there."""

from typing import Annotated

from fastapi import Cookie, Depends, FastAPI, Response
from fastapi.middleware.cors import CORSMiddleware
from fastapi.security import HTTPBearer

app = FastAPI()
app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_credentials=True)  # finding: cors-wildcard-with-credentials


@app.post("/login")
def log_in(response: Response) -> None:
    response.set_cookie("refresh_token", "s3cret", httponly=True, samesite="strict")


@app.post("/refresh")
def refresh(refresh_token: Annotated[str | None, Cookie()] = None) -> bool:
    return refresh_token is not None


@app.get("/me", dependencies=[Depends(HTTPBearer())])
def read_me() -> str:
    return "me"
