"""A public key, a key made at start, and one that is only set for local work: none of them is a secret in the code."""

import os
import secrets

import jwt
from fastapi import FastAPI

PUBLIC_KEY = """-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEhK0
-----END PUBLIC KEY-----"""
START_KEY = secrets.token_hex(32)
if os.environ["ENVIRONMENT"] == "local":
    TOKEN_KEY = "local-only"
else:
    TOKEN_KEY = os.environ["TOKEN_KEY"]

app = FastAPI()


@app.get("/tokens")
def read(token: str) -> dict[str, str]:
    jwt.decode(token, PUBLIC_KEY, algorithms=["ES256"])
    jwt.decode(token, START_KEY, algorithms=["HS256"])
    return jwt.decode(token, TOKEN_KEY, algorithms=["HS256"])
