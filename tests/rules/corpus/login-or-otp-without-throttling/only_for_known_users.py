"""The password is tested again for a user who is known already, and a middleware limits everything else."""

from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException
from passlib.context import CryptContext

crypt = CryptContext(schemes=["bcrypt"])
app = FastAPI()


def current_user(authorization: Annotated[str, Header()]) -> str:
    if authorization != "Bearer alice":
        raise HTTPException(401)
    return "alice"


@app.post("/me/password")
def change(old: str, new: str, user: Annotated[str, Depends(current_user)]) -> bool:
    return crypt.verify(old, "$2b$12$abc") and old != new
