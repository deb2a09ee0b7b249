# ruff: noqa: F811
"""The same imports, the other way round."""

from fastapi import APIRouter
from schemas import User
from models import User  # isort: skip

router = APIRouter()


@router.get("/stored", response_model=User)
def stored():  # finding: sensitive-field-in-response
    return User(name="a", hashed_password="h")
