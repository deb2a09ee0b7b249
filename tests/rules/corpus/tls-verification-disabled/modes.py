"""The mode that is configured decides; an authority of one's own; the same machine."""

import ssl

import httpx
from cluster import Configuration
from fastapi import FastAPI

app = FastAPI()


def context_of(mode: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if mode == "verify-ca":
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def wished(ignore_certificates: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ignore_certificates:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context if not ignore_certificates else ssl._create_unverified_context()


insecure_transport = httpx.HTTPTransport(verify=False)


def own_authority() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.load_verify_locations(cafile="ca.pem")
    context.check_hostname = False
    return context


def proxy(port: int) -> Configuration:
    configuration = Configuration(host=f"http://localhost:{port}/proxy")
    configuration.verify_ssl = False
    return configuration


@app.get("/rates")
def rates(mode: str) -> str:
    proxy(80)
    return httpx.get("https://rates.example.com", verify=context_of(mode) or own_authority(), timeout=5).text
