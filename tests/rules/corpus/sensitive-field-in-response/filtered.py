"""A subclass with a secret is filtered by the declared model, and a login answers with its own token."""

from fastapi import FastAPI
from pydantic import BaseModel


class UserOut(BaseModel):
    name: str


class UserInDB(UserOut):
    hashed_password: str


class Token(BaseModel):
    access_token: str
    token_type: str


app = FastAPI()


@app.get("/user")
def user() -> UserOut:
    return UserInDB(name="a", hashed_password="h")


@app.post("/token")
def token() -> Token:
    return Token(access_token="t", token_type="bearer")


@app.get("/name")
def name():
    found = UserInDB(name="a", hashed_password="h")
    return {"name": found.name}
