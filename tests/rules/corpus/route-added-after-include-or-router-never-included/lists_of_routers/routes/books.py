from fastapi import APIRouter

router = APIRouter(prefix="/books")


@router.get("")
def list_all() -> list[str]:
    return []
