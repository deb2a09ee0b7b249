"""Pydantic 1, as the file beside the package says: it answers what a validator raises."""

from fastapi import FastAPI
from pydantic import BaseModel, validator

app = FastAPI()


class Trip(BaseModel):
    country: str

    @validator("country")
    def known(cls, value):
        if value == "":
            raise TypeError("a country has a name")
        return value


@app.post("/trips")
def add_trip(trip: Trip) -> Trip:
    return trip
