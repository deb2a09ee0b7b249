"""Keys that stand in every browser are no secrets; the key beside them that the application checks is one."""

import os

from fastapi import FastAPI, Header, HTTPException
from pydantic_settings import BaseSettings

app = FastAPI()
POSTHOG_CLIENT_KEY = os.environ.get("POSTHOG_CLIENT_KEY", "phc_placeholder")
ADMIN_CLIENT_KEY = os.environ.get("ADMIN_CLIENT_KEY", "changeme")  # finding: placeholder-or-weak-secret-default


class Settings(BaseSettings):
    sentry_api_key: str = "changeme"
    internal_api_key: str = "changeme"  # finding: placeholder-or-weak-secret-default


settings = Settings()


@app.get("/reports")
def reports(x_key: str = Header()) -> str:
    if x_key not in (ADMIN_CLIENT_KEY, settings.internal_api_key):
        raise HTTPException(401)
    return f"{POSTHOG_CLIENT_KEY} {settings.sentry_api_key}"
