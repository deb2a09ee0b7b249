"""The environment in several forms, and what is only a part of it."""

import os
import platform
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, HTTPException
from fastapi.responses import JSONResponse
from fastapi.security import OAuth2PasswordBearer

bearer = OAuth2PasswordBearer("/token")
router = APIRouter(prefix="/debug")


def current_user(token: Annotated[str, Depends(bearer)]) -> str:
    if token != "t":
        raise HTTPException(401)
    return "ada"


def process_information() -> dict:
    return {"system": platform.system(), "variables": dict(os.environ)}


@router.get("/process")
def process() -> dict:
    return process_information()  # finding: internal-endpoint-exposed


@router.get("/variables")
def variables() -> JSONResponse:
    return JSONResponse({key: value for key, value in os.environ.items()})  # finding: internal-endpoint-exposed


@router.get("/mine")
def mine(user: Annotated[str, Depends(current_user)]) -> dict:
    return {"user": user, **os.environ}  # finding: internal-endpoint-exposed (tentative: only for users)


def get_trusted_client(key: str) -> str:
    return key.removesuffix("-trusted")


@router.get("/for-clients")
def for_clients(client: Annotated[str, Depends(get_trusted_client)]) -> dict:
    return {"client": client, **os.environ}  # finding: internal-endpoint-exposed (tentative: somebody is asked for)


@router.get("/names")
def names() -> list[str]:
    return sorted(os.environ)


@router.get("/masked")
def masked() -> dict:
    return {key: "***" for key, value in os.environ.items()}


@router.get("/public")
def public() -> dict:
    return {key: value for key, value in os.environ.items() if key.startswith("PUBLIC_")}


@router.get("/region")
def region() -> dict:
    environment = os.environ
    return {"region": environment.get("REGION"), "zone": os.environ["ZONE"], "count": len(os.environ)}


app = FastAPI()
app.include_router(router)
