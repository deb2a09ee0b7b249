"""Tests on what a browser would make of an address hold for the address; tests on something else do not."""

from urllib.parse import urlparse

from fastapi import FastAPI
from fastapi.responses import RedirectResponse
from fastapi_users.jwt import decode_jwt

app = FastAPI()


class Database:
    def address_of(self, code: str) -> str:
        return f"https://login.example.com/{code}"


def safe(target: str) -> str:
    target = target.strip()
    normalised = target.replace("\\", "/")
    if not normalised.startswith("/") or normalised.startswith("//"):
        return "/"
    parsed = urlparse(normalised)
    if parsed.scheme or parsed.netloc:
        return "/"
    return target


def unsafe(target: str) -> str:
    shown = target.replace("https://", "/")
    if not shown.startswith("/") or shown.startswith("//"):
        return "/"
    return target


@app.get("/safe")
def to_safe(target: str):
    return RedirectResponse(safe(target))


@app.get("/unsafe")
def to_unsafe(target: str):
    return RedirectResponse(unsafe(target))  # finding: open-redirect


@app.get("/signed")
def signed(state: str):
    return RedirectResponse(decode_jwt(state, "secret", ["login"])["next"])


@app.get("/injected")
def injected(database: Database, code: str):
    return RedirectResponse(database.address_of(code))
