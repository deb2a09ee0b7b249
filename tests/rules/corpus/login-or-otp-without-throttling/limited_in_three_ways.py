"""A decorator of slowapi, a counter in Redis, and a counter in the row."""

from fastapi import FastAPI, HTTPException, Request
from passlib.context import CryptContext
from redis import Redis
from slowapi import Limiter
from slowapi.util import get_remote_address

from accounts import Account, find

crypt = CryptContext(schemes=["bcrypt"])
limiter = Limiter(key_func=get_remote_address)
redis = Redis()
app = FastAPI()


@app.post("/login")
@limiter.limit("5/minute")
def log_in(request: Request, name: str, password: str) -> bool:
    return crypt.verify(password, find(name).password_hash)


def count(name: str) -> None:
    if redis.incr(f"tries:{name}") > 5:
        raise HTTPException(429)


@app.post("/login/second")
def log_in_second(name: str, password: str) -> bool:
    count(name)
    return crypt.verify(password, find(name).password_hash)


@app.post("/login/third")
def log_in_third(name: str, password: str) -> bool:
    account: Account = find(name)
    if account.failed_logins > 5:
        raise HTTPException(423)
    if not crypt.verify(password, account.password_hash):
        account.failed_logins += 1
        return False
    return True
