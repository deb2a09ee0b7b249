"""An action, a sign-in, an own response, a status on the parameter, a value that has an error field."""

from typing import Annotated

from fastapi import Depends, FastAPI, Response
from fastapi.responses import JSONResponse
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

app = FastAPI()


class Base(DeclarativeBase):
    pass


class LoginAttempt(Base):
    __tablename__ = "attempts"

    id: Mapped[int] = mapped_column(primary_key=True)


class Order(Base):
    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)


def get_session() -> Session:
    raise NotImplementedError


SessionDep = Annotated[Session, Depends(get_session)]


@app.post("/login")
def log_in(session: SessionDep) -> dict[str, str]:
    session.add(LoginAttempt())
    session.commit()
    return {"access_token": "..."}


@app.post("/orders")
def create(session: SessionDep, response: Response) -> int:
    order = Order()
    session.add(order)
    session.commit()
    response.status_code = 201
    return order.id


@app.post("/orders/{number}/cancellation")
def cancel(session: SessionDep, number: int) -> int:
    session.add(Order())
    session.commit()
    return number


@app.delete("/orders/{number}")
def delete(number: int) -> Response:
    return Response(status_code=204)


@app.delete("/lines/{number}")
def delete_line(number: int) -> dict[str, int]:
    return {"deleted": number}


@app.get("/orders/{number}")
def read(number: int) -> object:
    if number > 3:
        return JSONResponse({"error": "no such order"}, status_code=404)
    return {"error": None, "number": number}
