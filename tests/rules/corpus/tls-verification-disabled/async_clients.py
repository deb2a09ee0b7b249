"""Clients that are made for one request."""

import ssl

import aiohttp
import httpx
from fastapi import FastAPI

app = FastAPI()


@app.get("/rates")
async def rates() -> str:
    async with httpx.AsyncClient(verify=False, timeout=5) as client:  # finding: tls-verification-disabled (and the one below)
        await client.get("https://rates.example.com")
    async with aiohttp.ClientSession() as other:
        return await (await other.get("https://rates.example.com", ssl=False)).text()
