"""Harmless: the loaded row's parent is compared with the path's."""

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


@router.get("/{task_id}")
def read(project_id: int, task_id: int) -> int:
    with Session(engine) as session:
        found = session.scalar(select(Task).where(Task.id == task_id))
    if found is None or found.project_id != project_id:
        raise HTTPException(404)
    return found.id


app = FastAPI()
app.include_router(router)
