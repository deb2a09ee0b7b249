"""A token that was just made is its maker's word, and claims in a log line decide nothing."""

import base64
import json
import logging

import jwt
from fastapi import FastAPI

app = FastAPI()
logger = logging.getLogger(__name__)
KEY = "a key of more than thirty-two characters"


def create_token(user: str) -> str:
    return jwt.encode({"sub": user}, KEY, algorithm="HS256")


def parts_of(token: str) -> dict[str, str]:
    return jwt.decode(token, options={"verify_signature": False})


@app.post("/tokens")
def start(user: str) -> dict[str, str]:
    token = create_token(user)
    return parts_of(token)


@app.post("/refusals")
def refuse(token: str) -> None:
    claims = jwt.decode(token, options={"verify_signature": False})
    subject = claims.get("sub")
    logger.warning("refused: %s", subject)


@app.post("/cookies")
def keep(token: str) -> None:
    payload = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    subject = payload.get("sub", "")
    logger.info("a large cookie of %s", subject)


@app.get("/profile")
def profile(token: str) -> str:
    claims = jwt.decode(token, options={"verify_signature": False})  # finding: jwt-signature-not-verified
    subject = claims["sub"]
    logger.info("profile of %s", subject)
    return subject


async def sign_in(user: str) -> str | None:
    if not user:
        return None
    return create_token(user)


async def pass_on(user: str, token: str) -> str | None:
    return create_token(user) if user else token


@app.post("/sign-in")
async def signed_in(user: str) -> str:
    token = await sign_in(user)
    return jwt.decode(token, options={"verify_signature": False})["sub"]


@app.post("/passed-on")
async def passed_on(user: str, token: str) -> str:
    passed = await pass_on(user, token)
    return jwt.decode(passed, options={"verify_signature": False})["sub"]  # finding: jwt-signature-not-verified
