"""Methods of the same names that are nobody's deprecated ones, and the old models that Pydantic 2 ships on purpose."""

import copy
from dataclasses import asdict, dataclass

import httpx
import redis
from fastapi import FastAPI
from pydantic import BaseModel
from pydantic.v1 import BaseModel as OldModel
from pydantic.v1 import validator

app = FastAPI()


class Legacy(OldModel):
    name: str

    class Config:  # silent: `pydantic.v1` is not deprecated
        orm_mode = True

    @validator("name")
    @classmethod
    def strip(cls, value: str) -> str:
        return value.strip()


@dataclass
class Row:
    name: str

    def dict(self) -> dict[str, str]:
        return asdict(self)


class Book(BaseModel):
    title: str

    def json(self) -> str:
        return self.model_dump_json()


@app.get("/rows")
def rows() -> dict[str, str]:
    cache = redis.Redis()
    cache.close()  # silent: the synchronous client is closed by `close`
    return Row("a").dict()


@app.get("/books")
def books() -> str:
    found = httpx.get("https://books.example", timeout=3).json()
    settings = {"a": 1}.copy()
    copy.copy(settings)
    Legacy(name="a").dict()
    return Book(title=str(found)).json()
