"""No manifest: `root_validator(pre=True)` is in both versions, and Pydantic 2 answers a TypeError with 500."""

from fastapi import FastAPI
from pydantic import BaseModel, root_validator, validator

app = FastAPI()


class Trip(BaseModel):
    country: str

    @validator("country")
    def known(cls, value):  # finding: validator-defect
        if value == "":
            raise TypeError("a country has a name")
        return value

    @root_validator(pre=True)
    def in_order(cls, values):
        return values


@app.post("/trips")
def add_trip(trip: Trip) -> Trip:
    return trip
