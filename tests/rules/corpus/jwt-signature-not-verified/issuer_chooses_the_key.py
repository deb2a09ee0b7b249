"""Unverified claims choose the key and nothing else; the token is verified with it afterwards."""

import jwt
from fastapi import FastAPI, Header

KEYS = {"https://login.example.com": "-----BEGIN PUBLIC KEY-----"}
app = FastAPI()


@app.get("/me")
def read_me(token: str = Header()) -> str:
    unverified = jwt.decode(token, options={"verify_signature": False})
    key = KEYS[unverified["iss"]]
    return jwt.decode(token, key, algorithms=["ES256"])["sub"]


@app.get("/expires")
def expires(token: str = Header()) -> int:
    return jwt.decode(token, options={"verify_signature": False})["exp"]


def unverified_claims(token: str) -> dict[str, str]:
    return jwt.decode(token, options={"verify_signature": False})


def all_claims(token: str) -> dict[str, str]:
    return jwt.decode(token, options={"verify_signature": False})  # finding: jwt-signature-not-verified


@app.get("/issuer")
def read_issuer(token: str = Header()) -> str:
    claims = unverified_claims(token)
    return claims["iss"]


@app.get("/subject")
def read_subject(token: str = Header()) -> str:
    claims = all_claims(token)
    return claims["sub"]
