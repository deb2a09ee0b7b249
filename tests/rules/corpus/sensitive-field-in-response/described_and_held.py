"""A nested model that describes a key, by its first letters and dates, and one that holds it."""

from datetime import datetime

from fastapi import FastAPI
from pydantic import BaseModel


class KeyDescription(BaseModel):
    preview: str
    created_at: datetime


class KeyHeld(BaseModel):
    value: str
    created_at: datetime


class Webhook(BaseModel):
    url: str
    api_key: KeyDescription | None = None


class Integration(BaseModel):
    url: str
    api_key: KeyHeld | None = None


app = FastAPI()


@app.get("/webhook")
def webhook() -> Webhook:
    return Webhook(url="https://shop.example")


@app.get("/integration")
def integration() -> Integration:  # finding: sensitive-field-in-response
    return Integration(url="https://shop.example")
