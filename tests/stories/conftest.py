"""What the stories share: a question in plain English on a real small project, and the means to do what the answer says."""

from __future__ import annotations

import shlex
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.builder.generated import environment

from fastapi_architect.__main__ import main
from fastapi_architect.components.testing.fixtures import *  # noqa: F403 - pytest finds them by their names
from fastapi_architect.persona.answer import blocks
from fastapi_architect.persona.routing import Reply, reply
from fastapi_architect.workbench.workspace import Workspace

PARTS = ("context", "approach", "implementation", "validation", "considerations")


class Story:
    """A project, and somebody who asks about it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, files: Mapping[str, str]) -> None:
        """Write files into the project, and commit everything."""
        for name, text in files.items():
            file = self.root / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
        self.commit()

    def commit(self) -> None:
        """Make what is there the state that `architect add` and `architect fix` begin with."""
        if not (self.root / ".git").exists():
            self.git("init", "--quiet", "--initial-branch", "main")
        self.git("add", "--all")
        self.git("-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "--quiet", "--message", "x")

    def git(self, *arguments: str, given: str | None = None) -> None:
        """Run git in the project."""
        command = ["git", "-C", str(self.root), *arguments]
        done = subprocess.run(command, input=given, text=True, capture_output=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    def ask(self, request: str) -> Reply:
        """Ask in plain English; every answer has its parts and keeps what answers promise."""
        found = reply(Workspace(self.root.resolve()), request)
        assert found.wrong == ()
        assert all(found.answer.part(name).strip() for name in PARTS)
        assert len(found.answer.follow_ups) <= 3
        return found

    def commands(self, found: Reply) -> list[list[str]]:
        """The commands of ours that an answer names, without what follows `$ architect`."""
        lines = [line for block in blocks(found.answer) for line in block.code.splitlines()]
        return [shlex.split(line)[2:] for line in lines if line.startswith("$ architect ")]

    def do(self, *command: str) -> None:
        """Type one of them."""
        assert main([*command, "--path", str(self.root)]) == 0

    def apply(self, found: Reply, about: str) -> None:
        """Apply the one diff of an answer that is about something."""
        [patch] = [
            block.code for block in blocks(found.answer) if block.language == "diff" and about in block.code
        ]
        self.git("apply", "-", given=patch + "\n")

    def write_blocks(self, found: Reply) -> None:
        """Write every block of Python of an answer to the file that its first line names."""
        for block in blocks(found.answer):
            if block.language == "python" and block.path:
                file = self.root / block.path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(block.code, encoding="utf-8")

    def replace(self, name: str, old: str, new: str) -> None:
        """Edit a file by hand, as an answer says."""
        file = self.root / name
        text = file.read_text(encoding="utf-8")
        assert text.count(old) == 1
        file.write_text(text.replace(old, new), encoding="utf-8")

    def python(self, code: str, **variables: str) -> str:
        """Run a piece of Python in the project, as a process of its own; what it prints."""
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(code)],
            cwd=self.root,
            env=environment(PYTHONPATH=str(self.root), **variables),
            text=True,
            capture_output=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()


@pytest.fixture
def story(tmp_path: Path) -> Story:
    """An empty folder, and somebody who asks about it."""
    root = tmp_path / "shop"
    root.mkdir()
    return Story(root)


@pytest.fixture
def shop(story: Story) -> Story:
    """A small shop: SQLAlchemy, three routes, nothing of ours in it."""
    story.write(SHOP)
    return story


SHOP = {
    "pyproject.toml": """
        [project]
        name = "shop"
        version = "0.1.0"
        dependencies = ["fastapi>=0.115", "sqlalchemy>=2.0"]
    """,
    "app/__init__.py": "",
    "app/models.py": """
        from sqlalchemy import ForeignKey, String
        from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


        class Base(DeclarativeBase): ...


        class User(Base):
            __tablename__ = "users"
            id: Mapped[int] = mapped_column(primary_key=True)
            email: Mapped[str] = mapped_column(String(200), unique=True)


        class Product(Base):
            __tablename__ = "products"
            id: Mapped[int] = mapped_column(primary_key=True)
            name: Mapped[str] = mapped_column(String(100))


        class Order(Base):
            __tablename__ = "orders"
            id: Mapped[int] = mapped_column(primary_key=True)
            items: Mapped[list["Item"]] = relationship(back_populates="order")


        class Item(Base):
            __tablename__ = "items"
            id: Mapped[int] = mapped_column(primary_key=True)
            order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
            title: Mapped[str] = mapped_column(String(100))
            order: Mapped[Order] = relationship(back_populates="items")
    """,
    "app/main.py": """
        import time
        from typing import Annotated

        from fastapi import Depends, FastAPI
        from pydantic import BaseModel, ConfigDict, EmailStr
        from sqlalchemy import create_engine, select
        from sqlalchemy.orm import Session, sessionmaker

        from app.models import Order, Product, User

        engine = create_engine("sqlite:///shop.db")
        make_session = sessionmaker(engine)
        app = FastAPI()


        def get_session():
            with make_session() as session:
                yield session


        SessionDep = Annotated[Session, Depends(get_session)]


        class ItemOut(BaseModel):
            model_config = ConfigDict(from_attributes=True)
            title: str


        class OrderOut(BaseModel):
            model_config = ConfigDict(from_attributes=True)
            id: int
            items: list[ItemOut]


        class ProductOut(BaseModel):
            model_config = ConfigDict(from_attributes=True)
            id: int
            name: str


        class NewUser(BaseModel):
            email: EmailStr


        @app.get("/api/v1/orders", response_model=list[OrderOut])
        def list_orders(session: SessionDep):
            return session.scalars(select(Order)).all()


        @app.get("/api/v1/products", response_model=list[ProductOut])
        async def list_products(session: SessionDep):
            time.sleep(0.05)
            return session.scalars(select(Product).limit(100)).all()


        @app.post("/users")
        def create_user(new: NewUser, session: SessionDep):
            session.add(User(email=new.email))
            session.commit()
    """,
}
