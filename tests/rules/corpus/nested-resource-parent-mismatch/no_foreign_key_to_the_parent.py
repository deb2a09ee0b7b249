"""Harmless: the second identifier is no child of the first."""

from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException
from sqlalchemy import ForeignKey, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

engine = create_engine("sqlite://")


class Base(DeclarativeBase): ...


class Project(Base):
    __tablename__ = "projects"
    id: Mapped[int] = mapped_column(primary_key=True)


class Task(Base):
    __tablename__ = "tasks"
    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))


def user(authorization: Annotated[str | None, Header()] = None) -> str:
    if authorization is None:
        raise HTTPException(401)
    return authorization


router = APIRouter(prefix="/projects/{project_id}/tasks", dependencies=[Depends(user)])


class Label(Base):
    __tablename__ = "labels"
    id: Mapped[int] = mapped_column(primary_key=True)


@router.put("/labels/{label_id}")
def put(project_id: int, label_id: int) -> int:
    with Session(engine) as session:
        label = session.scalar(select(Label).where(Label.id == label_id))
    return label.id if label else 0


app = FastAPI()
app.include_router(router)
