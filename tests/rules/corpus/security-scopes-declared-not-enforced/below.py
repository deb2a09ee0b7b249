"""The function that compares them stands further down, or is handed the scopes."""

from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Security
from fastapi.security import OAuth2PasswordBearer, SecurityScopes

scheme = OAuth2PasswordBearer(tokenUrl="token")


def compare(token: str, wanted: SecurityScopes) -> None:
    if not set(wanted.scopes) <= {"items:read"}:
        raise HTTPException(403)


def token_with_scopes(security_scopes: SecurityScopes, token: Annotated[str, Depends(scheme)]) -> str:
    compare(token, security_scopes)
    return token


def current_user(token: Annotated[str, Depends(token_with_scopes)]) -> str:
    return "alice"


app = FastAPI()


@app.get("/items")
def list_items(user: Annotated[str, Security(current_user, scopes=["items:read"])]) -> list[str]:
    return []
