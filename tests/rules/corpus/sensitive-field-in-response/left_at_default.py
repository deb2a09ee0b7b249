"""A route that sends no defaults does not send what nobody fills; what is filled, or validated from a row, goes out."""

from fastapi import FastAPI
from pydantic import BaseModel


class NewUser(BaseModel):
    name: str
    password: str = ""


class UserOut(NewUser):
    id: int


class StoredUser(NewUser):
    id: int


class CheckedUser(NewUser):
    id: int


app = FastAPI()


def shown(id: int) -> UserOut:
    return UserOut(id=id, name="a")


@app.get("/users/{id}", response_model_exclude_unset=True)
def user(id: int) -> UserOut:
    return shown(id)


@app.get("/users", response_model=list[UserOut], response_model_exclude_defaults=True)
def users():
    return [shown(1), shown(2)]


@app.get("/defaults/{id}", response_model_exclude_none=True)
def with_empty_password(id: int) -> UserOut:  # finding: sensitive-field-in-response
    return shown(id)


@app.get("/stored/{id}", response_model_exclude_unset=True)
def stored(id: int) -> StoredUser:  # finding: sensitive-field-in-response
    return StoredUser(id=id, name="a", password="p")


@app.get("/checked/{id}", response_model_exclude_unset=True)
def checked(id: int) -> CheckedUser:  # finding: sensitive-field-in-response
    return CheckedUser.model_validate({"id": id, "name": "a", "password": "p"})
