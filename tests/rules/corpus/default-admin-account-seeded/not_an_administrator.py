"""Literals in accounts that may do nothing special, and an administrator who cannot log in by password."""

from fastapi import FastAPI
from pydantic import BaseModel


class Account(BaseModel):
    name: str
    password: str
    role: str = "reader"
    is_admin: bool = False


app = FastAPI()


def demo() -> list[Account]:
    return [
        Account(name="demo", password="demo", role="reader"),
        Account(name="guest", password="guest", is_admin=False),
        Account(name="robot", password="!", role="admin"),
    ]
