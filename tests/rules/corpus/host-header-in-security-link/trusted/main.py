"""Other hosts are refused before anything runs."""

import smtplib

from fastapi import FastAPI, Request
from starlette.middleware.trustedhost import TrustedHostMiddleware

app = FastAPI()
app.add_middleware(TrustedHostMiddleware, allowed_hosts=["shop.example"])
anywhere = FastAPI()
anywhere.add_middleware(TrustedHostMiddleware, allowed_hosts=["*"])


@app.post("/forgot")
def forgot(address: str, request: Request):
    with smtplib.SMTP("mail.shop.example", timeout=5) as server:
        server.sendmail("shop@shop.example", address, f"{request.base_url}reset?token=t")


@anywhere.post("/forgotten")
def forgotten(address: str, request: Request):
    with smtplib.SMTP("mail.shop.example", timeout=5) as server:
        server.sendmail("shop@shop.example", address, f"{request.base_url}reset?token=t")  # finding: host-header-in-security-link
