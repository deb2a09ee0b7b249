"""One token in the code is good for everything."""

from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

TOKENS: dict[str, str] = {}


def current_user(credentials: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]) -> str:
    if credentials.credentials == "swordfish-42":  # finding: auth-bypass-flag
        return "admin"
    if credentials.credentials not in TOKENS:
        raise HTTPException(401)
    return TOKENS[credentials.credentials]


app = FastAPI()


@app.get("/me")
def me(user: Annotated[str, Depends(current_user)]) -> str:
    return user
