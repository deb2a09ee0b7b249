"""Starlette's own sessions: the cookie goes over plain HTTP unless it is told not to."""

from fastapi import FastAPI
from starlette.middleware.sessions import SessionMiddleware

app = FastAPI()
app.add_middleware(SessionMiddleware, secret_key="k", same_site="none", https_only=True)  # finding: insecure-session-cookie
other = FastAPI()
other.add_middleware(SessionMiddleware, secret_key="k")  # finding: insecure-session-cookie
