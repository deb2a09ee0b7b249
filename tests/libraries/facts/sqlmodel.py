from fastapi import Depends
from sqlmodel import Field, Relationship, Session, SQLModel, col, create_engine, select
from sqlmodel.ext.asyncio.session import AsyncSession


class Team(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    heroes: list["Hero"] = Relationship(back_populates="team")


class Hero(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(index=True)
    team: Team | None = Relationship(back_populates="heroes")


engine = create_engine("sqlite://")  # $ EngineCreation


def get_session():
    with Session(engine) as session:  # $ SessionCreation managed bind=engine
        yield session


def synchronous(session: Session = Depends(get_session)):
    heroes = session.exec(select(Hero).where(col(Hero.name) == "x").offset(1).limit(2)).all()  # $ BlockingCall kind=database; QueryStart kind=select entities=Hero; QueryStep kind=where; QueryStep kind=offset args=1; QueryStep kind=limit args=2; RowFetch; SqlExecution
    for hero in heroes:
        hero.team.heroes  # : list[Hero]
    hero = session.get(Hero, 1)  # $ BlockingCall kind=database; SessionGet identity=1
    hero.sqlmodel_update({"name": "x"})  # $ ModelUpdate in_place
    hero.model_dump(exclude_unset=True)  # : dict[str, ?]  # $ ModelDump exclude_unset
    session.add(hero)  # $ SessionAdd instance=hero
    session.commit()  # $ BlockingCall kind=database; Commit
    session.refresh(hero)  # $ BlockingCall kind=database; SessionRefresh instance=hero
    session.exec(select(Hero, Team)).first()  # : None | tuple[Hero, Team]  # $ BlockingCall kind=database; QueryStart kind=select entities=Hero,Team; RowFetch kind=first may_be_none; SqlExecution
    SQLModel.metadata.create_all(engine)  # $ SchemaCreation
    return hero


async def asynchronous(session: AsyncSession):
    (await session.exec(select(Hero))).one()  # : Hero  # $ QueryStart kind=select entities=Hero; RowFetch kind=one; SqlExecution is_async statement=select(Hero)
    await session.commit()  # $ Commit is_async
