"""Clients of several libraries, contexts, and options that mean something else."""

import ssl

import aiohttp
import httpx
import jwt
import requests
from fastapi import FastAPI
from pydantic_settings import BaseSettings
from search import SearchClient


class Settings(BaseSettings):
    debug: bool = False
    check_certificates: bool = True


settings = Settings()
app = FastAPI()
search = SearchClient("https://search.example.com", verify_certs=False)  # finding: tls-verification-disabled (the first of this module)
session = requests.Session()
session.verify = False


def store(row: dict, verify: bool = True) -> None:
    """Keeps a row."""


def trusting_context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def careful_context() -> ssl.SSLContext:
    context = ssl.create_default_context(cafile="ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    return context


@app.get("/rates")
async def rates(token: str) -> str:
    async with httpx.AsyncClient(verify=False, timeout=5) as client:
        answer = await client.get("https://rates.example.com")
    async with aiohttp.ClientSession() as other:
        await other.get("https://rates.example.com", ssl=False)
    store({"rate": answer.text}, verify=False)  # silent: an option of one's own
    jwt.decode(token, "k", algorithms=["HS256"], verify=False)  # silent: another rule's
    return answer.text


@app.get("/health")
def health() -> str:
    requests.get("https://localhost:8443/health", verify=False, timeout=1)  # silent: the same machine
    requests.get("https://rates.example.com", verify=settings.check_certificates, timeout=1)
    if settings.debug:
        requests.get("https://rates.example.com", verify=False, timeout=1)  # silent: under a switch
    return requests.get("https://rates.example.com", verify="ca.pem", timeout=1).text
