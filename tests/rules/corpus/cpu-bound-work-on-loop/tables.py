"""A form to fill in, whose few cells all stand here; a table of whatever there is."""

from io import BytesIO

import pandas as pd
from fastapi import FastAPI

app = FastAPI()


@app.get("/form")
async def form() -> int:
    rows = [{"Question": "", "Answer": ""}]
    table = pd.DataFrame(rows)
    book = BytesIO()
    table.to_excel(book, index=False)
    return book.tell()


@app.post("/answers")
async def answers(given: dict[str, str]) -> int:
    rows = [{"Question": question, "Answer": answer} for question, answer in given.items()]
    table = pd.DataFrame(rows)
    book = BytesIO()
    table.to_excel(book, index=False)  # finding: cpu-bound-work-on-loop
    return book.tell()
