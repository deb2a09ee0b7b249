"""Tokens whose end is counted from the wrong clock, or is far away."""

import os
from datetime import UTC, datetime, timedelta

import jwt
from fastapi import FastAPI
from pydantic_settings import BaseSettings

KEY = os.environ["TOKEN_KEY"]
app = FastAPI()


class Settings(BaseSettings):
    ACCESS_TOKEN_EXPIRE_MINUTES: int = 60 * 24 * 8
    SHORT_MINUTES: int = 30


settings = Settings()


def local_token(name: str) -> str:
    expire = datetime.now() + timedelta(minutes=30)  # finding: jwt-without-expiry: a local time is read as UTC
    return jwt.encode({"sub": name, "exp": expire}, KEY, algorithm="HS256")


def stamped_token(name: str) -> str:
    claims = {"sub": name}
    claims["exp"] = int((datetime.utcnow() + timedelta(minutes=30)).timestamp())  # finding: jwt-without-expiry: as if local
    return jwt.encode(claims, KEY, algorithm="HS256")


def yearly_token(name: str) -> str:
    expire = datetime.now(UTC) + timedelta(days=365)  # finding: jwt-without-expiry: nothing ends it before
    return jwt.encode({"sub": name, "exp": expire}, KEY, algorithm="HS256")


def access_token(name: str, expires: timedelta) -> str:
    return jwt.encode({"sub": name, "exp": datetime.now(UTC) + expires}, KEY, algorithm="HS256")


def utc_token(name: str) -> str:
    expire = datetime.now(UTC) + timedelta(minutes=settings.SHORT_MINUTES)
    return jwt.encode({"sub": name, "exp": expire}, KEY, algorithm="HS256")  # silent: half an hour in UTC


def old_utc_token(name: str) -> str:
    expire = datetime.utcnow() + timedelta(minutes=30)
    return jwt.encode({"sub": name, "exp": expire}, KEY, algorithm="HS256")  # silent: without a zone, and UTC


def local_stamp_token(name: str) -> str:
    expire = (datetime.now() + timedelta(minutes=30)).timestamp()
    return jwt.encode({"sub": name, "exp": expire}, KEY, algorithm="HS256")  # silent: the stamp of a local time is right


def refresh_token(name: str) -> str:
    expire = datetime.now(UTC) + timedelta(days=60)
    return jwt.encode({"sub": name, "exp": expire, "type": "refresh"}, KEY, algorithm="HS256")  # silent: it renews


def recorded_token(name: str, number: str) -> str:
    expire = datetime.now(UTC) + timedelta(days=90)
    return jwt.encode({"sub": name, "exp": expire, "jti": number}, KEY, algorithm="HS256")  # silent: it is on record


@app.post("/login")
def log_in(name: str) -> str:
    return access_token(name, timedelta(minutes=settings.ACCESS_TOKEN_EXPIRE_MINUTES))  # finding: jwt-without-expiry: 8 days
