"""Settings as a response model, inside of one, as what is returned; wrapped, filtered and masked ones are silent."""

from fastapi import FastAPI
from pydantic import BaseModel, Field, SecretStr
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    title: str = "shop"
    mail_password: str = ""
    page_size: int = 20


class WrappedSettings(BaseSettings):
    title: str = "shop"
    mail_password: SecretStr = SecretStr("")
    api_key: str = Field("", exclude=True)


class Configuration(BaseModel):
    changed: list[str]
    settings: Settings


class PublicSettings(BaseModel):
    title: str


settings = Settings()
wrapped = WrappedSettings()
app = FastAPI()


@app.get("/configuration")
def configuration() -> Configuration:
    return Configuration(changed=[], settings=settings)  # finding: internal-endpoint-exposed


@app.get("/settings")
def all_settings():
    return settings  # finding: internal-endpoint-exposed


@app.get("/dump")
def dump() -> dict:
    return {"settings": settings.model_dump()}  # finding: internal-endpoint-exposed


@app.get("/filtered", response_model=PublicSettings)
def filtered():
    return settings


@app.get("/wrapped")
def wrapped_settings() -> WrappedSettings:
    return wrapped


@app.get("/excluded")
def excluded() -> dict:
    return settings.model_dump(exclude={"mail_password"})


@app.get("/title")
def title() -> dict:
    return {"title": settings.title}
