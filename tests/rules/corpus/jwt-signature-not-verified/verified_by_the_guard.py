"""A sign-out reads the claims of the very token that its guard has verified; another token is nobody's word."""

from typing import Annotated

import jwt
from fastapi import Depends, FastAPI, Header, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, OAuth2PasswordBearer

KEY = "a key of more than thirty-two characters"
bearer = HTTPBearer()
scheme = OAuth2PasswordBearer(tokenUrl="token")
app = FastAPI()
revoked: set[str] = set()


def claims_of(token: str) -> dict[str, str]:
    return jwt.decode(token, KEY, algorithms=["HS256"])


def current_user(credentials: Annotated[HTTPAuthorizationCredentials, Depends(bearer)]) -> str:
    try:
        return claims_of(credentials.credentials)["sub"]
    except jwt.PyJWTError:
        raise HTTPException(401) from None


def any_user(authorization: Annotated[str, Header()]) -> str:
    if authorization not in ("Bearer alice", "Bearer bob"):
        raise HTTPException(401)
    return authorization


@app.post("/logout")
def log_out(request: Request, user: Annotated[str, Depends(current_user)]) -> str:
    header = request.headers.get("Authorization") or ""
    _, _, raw = header.partition(" ")
    token = raw.strip()
    payload = jwt.decode(token, options={"verify_signature": False})
    revoked.add(payload["jti"])
    return user


@app.post("/logout/everywhere")
def log_out_everywhere(
    token: Annotated[str, Depends(scheme)], user: Annotated[str, Depends(current_user)]
) -> str:
    payload = jwt.decode(token, options={"verify_signature": False})
    revoked.add(payload["family"])
    return user


@app.post("/delegate")
def delegate(request: Request, user: Annotated[str, Depends(current_user)]) -> str:
    token = request.headers["X-Actor-Token"]
    payload = jwt.decode(token, options={"verify_signature": False})  # finding: jwt-signature-not-verified
    return payload["sub"]


@app.post("/link")
def link(id_token: str, user: Annotated[str, Depends(current_user)]) -> str:
    payload = jwt.decode(id_token, options={"verify_signature": False})  # finding: jwt-signature-not-verified
    return payload["email"]


@app.get("/roles")
def read_roles(request: Request, user: Annotated[str, Depends(any_user)]) -> str:
    token = request.headers["Authorization"].removeprefix("Bearer ")
    payload = jwt.decode(token, options={"verify_signature": False})  # finding: jwt-signature-not-verified
    return payload["role"]
