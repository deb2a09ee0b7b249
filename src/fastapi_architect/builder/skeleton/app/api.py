"""Every route of this service's own. Strangers are refused everywhere but where an operation says `@public`."""

from fastapi import APIRouter

from app.notes.router import router as notes

api = APIRouter(prefix="/api/v1")
api.include_router(notes)
