"""Address and proxy come with the request or belong to a provider; a header of the request makes no other client."""

import httpx
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()


class Trial(BaseModel):
    address: str
    proxy: str | None = None


class Provider(BaseModel):
    address: str


@app.post("/trials")
async def attempt(trial: Trial) -> int:
    address, _, _ = trial.address.partition("?")
    async with httpx.AsyncClient(base_url=address, proxy=trial.proxy) as client:
        return (await client.get("/")).status_code


async def models_of(provider: Provider) -> str:
    async with httpx.AsyncClient(base_url=provider.address) as client:
        return (await client.get("/models")).text


@app.get("/providers/{name}/models")
async def models(name: str) -> str:
    return await models_of(Provider(address="https://models.example"))


@app.get("/books")
async def books(language: str) -> str:
    headers = {"Accept-Language": language}
    async with httpx.AsyncClient(headers=headers) as client:  # finding: client-created-per-request
        return (await client.get("https://books.example")).text
