"""Settings."""

from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    title: str = "Books"


settings = Settings()
