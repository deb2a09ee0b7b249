import hashlib
import random
import secrets
import string
import time
import uuid
from random import randint

from fastapi import FastAPI, Response
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

app = FastAPI()
resets: dict[str, str] = {}


class Base(DeclarativeBase):
    pass


class Account(Base):
    __tablename__ = "accounts"
    id: Mapped[int] = mapped_column(primary_key=True)
    reset_token: Mapped[str] = mapped_column()
    colour: Mapped[str] = mapped_column()


def generate_code() -> str:
    return "".join(random.choice(string.digits) for _ in range(6))  # finding: predictable-security-token (goes into an otp)


def random_name() -> str:
    return "".join(random.choice(string.ascii_letters) for _ in range(6))  # silent: a file's name


def remember(token: str) -> None:
    resets[token] = "ada"


@app.post("/codes")
def send_code() -> None:
    otp = generate_code()
    remember(f"{uuid.uuid1()}")  # finding: predictable-security-token


@app.post("/accounts")
def register(email: str, response: Response) -> None:
    account = Account(reset_token=str(randint(10**20, 10**21)), colour=random.choice(["red", "blue"]))  # finding: predictable-security-token
    account.reset_token = hashlib.md5(email.encode()).hexdigest()  # finding: predictable-security-token
    api_key = f"key-{int(time.time())}"  # finding: predictable-security-token
    response.set_cookie(key="session_id", value=uuid.uuid1().hex)  # finding: predictable-security-token
    response.set_cookie("banner", str(random.randint(1, 4)))  # silent: which picture is shown


@app.post("/keys")
def make_key(email: str) -> str:
    api_key = secrets.token_hex(4)  # finding: predictable-security-token
    return api_key
