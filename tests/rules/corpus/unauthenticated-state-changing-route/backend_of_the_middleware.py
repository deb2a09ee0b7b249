"""Starlette's middleware asks its backend about every path but two; one of those writes."""

import re
from pathlib import Path

from fastapi import FastAPI, HTTPException, Request
from starlette.authentication import AuthCredentials, AuthenticationBackend, SimpleUser, UnauthenticatedUser
from starlette.middleware.authentication import AuthenticationMiddleware


class Tokens(AuthenticationBackend):
    async def authenticate(self, request: Request):
        path = request.url.path.rstrip("/")
        if path.startswith("/api/open") or re.match(r"^/api/forms/\d+$", path):
            return AuthCredentials([]), UnauthenticatedUser()
        if request.headers.get("Authorization") != "Bearer alice":
            raise HTTPException(status_code=401)
        return AuthCredentials(["authenticated"]), SimpleUser("alice")


app = FastAPI()  # finding: unauthenticated-state-changing-route
app.add_middleware(AuthenticationMiddleware, backend=Tokens())


@app.delete("/api/documents/{number}")
def delete_document(number: int) -> None:
    Path(str(number)).unlink()


@app.get("/api/documents")
def list_documents() -> list[str]:
    return []


@app.post("/api/open/notes")
def write_note(text: str) -> None:
    Path("note.txt").write_text(text)
