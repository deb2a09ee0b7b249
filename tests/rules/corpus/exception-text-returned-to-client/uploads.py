"""A file that was sent and does not parse: its text is feedback, also through a helper that reads it. Files of the server are not."""

import csv
import io
import json
from pathlib import Path
from typing import Any

from fastapi import FastAPI, HTTPException, UploadFile

app = FastAPI()


async def rows_of(file: Any) -> list[dict[str, str]]:
    text = (await file.read()).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


async def stored(file: Any) -> str:
    text = (await file.read()).decode()
    return Path("/srv/notes").joinpath(text).read_text()


@app.post("/tables")
async def table(file: UploadFile) -> int:
    try:
        rows = await rows_of(file)
    except Exception as exc:
        raise HTTPException(400, f"This is no CSV file: {exc}") from exc
    return len(rows)


@app.post("/documents")
async def document(file: UploadFile) -> int:
    try:
        found = json.loads(await file.read())
    except Exception as exc:
        raise HTTPException(400, f"This is no JSON file: {exc}") from exc
    return len(found)


@app.post("/notes")
async def note(file: UploadFile) -> str:
    try:
        return await stored(file)
    except Exception as exc:
        raise HTTPException(400, f"There is no such note: {exc}") from exc  # finding: exception-text-returned-to-client
