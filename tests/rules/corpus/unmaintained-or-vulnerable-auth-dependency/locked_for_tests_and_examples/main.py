"""An application that verifies tokens and serves a folder."""

import jwt
from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

app = FastAPI()
app.mount("/static", StaticFiles(directory="static"))


@app.get("/me")
def read_me(token: str) -> str:
    return jwt.decode(token, "", algorithms=["EdDSA"])["sub"]
