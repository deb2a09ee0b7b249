from fastapi import APIRouter

router = APIRouter(prefix="/leftover")  # finding: route-added-after-include-or-router-never-included


@router.get("")
def list_all() -> list[str]:
    return []
