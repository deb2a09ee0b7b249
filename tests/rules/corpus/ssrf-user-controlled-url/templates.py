"""Addresses that are filled in: what stands behind the host and a slash cannot name another host."""

from urllib.parse import urljoin

import requests
from fastapi import FastAPI

app = FastAPI()
API = "https://api.example.com/v1"


def base_of(tenant: str) -> str:
    return "https://api.example.com"


@app.get("/percent/{book}")
def percent(book: str, shelf: str):
    requests.get("https://api.example.com/books/%s" % book, timeout=3)
    requests.get("https://api.example.com/%s/books/%s/" % (shelf, book), timeout=3)
    requests.get("https://api.example.com/%(shelf)s/%(book)s" % {"shelf": shelf, "book": book}, timeout=3)
    requests.get(f"{API}/%s" % book, timeout=3)
    return requests.get(API + "/books/%s" % book, timeout=3).text


@app.get("/percent-host")
def percent_host(host: str, book: str):
    requests.get("https://%s/books" % host, timeout=3)  # finding: ssrf-user-controlled-url
    requests.get("https://%(book)s/%(other)s" % {"book": book, "other": 1}, timeout=3)  # finding: ssrf-user-controlled-url


@app.get("/formatted/{book}")
def formatted(book: str, shelf: str):
    requests.get("https://api.example.com/{book}".format(book=book), timeout=3)
    requests.get("https://api.example.com/{1}/{0}".format(book, shelf), timeout=3)
    requests.get("{base}/books/{book}".format(base=API, book=book), timeout=3)
    return requests.get("https://api.example.com/{}".format(book), timeout=3).text


@app.get("/formatted-host")
def formatted_host(host: str, tenant: str):
    requests.get("https://{host}/books/{book}".format(book=1, host=host), timeout=3)  # finding: ssrf-user-controlled-url
    requests.get("https://{0}.example.com/{0}".format(tenant), timeout=3)  # finding: ssrf-user-controlled-url


@app.get("/joined")
def joined(page: str, name: str):
    requests.get(urljoin(API, f"books/{name}"), timeout=3)
    return requests.get(urljoin(API, page), timeout=3).text  # finding: ssrf-user-controlled-url
