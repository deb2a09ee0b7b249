"""A secret that is read from the environment where it is compared."""

import os
import secrets

from fastapi import FastAPI, Header, HTTPException

app = FastAPI()


@app.get("/direct")
def direct(key: str = Header()) -> str:
    if key != os.environ["SERVICE_API_KEY"]:  # finding: timing-unsafe-secret-comparison
        raise HTTPException(401)
    return "welcome"


@app.get("/kept")
def kept(key: str = Header()) -> str:
    expected = os.getenv("SERVICE_API_KEY")
    if key == expected:  # finding: timing-unsafe-secret-comparison
        return "welcome"
    raise HTTPException(401)


@app.get("/got")
def got(key: str = Header()) -> str:
    if os.environ.get("ADMIN_TOKEN") == key:  # finding: timing-unsafe-secret-comparison
        return "welcome"
    raise HTTPException(401)


@app.get("/constant-time")
def constant_time(key: str = Header()) -> str:
    if not secrets.compare_digest(key, os.environ["SERVICE_API_KEY"]):
        raise HTTPException(401)
    return "welcome"


@app.get("/no-secret")
def no_secret(region: str) -> bool:
    return region == os.environ["AWS_REGION"]


@app.get("/present")
def present() -> bool:
    return os.environ.get("SERVICE_API_KEY") == ""
