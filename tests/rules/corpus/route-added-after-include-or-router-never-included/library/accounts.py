"""A library offers a router and has no application of its own."""

from fastapi import APIRouter

router = APIRouter(prefix="/accounts")


@router.get("/me")
def read_me() -> str:
    return "alice"
