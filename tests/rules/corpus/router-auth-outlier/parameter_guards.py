from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException


def current_user(authorization: Annotated[str | None, Header()] = None) -> str:
    if authorization != "Bearer alice":
        raise HTTPException(401)
    return "alice"


CurrentUser = Annotated[str, Depends(current_user)]
router = APIRouter(prefix="/orders")


@router.get("")
def list_orders(user: CurrentUser) -> list[str]:
    return [user]


@router.get("/{order_id}")
def read_order(order_id: int, user: CurrentUser) -> str:
    return user


@router.put("/{order_id}")
def replace_order(order_id: int, user: CurrentUser) -> str:
    return user


@router.post("")
def create_order(user: CurrentUser) -> str:
    return user


@router.delete("/{order_id}")
def delete_order(order_id: int, user: str = "") -> str:  # finding: router-auth-outlier (a query is no guard)
    return user


app = FastAPI()
app.include_router(router)
