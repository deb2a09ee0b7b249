"""Fallbacks of the environment, written in three ways."""

import os

import jwt
from cryptography.fernet import Fernet
from fastapi import FastAPI
from starlette.middleware.sessions import SessionMiddleware

TOKEN_KEY = os.getenv("TOKEN_KEY") or "b7d2f19c33"  # finding: hardcoded-signing-secret
SESSION_KEY = os.environ.get("SESSION_KEY", "5e1f0c9a77")  # finding: hardcoded-signing-secret
FILE_KEY = os.environ["FILE_KEY"]

app = FastAPI()
app.add_middleware(SessionMiddleware, secret_key=SESSION_KEY)
files = Fernet(FILE_KEY.encode())


def sign(claims: dict[str, str], key: str = TOKEN_KEY) -> str:
    return jwt.encode(claims, key, algorithm="HS256")
