"""Middleware limits every request."""

import resend
from fastapi import FastAPI
from slowapi import Limiter
from slowapi.middleware import SlowAPIMiddleware
from slowapi.util import get_remote_address

app = FastAPI()
app.state.limiter = Limiter(key_func=get_remote_address, default_limits=["30/minute"])
app.add_middleware(SlowAPIMiddleware)


@app.post("/forgot")
def forgot(address: str) -> None:  # silent: the middleware
    resend.Emails.send({"to": address, "subject": "Reset"})
