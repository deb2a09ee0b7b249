"""The password is tested two calls away; the limit of rows in a query is no limit of attempts."""

from fastapi import APIRouter, FastAPI, HTTPException
from passlib.context import CryptContext
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Account, session

crypt = CryptContext(schemes=["bcrypt"])


class Login(BaseModel):
    name: str
    password: str


class AccountService:
    def __init__(self, session: Session) -> None:
        self.session = session

    def authenticate(self, login: Login) -> Account | None:
        account = self.session.scalars(select(Account).where(Account.name == login.name).limit(1)).first()
        return account if account is not None and crypt.verify(login.password, account.password_hash) else None


router = APIRouter(prefix="/auth")


@router.post("/token")
def make_token(login: Login) -> str:  # finding: login-or-otp-without-throttling
    account = AccountService(session).authenticate(login)
    if account is None:
        raise HTTPException(401)
    return account.name


app = FastAPI()
app.include_router(router)
