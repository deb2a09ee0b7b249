"""Modules that name each other without needing each other at import."""

from fastapi import Depends, FastAPI

from app import models
from app.dependencies import current_user
from app.users_router import router

app = FastAPI(dependencies=[Depends(current_user)])
app.include_router(router)


@app.get("/")
def read() -> str:
    return models.Author.__name__
