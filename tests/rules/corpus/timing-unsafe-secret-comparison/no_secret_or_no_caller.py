"""Comparisons with constants, of public values, and of settings with each other."""

import os

from fastapi import FastAPI
from pydantic_settings import BaseSettings
from sqlalchemy import select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Settings(BaseSettings):
    session_secret: str = ""
    environment: str = "local"
    api_key_header: str = "X-Key"


API_KEY = os.getenv("API_KEY", "")
settings = Settings()
app = FastAPI()


@app.get("/state")
def state(environment: str) -> list[bool]:
    return [settings.session_secret == "", API_KEY != "", environment == settings.environment, API_KEY == settings.session_secret]


class Base(DeclarativeBase):
    pass


class Device(Base):
    __tablename__ = "devices"

    id: Mapped[int] = mapped_column(primary_key=True)
    session_secret: Mapped[str]


@app.get("/devices")
def device_of(key: str) -> object:
    return select(Device).where(Device.session_secret == key)
