"""An operation is on its way out, and there is no version for its successor."""

from fastapi import FastAPI

app = FastAPI()  # finding: no-versioning-or-breaking-change


@app.get("/orders", deprecated=True)
def orders() -> list[int]:
    return []


@app.get("/purchases")
def purchases() -> list[int]:
    return []
