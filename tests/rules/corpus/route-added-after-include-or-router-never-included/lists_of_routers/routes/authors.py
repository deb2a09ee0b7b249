from fastapi import APIRouter

router = APIRouter(prefix="/authors")


@router.get("")
def list_all() -> list[str]:
    return []
