"""A credential is demanded by its nature; another header is not."""

from typing import Annotated

from fastapi import FastAPI, Header, HTTPException

app = FastAPI()
KEYS = {"1": "key"}


@app.post("/hooks/{number}")
def hook(number: str, x_session_api_key: Annotated[str | None, Header()]) -> None:
    if KEYS[number] != x_session_api_key:
        raise HTTPException(403)


@app.post("/traces/{number}")
def trace(
    number: str,
    x_request_id: Annotated[str | None, Header()],  # finding: optional-field-required-or-none-mismatch
) -> str:
    return x_request_id or number
