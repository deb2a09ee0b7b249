import hashlib
import logging
import os
from enum import Enum

from fastapi import FastAPI, Request
from pydantic import BaseModel, Field, SecretStr
from pydantic_settings import BaseSettings

app = FastAPI()
logger = logging.getLogger(__name__)
PASSWORD = "password"


class Settings(BaseSettings):
    signing_key: SecretStr = SecretStr("")
    debug: bool = False


class Login(BaseModel):
    email: str
    password: SecretStr


class Reset(BaseModel):
    email: str
    password: str = Field(repr=False)


class Grant(Enum):
    password = "password"


settings = Settings()


def mask(text: str) -> str:
    return text[:2] + "***"


def write_secret(secret_name: str, value: str) -> None:
    logger.info("writing %s", secret_name)  # silent: a name for it


@app.post("/login")
def log_in(payload: Login, grant: Grant, request: Request, password: str, token_count: int) -> None:
    logger.info("login %s", payload)  # silent: SecretStr writes itself as stars
    logger.info("password given: %s", bool(password))  # silent: a flag
    logger.info("password %s", mask(password))  # silent: masked
    logger.info("password %s", password[:2])  # silent: cut
    masked_password = mask(password)
    logger.info("password %s", masked_password)  # silent: masked before
    logger.info("password hash %s", hashlib.sha256(password.encode()).hexdigest())  # silent: hashed
    logger.info("%s tokens of %s", token_count, len(password))  # silent: numbers
    logger.info("is it missing? %s", password is None)  # silent: a comparison
    logger.info("password is %s", "set" if password else "empty")  # silent: a constant
    logger.info("field %s", PASSWORD)  # silent: the name of a field
    logger.info("grant %s", Grant.password)  # silent: a member of a closed set
    logger.info("agent %s", request.headers.get("user-agent"))  # silent: no secret
    logger.info("key %s", settings.signing_key)  # silent: stars
    address = f"postgresql://shop:{password}@db/shop"
    logger.info("database %s", address.replace(password, "***"))  # silent: stars
    secret_key = "shop/api"
    write_secret(secret_key, password)


@app.post("/resets")
def reset(payload: Reset) -> None:
    logger.info("reset %s", payload)  # silent: the field is left out of what is written
    logger.info("reset %s", payload.model_dump(exclude={"password"}))  # silent: left out
    logger.info("reset of %s from %s", payload.email, os.environ.get("REGION"))


def main() -> None:
    password = "made up"
    print(password)  # silent: a command, no request


def split(line: str) -> None:
    for token in line.split():
        logger.info("word %s", token)  # silent: words
    token = line.strip()
    logger.info("word %s", token)  # silent: nothing here is about access
    sanitized_api_key = line[:2]
    logger.info("key %s", sanitized_api_key)  # silent: named for it


def unknown_fields(payload: Reset) -> None:
    logger.info("unknown: %s", sorted(set(payload.model_dump()) - {"email"}))  # silent: names of fields


def read_claims(access_token: str) -> dict[str, str]:
    import jwt

    claims = jwt.decode(access_token, "key", algorithms=["HS256"])
    logger.info("claims %s", claims)  # silent: what a token says is no token
    return claims
