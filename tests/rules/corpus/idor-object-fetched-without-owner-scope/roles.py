"""A role that everybody has who signs up keeps nobody from the rows of others; one that staff has does."""

from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer
from sqlalchemy import ForeignKey, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

app = FastAPI()
bearer = OAuth2PasswordBearer(tokenUrl="token")
engine = create_engine("sqlite://")


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[str]
    role: Mapped[str]


class Order(Base):
    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))


def get_db():
    with Session(engine) as session:
        yield session


def current_user(token: str = Depends(bearer), db: Session = Depends(get_db)) -> User:
    user = db.query(User).filter(User.token == token).first()
    if user is None:
        raise HTTPException(401)
    return user


class RoleChecker:
    def __init__(self, roles: list[str]) -> None:
        self.roles = roles

    def __call__(self, user: User = Depends(current_user)) -> None:
        if user.role not in self.roles:
            raise HTTPException(403)


@app.get("/orders")
def own_orders(user: User = Depends(current_user), db: Session = Depends(get_db)) -> list[int]:
    return [order.id for order in db.query(Order).filter(Order.user_id == user.id).all()]


@app.get("/orders/latest")
def latest_order(user: User = Depends(current_user), db: Session = Depends(get_db)) -> int:
    order = db.query(Order).filter(Order.user_id == user.id).order_by(Order.id.desc()).first()
    if order is None:
        raise HTTPException(404)
    return order.id


@app.get("/orders/{order_id}", dependencies=[Depends(RoleChecker(["customer"]))])
def order_of_anybody(order_id: int, db: Session = Depends(get_db)) -> dict[str, int]:
    order = db.query(Order).filter(Order.id == order_id).first()  # finding: idor-object-fetched-without-owner-scope
    if order is None:
        raise HTTPException(404)
    return {"id": order.id, "user": order.user_id}


@app.get("/desk/orders/{order_id}", dependencies=[Depends(RoleChecker(["chef"]))])
def order_for_the_kitchen(order_id: int, db: Session = Depends(get_db)) -> dict[str, int]:
    order = db.query(Order).filter(Order.id == order_id).first()
    if order is None:
        raise HTTPException(404)
    return {"id": order.id, "user": order.user_id}
