"""The spelling differs in the path of a router's prefix and in a dependency; a `Path()` has no place in the
path.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Path

router = APIRouter(prefix="/shops/{shopId}")


def current_shop(shop_id: int) -> int:
    return shop_id


@router.get("/books")
def list_books(shop: Annotated[int, Depends(current_shop)]) -> int:  # finding: path-parameter-mismatch
    return shop


app = FastAPI()
app.include_router(router)


@app.get("/orders/{order}")
def read_order(order: str, line: Annotated[int, Path()]) -> str:  # finding: path-parameter-mismatch
    return f"{order}{line}"


@app.delete("/orders/{order}/lines/{line}")
def remove_line(order: str) -> str:  # finding: path-parameter-mismatch
    return order
