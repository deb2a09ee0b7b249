"""One finding for the whole application, at the dearest route."""

import resend
from fastapi import FastAPI

import hashlib

app = FastAPI()


@app.post("/register")
def register(password: str) -> bytes:
    return hashlib.scrypt(password.encode(), salt=b"0", n=2**14, r=8, p=1)


@app.post("/forgot")
def forgot(address: str) -> None:  # finding: expensive-public-route-unthrottled
    resend.Emails.send({"to": address, "subject": "Reset"})
