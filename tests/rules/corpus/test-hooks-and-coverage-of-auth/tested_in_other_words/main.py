"""Six routes, four of them guarded."""

from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException


def current_user(authorization: Annotated[str | None, Header()] = None) -> str:
    if authorization != "Bearer alice":
        raise HTTPException(401)
    return "alice"


app = FastAPI()
public = APIRouter()
private = APIRouter(prefix="/orders", dependencies=[Depends(current_user)])


@public.get("/health")
def check_health() -> str:
    return "fine"


@public.get("/books")
def list_books() -> list[str]:
    return []


@private.get("")
def list_orders() -> list[str]:
    return []


@private.post("")
def place_order() -> str:
    return "placed"


@private.put("/{order_id}")
def change_order(order_id: int) -> str:
    return str(order_id)


@private.delete("/{order_id}/lines/{line_id}")
def remove_line(order_id: int, line_id: int) -> str:
    return f"{order_id} {line_id}"


app.include_router(public, prefix="/api")
app.include_router(private, prefix="/api")
