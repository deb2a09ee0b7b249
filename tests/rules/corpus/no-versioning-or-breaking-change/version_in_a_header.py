"""The version is a header, and a small service that never deprecated anything has none."""

from typing import Annotated

from fastapi import FastAPI, Header

app = FastAPI()
small = FastAPI()


@app.get("/orders", deprecated=True)
def orders(api_version: Annotated[str, Header()] = "1") -> str:
    return api_version


@app.get("/purchases")
def purchases() -> list[int]:
    return []


@small.get("/rates")
def rates() -> list[int]:
    return []
