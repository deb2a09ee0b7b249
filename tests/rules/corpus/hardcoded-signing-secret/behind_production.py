"""A key that is read only where production has left is for developers; one that is read before, or anywhere, is not."""

from cryptography.fernet import Fernet
from fastapi import FastAPI
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    environment: str = "development"
    managed_key: str = ""
    local_key: str = "zY3kT0mVw1qfQ7l4o0bT9m3nX5c8sR2uJ6hG1dA4eK0="
    shared_key: str = "aB3kT0mVw1qfQ7l4o0bT9m3nX5c8sR2uJ6hG1dA4eK0="  # finding: hardcoded-signing-secret

    def is_production(self) -> bool:
        return self.environment == "production"


settings = Settings()
app = FastAPI()


def cipher() -> Fernet:
    if settings.is_production():
        return Fernet(settings.managed_key)
    return Fernet(settings.local_key)


def shared() -> Fernet:
    if settings.is_production():
        print("hello")
    return Fernet(settings.shared_key)


@app.get("/note")
def note() -> bytes:
    return cipher().encrypt(b"note") + shared().encrypt(b"note")
