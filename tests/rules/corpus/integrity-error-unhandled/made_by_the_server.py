"""Values that the server makes up do not repeat, and columns without a constraint may."""

import secrets

from fastapi import FastAPI
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

app = FastAPI()
engine = create_engine("sqlite://")


class Base(DeclarativeBase):
    pass


class Voucher(Base):
    __tablename__ = "vouchers"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    buyer: Mapped[str]


@app.post("/vouchers")
def buy(buyer: str) -> None:
    with Session(engine) as session:
        session.add(Voucher(code=secrets.token_hex(16), buyer=buyer))
        session.commit()
