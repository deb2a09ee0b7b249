"""The scopes are looked at for a header's text only."""

from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Security
from fastapi.security import OAuth2PasswordBearer, SecurityScopes

scheme = OAuth2PasswordBearer(tokenUrl="token")


def current_user(security_scopes: SecurityScopes, token: Annotated[str, Depends(scheme)]) -> str:  # finding: security-scopes-declared-not-enforced
    if token != "t":
        raise HTTPException(401, headers={"WWW-Authenticate": f'Bearer scope="{security_scopes.scope_str}"'})
    return "alice"


app = FastAPI()


@app.get("/items")
def list_items(user: Annotated[str, Security(current_user, scopes=["items:read"])]) -> list[str]:
    return []
