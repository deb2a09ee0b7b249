"""The password is made at the first start, or comes from a setting that must be set."""

import secrets

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    first_password: str


class UserCreate(BaseModel):
    name: str
    password: str
    is_superuser: bool = False


settings = Settings()
app = FastAPI()


def seed() -> list[UserCreate]:
    made = secrets.token_urlsafe(12)
    print("the administrator's password is", made)
    return [
        UserCreate(name="admin", password=made, is_superuser=True),
        UserCreate(name="root", password=settings.first_password, is_superuser=True),
    ]
