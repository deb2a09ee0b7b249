"""Other blocking clients, a client made elsewhere, and a generator that streams."""

import smtplib
import urllib.request
from collections.abc import AsyncIterator

import httpx
import requests
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

app = FastAPI()
session = requests.Session()


@app.get("/session")
async def with_a_session() -> str:
    return session.get("https://books.example", timeout=3).text  # finding: blocking-http-in-async


@app.get("/urllib")
async def with_urllib() -> bytes:
    with urllib.request.urlopen("https://books.example", timeout=3) as answer:  # finding: blocking-http-in-async
        return answer.read()


@app.post("/mail")
async def mail() -> None:
    with smtplib.SMTP("mail.example") as server:  # finding: blocking-http-in-async
        server.sendmail("shop@example.com", "alice@example.com", "Hello")


async def parts() -> AsyncIterator[bytes]:
    with httpx.Client() as client:
        yield client.get("https://books.example/1").content  # finding: blocking-http-in-async


@app.get("/stream")
async def stream() -> StreamingResponse:
    return StreamingResponse(parts())


def verified(token: str) -> str:
    return token


async def helper() -> str:
    return requests.get("https://books.example", timeout=3).text  # finding: blocking-http-in-async


@app.get("/helper")
async def through_a_coroutine() -> str:
    return await helper()
