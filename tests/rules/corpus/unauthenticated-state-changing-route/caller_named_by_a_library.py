"""A library says who is calling, or that nobody is: the handler that refuses nobody asks, the one that does not care does not."""

from pathlib import Path
from typing import Annotated, Any

import company_login
from fastapi import Depends, FastAPI, Header, HTTPException

login = company_login.Login(auto_error=False)
Caller = Annotated[Any, Depends(login.get_user)]
NOTES = Path("notes")
app = FastAPI()


def known(authorization: Annotated[str | None, Header()] = None) -> str:
    if authorization != "Bearer alice":
        raise HTTPException(401)
    return "alice"


@app.get("/notes", dependencies=[Depends(known)])
def list_notes() -> list[str]:
    return sorted(path.name for path in NOTES.glob("*"))


@app.post("/notes/{note_id}")
def write_note(note_id: int, text: str, user: Caller) -> str:
    if user is None:
        raise HTTPException(403, "Who are you?")
    (NOTES / str(note_id)).write_text(text)
    return "written"


@app.post("/drafts/{note_id}")
def write_draft(note_id: int, text: str, user: Caller) -> str:  # finding: unauthenticated-state-changing-route
    (NOTES / str(note_id)).write_text(f"{user}: {text}")
    return "written"
