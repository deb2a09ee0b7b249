"""Harmful: the parent stands in the router's prefix, the query in a function of its own."""

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


def find_task(session: Session, task_id: int) -> Task | None:
    return session.scalar(select(Task).where(Task.id == task_id))  # finding: nested-resource-parent-mismatch


@router.get("/{task_id}")
def read(project_id: int, task_id: int) -> int:
    with Session(engine) as session:
        found = find_task(session, task_id)
    return found.id if found else 0


app = FastAPI()
app.include_router(router)
