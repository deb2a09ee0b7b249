from typing import Annotated

from auth import current_user
from fastapi import APIRouter, Depends

router = APIRouter(prefix="/orders")


@router.get("")
def list_orders(user: Annotated[str, Depends(current_user)]) -> list[str]:
    return [user]


@router.get("/{order_id}")
def read_order(order_id: int, user: Annotated[str, Depends(current_user)]) -> str:
    return user


@router.put("/{order_id}")
def replace_order(order_id: int, user: Annotated[str, Depends(current_user)]) -> str:
    return user


@router.delete("/{order_id}")
def delete_order(order_id: int) -> str:  # silent: main.py includes this router with the guard
    return "deleted"
