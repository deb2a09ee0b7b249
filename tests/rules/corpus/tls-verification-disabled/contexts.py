"""A context that trusts everybody."""

import ssl

import httpx
from fastapi import FastAPI

app = FastAPI()


def trusting_context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # finding: tls-verification-disabled
    return context


@app.get("/rates")
def rates() -> str:
    return httpx.get("https://rates.example.com", verify=trusting_context(), timeout=5).text
