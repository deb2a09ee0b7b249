from fastapi import APIRouter

router = APIRouter(prefix="/leftover")


@router.get("")
def list_all() -> list[str]:
    return []
