"""Records are no alphabet."""

import random

from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()
GREETINGS = [{"text": "welcome"}, {"text": "hello"}]
sent: dict[str, dict[str, str]] = {}


class Login(BaseModel):
    email: str
    code: str


@app.post("/login/code")
def send(login: Login):
    code = random.choice(GREETINGS)
    sent[login.email] = code
    return {}
