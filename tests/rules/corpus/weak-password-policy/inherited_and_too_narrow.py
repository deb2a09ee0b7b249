"""The field is inherited without a length; another model allows twenty characters at most."""

from typing import Annotated

from fastapi import FastAPI
from pydantic import BaseModel, Field, SecretStr


class Base(BaseModel):
    name: str
    password: SecretStr  # finding: weak-password-policy


class AccountCreate(Base):
    full_name: str


class PasswordChange(BaseModel):
    new_password: Annotated[str, Field(min_length=10, max_length=20)]  # finding: weak-password-policy


app = FastAPI()


@app.post("/accounts")
def create_account(new: AccountCreate) -> str:
    return new.full_name


@app.put("/me/password")
def change_password(change: PasswordChange) -> None:
    print(len(change.model_dump()))
