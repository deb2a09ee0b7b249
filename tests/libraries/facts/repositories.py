from typing import Annotated, Generic, TypeVar

from fastapi import Depends
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

Model = TypeVar("Model")


class Base(DeclarativeBase):
    id: Mapped[int] = mapped_column(primary_key=True)


class User(Base):
    name: Mapped[str | None]


class Repository(Generic[Model]):
    def __init__(self, model: type[Model], session: AsyncSession):
        self.model = model
        self.session = session

    async def get(self, identity: int) -> Model | None:
        return await self.session.get(self.model, identity)  # $ SessionGet is_async identity=identity

    async def first(self):
        result = await self.session.execute(select(self.model).limit(1))  # $ QueryStart kind=select entities=self.model; QueryStep kind=limit args=1; SqlExecution is_async statement=select(self.model).limit(1)
        return result.scalar_one_or_none()  # $ RowFetch kind=scalar_one_or_none may_be_none

    async def all(self):
        return list(await self.session.scalars(select(self.model)))  # $ QueryStart kind=select entities=self.model; SqlExecution is_async statement=select(self.model)


class UserRepository(Repository[User]):
    model = User

    async def named(self, name: str):
        return (await self.session.scalars(select(self.model).where(self.model.name == name))).all()  # $ QueryStart kind=select entities=self.model; QueryStep kind=where; RowFetch kind=all; SqlExecution is_async


async def use(session: AsyncSession):
    users = UserRepository(User, session)
    (await users.get(1)).name  # : None | str
    await users.named("a")  # : list[User]
    for user in await users.all():
        user.id  # : int
    (await users.first()).name  # : None | str
    for row in await session.execute(select(User.id, User.name)):  # $ QueryStart kind=select entities=User.id,User.name; SqlExecution is_async
        row[0]  # : int
    for scalar in await session.scalars(select(User)):  # $ QueryStart kind=select entities=User; SqlExecution is_async statement=select(User)
        scalar  # : User


def provider() -> Session:
    return Session()  # $ SessionCreation


SessionDep = Annotated[Session, Depends(provider)]


def route(db: SessionDep):
    [user.name for user in db.query(User).order_by(User.id).all()]  # : list[None | str]  # $ BlockingCall kind=database; QueryStart kind=query entities=User; QueryStep kind=order_by args=User.id; RowFetch kind=all executes
    first, second = db.query(User.id, User.name).first()  # $ BlockingCall kind=database; QueryStart kind=query entities=User.id,User.name; RowFetch kind=first may_be_none executes
    second  # : None | str
    return first
