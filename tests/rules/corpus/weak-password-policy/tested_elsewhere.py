"""A validator, a strength check in the handler, a strength check two calls away."""

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, field_validator


class SignUp(BaseModel):
    password: str

    @field_validator("password")
    @classmethod
    def long_enough(cls, value: str) -> str:
        if len(value) < 12:
            raise ValueError("too short")
        return value


class ResetRequest(BaseModel):
    new_password: str


class ChangeRequest(BaseModel):
    new_password: str


app = FastAPI()


def check_password_strength(password: str) -> None:
    if len(password) < 12:
        raise HTTPException(422)


def store(change: ChangeRequest) -> None:
    check_password_strength(change.new_password)


@app.post("/sign-up")
def sign_up(new: SignUp) -> str:
    return new.password[:0]


@app.post("/reset")
def reset(new: ResetRequest) -> None:
    if len(new.new_password) < 12:
        raise HTTPException(422)


@app.post("/change")
def change(new: ChangeRequest) -> None:
    store(new)
