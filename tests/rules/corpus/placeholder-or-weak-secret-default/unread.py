"""A default that no code reads opens nothing; one that is read does; a character set is no secret."""

from fastapi import FastAPI, Header, HTTPException
from pydantic import model_validator
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    pgadmin_default_password: str = "admin"
    admin_token: str = "changeme"  # finding: placeholder-or-weak-secret-default
    password_special_chars: str = "!@#$%^&*()_+-=[]{}|;:,.<>?"
    password_alphabet: str = "abc123"

    @model_validator(mode="after")
    def all_are_set(self) -> "Settings":
        for name in ("password_alphabet", "password_special_chars"):
            if getattr(self, name) is None:
                raise ValueError(name)
        return self


settings = Settings()
app = FastAPI()


def is_strong(password: str) -> bool:
    return any(c in settings.password_special_chars for c in password) and all(
        c in settings.password_alphabet for c in password.lower()
    )


@app.post("/users")
def create_user(password: str, x_token: str = Header()) -> bool:
    if x_token != settings.admin_token:
        raise HTTPException(401)
    return is_strong(password)
