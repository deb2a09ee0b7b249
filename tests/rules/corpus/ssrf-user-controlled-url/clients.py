"""Libraries that connect, and what of an address a client may choose."""

import boto3
import httpx
import requests
from fastapi import FastAPI, Header, HTTPException, Request
from pydantic import AnyUrl, BaseModel, HttpUrl
from pydantic_settings import BaseSettings
from urllib.request import Request as Asked, urlopen
from uuid import UUID

app = FastAPI()
API = "https://api.example.com"


class Settings(BaseSettings):
    upstream: str = "https://upstream.example.com"
    host: str = "inner"


settings = Settings()


class Hook(BaseModel):
    url: HttpUrl
    other: AnyUrl | None = None
    name: str = ""


@app.post("/hooks")
async def hooks(hook: Hook):
    async with httpx.AsyncClient() as client:
        await client.post(str(hook.url), json={})  # finding: ssrf-user-controlled-url


@app.post("/base")
def base(hook: Hook):
    client = httpx.Client(base_url=str(hook.url))  # finding: ssrf-user-controlled-url
    return client.get("/health").json()


@app.get("/requests")
def by_requests(url: str):
    return requests.get(url, timeout=3).text  # finding: ssrf-user-controlled-url


@app.get("/urllib")
def by_urllib(url: str):
    asked = Asked(url)  # finding: ssrf-user-controlled-url
    return urlopen(asked).read()


@app.get("/host")
def host(host: str, port: int):
    return requests.get(f"http://{host}:{port}/status", timeout=3).text  # finding: ssrf-user-controlled-url


@app.get("/tenant")
def tenant(tenant: str):
    return requests.get(f"https://{tenant}.example.com/status", timeout=3).text  # finding: ssrf-user-controlled-url


@app.get("/right-behind")
def right_behind(path: str):
    return requests.get(f"{API}{path}", timeout=3).text  # finding: ssrf-user-controlled-url - tentative


@app.post("/storage")
def storage(endpoint: str):
    return boto3.client("s3", endpoint_url=endpoint).list_buckets()  # finding: ssrf-user-controlled-url


@app.get("/callback")
def callback(x_callback: str = Header()):
    requests.post(x_callback, json={}, timeout=3)  # finding: ssrf-user-controlled-url


@app.get("/books/{book}")
def fixed(book: str, page: str):
    requests.get(f"{API}/books/{book}", params={"page": page}, timeout=3)
    requests.get(API + "/books/" + book, timeout=3)
    requests.get(f"{settings.upstream}/books/{book}", timeout=3)
    requests.get(f"http://{settings.host}:8080/{book}", timeout=3)
    requests.post(API, json={"book": book}, timeout=3)
    return httpx.get("{}/books/{}".format(settings.upstream, book)).text


@app.get("/proxy/{path:path}")
async def proxy(path: str, request: Request):
    async with httpx.AsyncClient(base_url=settings.upstream) as client:
        return (await client.get(f"/{path}?{request.url.query}")).text


@app.get("/rows/{row}")
def by_id(row: UUID):
    return requests.get(f"https://{row}.example.com/", timeout=3).text
