"""Every way returns or raises, through branches, `try` and `match`; input is looked at before it is used."""

from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel, field_validator, model_validator

app = FastAPI()


class Trip(BaseModel):
    start: int
    end: int
    country: str
    name: str = ""
    etag: str | None = None
    code: str | None = None

    @model_validator(mode="after")
    def in_order(self) -> "Trip":
        if self.end < self.start:
            raise ValueError("the end lies before the start")
        return self

    @field_validator("country")
    @classmethod
    def known(cls, value: str) -> str:
        match value:
            case "CH" | "DE":
                return value
            case _:
                raise ValueError("unknown country")

    @field_validator("end", mode="before")
    @classmethod
    def number(cls, value: Any) -> Any:
        try:
            return int(value.strip())
        except AttributeError:
            return value

    @field_validator("name", mode="before")
    @classmethod
    def text(cls, value: Any) -> Any:
        if isinstance(value, str):
            return value.strip()
        else:
            return value

    @field_validator("etag", mode="before")
    @classmethod
    def unquoted(cls, value: str | None) -> str | None:
        if value:
            return value.replace('"', "")

    @field_validator("code")
    @classmethod
    def refused(cls, value: str | None) -> str | None:
        if value is None:
            return
        raise ValueError("codes are made by the server")

    @model_validator(mode="before")
    @classmethod
    def defaults(cls, data: Any) -> Any:
        if isinstance(data, dict):
            data.setdefault("start", 0)
        return data


@app.post("/trips")
def add_trip(trip: Trip) -> Trip:
    return trip
