"""Harmful: through a helper, a statement, one column after the other. Harmless: only what was sent, only what is not None, every
field has to be sent, a new row, a whole replacement."""

from fastapi import FastAPI
from pydantic import BaseModel
from sqlalchemy import create_engine, update
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

engine = create_engine("sqlite://")


class Base(DeclarativeBase): ...


class Profile(Base):
    __tablename__ = "profiles"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    address: Mapped[str | None]


class ProfileUpdate(BaseModel):
    name: str = ""
    address: str | None = None


class ProfileReplace(BaseModel):
    name: str
    address: str | None = None


class NameChange(BaseModel):
    name: str


def store(session: Session, profile: Profile, change: ProfileUpdate) -> None:
    values = change.model_dump()  # finding: patch-overwrites-with-defaults
    for name, value in values.items():
        setattr(profile, name, value)
    session.commit()


app = FastAPI()


@app.patch("/helper/{profile_id}")
def through_a_helper(profile_id: int, change: ProfileUpdate) -> None:
    with Session(engine) as session:
        store(session, session.get_one(Profile, profile_id), change)


@app.patch("/statement/{profile_id}")
def by_a_statement(profile_id: int, change: ProfileUpdate) -> None:
    with Session(engine) as session:
        session.execute(update(Profile).where(Profile.id == profile_id).values(**change.model_dump()))  # finding: patch-overwrites-with-defaults
        session.commit()


@app.patch("/picked/{profile_id}")
def one_after_the_other(profile_id: int, change: ProfileUpdate) -> None:
    with Session(engine) as session:
        profile = session.get_one(Profile, profile_id)
        values = change.model_dump()  # finding: patch-overwrites-with-defaults
        profile.name = values["name"]
        profile.address = values["address"]
        session.commit()


@app.patch("/sent/{profile_id}")
def only_what_was_sent(profile_id: int, change: ProfileUpdate) -> None:
    with Session(engine) as session:
        profile = session.get_one(Profile, profile_id)
        for name, value in change.model_dump(exclude_unset=True).items():
            setattr(profile, name, value)
        session.commit()


@app.patch("/not-none/{profile_id}")
def only_what_is_not_none(profile_id: int, change: ProfileUpdate) -> None:
    with Session(engine) as session:
        profile = session.get_one(Profile, profile_id)
        for name, value in change.model_dump(exclude_none=True).items():
            setattr(profile, name, value)
        session.commit()


@app.patch("/tested/{profile_id}")
def tests_each_value(profile_id: int, change: ProfileUpdate) -> None:
    with Session(engine) as session:
        profile = session.get_one(Profile, profile_id)
        for name, value in change.model_dump().items():
            if value is not None:
                setattr(profile, name, value)
        session.commit()


@app.patch("/required/{profile_id}")
def has_to_be_sent(profile_id: int, change: NameChange) -> None:
    with Session(engine) as session:
        profile = session.get_one(Profile, profile_id)
        for name, value in change.model_dump().items():
            setattr(profile, name, value)
        session.commit()


@app.put("/profiles/{profile_id}")
def replaces(profile_id: int, profile: ProfileReplace) -> None:
    with Session(engine) as session:
        row = session.get_one(Profile, profile_id)
        for name, value in profile.model_dump().items():
            setattr(row, name, value)
        session.commit()


@app.post("/profiles")
def makes(profile: ProfileUpdate) -> None:
    with Session(engine) as session:
        session.add(Profile(**profile.model_dump()))
        session.commit()
