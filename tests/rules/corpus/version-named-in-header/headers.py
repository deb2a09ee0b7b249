"""Products with versions in headers of every answer; versions of the API itself and headers of requests are silent."""

import platform

import httpx
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

VERSION = "2.4.0"
app = FastAPI()


@app.middleware("http")
async def add_headers(request: Request, call_next):
    response = await call_next(request)
    response.headers["Server"] = f"shop on Python {platform.python_version()}"  # finding: version-named-in-header
    response.headers["X-Api-Version"] = VERSION  # silent: the API's own
    return response


@app.get("/health")
def health() -> JSONResponse:
    return JSONResponse({"ok": True}, headers={"X-Powered-By": "FastAPI/0.103.0"})  # finding: version-named-in-header


@app.get("/quiet")
def quiet(response: Response) -> None:
    response.headers["Server"] = "shop"  # silent: no version, no product


@app.get("/rates")
def rates() -> str:
    return httpx.get("https://rates.example.com", headers={"User-Agent": "Python 3.12"}, timeout=5).text
