"""No limit of their own, a limit switched off, five minutes for everything, an event that nobody may ever set."""

import asyncio
import smtplib
import urllib.request

import aiohttp
import httpx
import requests
from fastapi import FastAPI

app = FastAPI()
session = requests.Session()
ready = asyncio.Event()


@app.get("/session")
def with_a_session() -> str:
    return session.get("https://books.example").text  # finding: outbound-call-without-timeout


@app.get("/urllib")
def with_urllib() -> bytes:
    with urllib.request.urlopen("https://books.example") as answer:  # finding: outbound-call-without-timeout
        return answer.read()


@app.get("/off")
async def switched_off() -> str:
    async with httpx.AsyncClient(timeout=None) as client:  # finding: outbound-call-without-timeout
        return (await client.get("https://books.example")).text


@app.get("/call")
async def switched_off_in_the_call() -> str:
    async with httpx.AsyncClient() as client:
        answer = await client.get("https://books.example", timeout=None)  # finding: outbound-call-without-timeout
        return answer.text


@app.get("/aiohttp")
async def with_aiohttp() -> str:
    async with aiohttp.ClientSession() as client:  # finding: outbound-call-without-timeout
        async with client.get("https://books.example") as answer:
            return await answer.text()


@app.post("/mail")
def mail() -> None:
    with smtplib.SMTP("mail.example") as server:  # finding: outbound-call-without-timeout
        server.sendmail("shop@example.com", "alice@example.com", "Hello")


@app.get("/ready")
async def wait_until_ready() -> None:
    await ready.wait()  # finding: outbound-call-without-timeout
