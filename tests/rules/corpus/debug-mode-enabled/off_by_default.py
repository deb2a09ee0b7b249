"""Off unless the environment says so; a logger's debug is another thing."""

import logging
import os

from fastapi import FastAPI
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    debug: bool = False


settings = Settings()
logging.getLogger().debug("starts")
app = FastAPI(debug=settings.debug)
other = FastAPI(debug=bool(os.getenv("DEBUG")))
