"""The field is excluded, masked, a flag, or taken out at the route."""

from datetime import datetime

from fastapi import FastAPI
from pydantic import BaseModel, Field, SecretStr, field_serializer


class User(BaseModel):
    name: str
    hashed_password: str = Field(exclude=True)


class Connection(BaseModel):
    password: SecretStr


class Masked(BaseModel):
    password: str

    @field_serializer("password")
    def stars(self, value: str) -> str:
        return "***"


class Login(BaseModel):
    name: str
    password: str


class Flags(BaseModel):
    password_changed_at: datetime
    has_password: bool


app = FastAPI()


@app.get("/user")
def user() -> User:
    return User(name="a", hashed_password="h")


@app.get("/connection")
def connection() -> Connection:
    return Connection(password=SecretStr("p"))


@app.get("/masked")
def masked() -> Masked:
    return Masked(password="p")


@app.post("/echo", response_model=Login, response_model_exclude={"password"})
def echo(login: Login) -> Login:
    return login


@app.get("/flags")
def flags() -> Flags: ...
