"""Logging in has to accept old passwords; a share's password is nobody's account."""

from fastapi import FastAPI
from pydantic import BaseModel


class LoginRequest(BaseModel):
    name: str
    password: str


class DatabaseConnection(BaseModel):
    host: str
    password: str


app = FastAPI()


@app.post("/login")
def log_in(login: LoginRequest) -> str:
    return login.name


@app.post("/connections")
def connect(connection: DatabaseConnection) -> str:
    return connection.host
