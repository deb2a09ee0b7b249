"""A strategy fetches the page that it was made for: the user's in one class, always the same host in the other."""

import httpx
from fastapi import FastAPI

app = FastAPI()


async def fetch_page(url: str) -> str:
    async with httpx.AsyncClient(timeout=5) as client:
        return (await client.get(url)).text


async def fetch_rates(url: str) -> str:
    async with httpx.AsyncClient(timeout=5) as client:  # finding: client-created-per-request
        return (await client.get(url)).text


class Scraper:
    def __init__(self, url: str) -> None:
        self.url = url

    async def read(self) -> str:
        return await fetch_page(self.url)


class Rates:
    def __init__(self, url: str) -> None:
        self.url = url

    async def read(self) -> str:
        return await fetch_rates(self.url)


SCRAPERS: list[type[Scraper]] = [Scraper]


@app.post("/recipes")
async def import_recipe(url: str) -> str:
    first = await fetch_page(url)
    for kind in SCRAPERS:
        return await kind(url).read()
    return first


@app.get("/rates")
async def read_rates() -> str:
    return await Rates("https://rates.example/today").read()
