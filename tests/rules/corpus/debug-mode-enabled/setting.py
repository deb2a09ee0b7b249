"""The default of a setting turns it on wherever nobody sets it."""

from fastapi import FastAPI
from pydantic import Field
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    verbose: bool = True
    debug: bool = Field(default=True)  # finding: debug-mode-enabled


settings = Settings()
app = FastAPI(debug=settings.debug)
