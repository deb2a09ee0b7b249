"""A route that the provider for `noauth` registers, and one that every provider registers."""

import os
from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

engine = create_engine("sqlite://")
app = FastAPI()


class Base(DeclarativeBase):
    pass


class Tenant(Base):
    __tablename__ = "tenants"
    id: Mapped[int] = mapped_column(primary_key=True)


def current_user(authorization: Annotated[str | None, Header()] = None) -> str:
    if authorization is None:
        raise HTTPException(401)
    return authorization


def store() -> None:
    with Session(engine) as session:
        session.add(Tenant())
        session.commit()


class NoAuthManager:
    def on_start(self, app: FastAPI) -> None:
        @app.post("/tenant")
        def tenant() -> None:
            store()


class Manager:
    def on_start(self, app: FastAPI) -> None:
        @app.post("/tenants")
        def tenants() -> None:  # finding: unauthenticated-state-changing-route
            store()


@app.post("/orders", dependencies=[Depends(current_user)])
def order() -> None:
    store()


manager = NoAuthManager() if os.environ.get("AUTH_TYPE") == "noauth" else Manager()
manager.on_start(app)
