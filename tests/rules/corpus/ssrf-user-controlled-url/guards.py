"""Checks on the way; `tests/dataflow/test_guards_hosts.py` has them all."""

import ipaddress
import socket
from typing import Literal
from urllib.parse import urlparse

import requests
from fastapi import Depends, FastAPI, HTTPException

app = FastAPI()
ALLOWED = {"example.com", "example.org"}


def allowed(url: str) -> str:
    if urlparse(url).hostname not in ALLOWED:
        raise HTTPException(400)
    return url


def named(url: str) -> str:
    if "example.com" not in url:
        raise HTTPException(400)
    return url


def is_public(url: str) -> bool:
    host = urlparse(url).hostname or ""
    try:
        found = socket.getaddrinfo(host, None)
    except OSError:
        return False
    return all(ipaddress.ip_address(each[4][0]).is_global for each in found)


@app.get("/allowed")
def by_list(url: str = Depends(allowed)):
    return requests.get(url, timeout=3).text


@app.get("/named")
def by_text(url: str = Depends(named)):
    return requests.get(url, timeout=3).text  # finding: ssrf-user-controlled-url


@app.get("/public")
def public(url: str):
    if not is_public(url):
        raise HTTPException(400)
    return requests.get(url, timeout=3).text


@app.get("/scheme")
def scheme(url: str):
    if not url.startswith(("http://", "https://")):
        raise HTTPException(400)
    return requests.get(url, timeout=3).text  # finding: ssrf-user-controlled-url


@app.get("/beginning")
def beginning(url: str):
    if not url.startswith("https://example.com"):
        raise HTTPException(400)
    return requests.get(url, timeout=3).text  # finding: ssrf-user-controlled-url - tentative


@app.get("/denied")
def denied(url: str):
    if urlparse(url).hostname in ("localhost", "127.0.0.1"):
        raise HTTPException(400)
    return requests.get(url, timeout=3).text  # finding: ssrf-user-controlled-url


@app.get("/region")
def region(region: Literal["eu", "us"]):
    return requests.get(f"https://{region}.example.com/", timeout=3).text
