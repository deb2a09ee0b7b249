"""A command-line client's key of the service it calls is no secret of a server, even where other code compares a `key`."""

import os

from fastapi import FastAPI, Header, HTTPException

app = FastAPI()


def client() -> str:
    key = os.getenv("SHOP_API_KEY", "PLACEHOLDER")  # finding: placeholder-or-weak-secret-default (tentative: it is sent)
    if key != "PLACEHOLDER":
        print("set SHOP_URL, too")
    return key


def is_new(key: str, other: str) -> bool:
    return key != other


@app.get("/reports")
def reports(x_token: str = Header()) -> str:
    key = os.getenv("REPORTS_API_KEY", "change-me")  # finding: placeholder-or-weak-secret-default
    if x_token != key:
        raise HTTPException(401)
    return "welcome"
