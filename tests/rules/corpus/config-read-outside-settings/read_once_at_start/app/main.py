"""Everything from the environment comes through `config`; what else is read is the platform's, or a script's."""

import os

from fastapi import FastAPI

from app import config

app = FastAPI(title=config.TITLE)


@app.get("/")
def read() -> dict[str, str | None]:
    return {"sender": config.sender(), "host": os.environ.get("HOSTNAME")}  # silent: which machine answers


@app.get("/answers")
def answers() -> str:
    return "see http://localhost:8001/docs"  # silent: text, no call
