"""Secrets that a module or a class makes when the service starts, and codes that are worth something."""

import os
import random
import secrets
import string

from fastapi import FastAPI

app = FastAPI()
SESSION_SECRET = "".join(random.choices(string.ascii_letters, k=32))  # finding: predictable-security-token
BANNER = random.choice(["spring", "summer"])  # silent: a picture
SIGNING_KEY = os.getenv("SIGNING_KEY") or secrets.token_urlsafe(32)


def make_secret() -> str:
    return "".join(random.choices(string.digits, k=12))  # finding: predictable-security-token


class Settings:
    jwt_secret_key = os.getenv("JWT_SECRET_KEY", make_secret())


@app.post("/vouchers")
def make_voucher() -> dict[str, str]:
    voucher_code = "".join(random.choice(string.ascii_uppercase) for _ in range(8))  # finding: predictable-security-token
    colour_code = "".join(random.choice("0123456789abcdef") for _ in range(6))  # silent: a colour
    return {"voucher": voucher_code, "colour": colour_code}
