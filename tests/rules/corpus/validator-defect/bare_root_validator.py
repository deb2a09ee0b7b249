"""No manifest: Pydantic 2 refuses a bare `root_validator`, so this is version 1, which answers a TypeError with 422."""

from fastapi import FastAPI
from pydantic import BaseModel, root_validator, validator

app = FastAPI()


class Trip(BaseModel):
    country: str

    @validator("country")
    def known(cls, value):
        if value == "":
            raise TypeError("a country has a name")
        return value

    @root_validator
    def in_order(cls, values):
        return values


@app.post("/trips")
def add_trip(trip: Trip) -> Trip:
    return trip
