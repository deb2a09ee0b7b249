"""A creation with 200, a body behind 204, a tuple with a status, and a failure in an `except`."""

from typing import Annotated

from fastapi import Depends, FastAPI
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

app = FastAPI()


class Base(DeclarativeBase):
    pass


class WishlistItem(Base):
    __tablename__ = "wishlist_items"

    id: Mapped[int] = mapped_column(primary_key=True)


def get_session() -> Session:
    raise NotImplementedError


SessionDep = Annotated[Session, Depends(get_session)]


@app.post("/wishlist-items")
def add_item(session: SessionDep) -> int:  # finding: status-code-does-not-match-effect
    item = WishlistItem()
    session.add(item)
    session.commit()
    return item.id


@app.put("/wishlist-items/{number}", status_code=204)
def replace_item(number: int) -> object:  # finding: status-code-does-not-match-effect
    return {"number": number}


@app.get("/wishlist-items/{number}")
def read_item(number: int) -> object:  # finding: status-code-does-not-match-effect
    if number > 3:
        return {"detail": "no such item"}, 404
    return {"number": number}


@app.post("/wishlist-items/{number}/check")
def check_item(number: int) -> object:  # finding: status-code-does-not-match-effect
    try:
        return {"left": 10 // number}
    except ZeroDivisionError:
        return {"success": False, "message": "zero"}
