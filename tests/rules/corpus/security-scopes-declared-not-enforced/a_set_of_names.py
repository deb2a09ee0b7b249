"""The scopes are kept in a name first and compared later."""

from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Security
from fastapi.security import OAuth2PasswordBearer, SecurityScopes

scheme = OAuth2PasswordBearer(tokenUrl="token")


def current_user(security_scopes: SecurityScopes, token: Annotated[str, Depends(scheme)]) -> str:
    needed = set(security_scopes.scopes)
    if needed - {"items:read"}:
        raise HTTPException(403)
    return "alice"


app = FastAPI()


@app.get("/items")
def list_items(user: Annotated[str, Security(current_user, scopes=["items:read"])]) -> list[str]:
    return []
