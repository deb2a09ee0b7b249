"""A missing key is expected and answered, and a default is given for it."""

from typing import Any

from fastapi import FastAPI, HTTPException

app = FastAPI()


@app.post("/a")
def answered(payload: dict[str, Any]) -> str:
    try:
        return str(payload["name"])
    except KeyError as error:
        raise HTTPException(422) from error


@app.post("/b")
def default(payload: dict[str, Any]) -> str:
    return str(payload.get("name", "nobody"))
