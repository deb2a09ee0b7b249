"""A session that trusts everybody for all of its requests."""

import ssl

import requests
from fastapi import FastAPI

app = FastAPI()

session = requests.Session()
session.verify = False  # finding: tls-verification-disabled


@app.get("/rates")
def rates() -> str:
    return session.get("https://rates.example.com", timeout=5).text
