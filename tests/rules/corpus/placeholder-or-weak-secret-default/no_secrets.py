"""Names that speak of secrets and hold none; an empty key that switches a feature off."""

from fastapi import FastAPI
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    token_url: str = "https://example.com/token"
    password_algorithm: str = "default"
    secret_name: str = "test"
    openai_api_key: str = ""
    access_token_expire_minutes: int = 30
    token_type: str = "default"


settings = Settings()
app = FastAPI()
