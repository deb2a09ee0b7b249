"""One token for everybody, and no table of people: there are no roles to ask for, so nothing is sure."""

from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Flow(Base):
    __tablename__ = "flows"
    id: Mapped[int] = mapped_column(primary_key=True)


def shared_token(authorization: Annotated[str | None, Header()] = None) -> None:
    if authorization is None:
        raise HTTPException(401)


app = FastAPI(dependencies=[Depends(shared_token)])


@app.post("/admin/storage")
def storage() -> None: ...  # finding: privileged-route-without-role-check (tentative)
