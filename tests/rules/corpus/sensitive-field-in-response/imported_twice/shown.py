# ruff: noqa: F811
"""The last import says what the name means."""

import models
from fastapi import APIRouter
from models import User
from schemas import User

router = APIRouter()


@router.get("/shown", response_model=User)
def shown():
    return models.User(name="a", hashed_password="h")
