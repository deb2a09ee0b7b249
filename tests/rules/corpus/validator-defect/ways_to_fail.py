"""A model validator without `return self`, one way without a return, a hidden one, a KeyError and unchecked
input.
"""

from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel, field_validator, model_validator

app = FastAPI()
CODES = {"CH": 41}


class Trip(BaseModel):
    start: int
    end: int
    country: str
    name: str
    seat: str

    @model_validator(mode="after")
    def in_order(self) -> "Trip":  # finding: validator-defect
        if self.end < self.start:
            raise ValueError("the end lies before the start")

    @field_validator("country")
    @classmethod
    def known(cls, value: str) -> str:  # finding: validator-defect
        if value not in CODES:
            raise KeyError(value)
        return value

    @field_validator("name")
    @classmethod
    def trimmed(cls, value: str) -> str:  # finding: validator-defect
        if value:
            return value.strip()

    @classmethod
    @field_validator("seat")
    def upper(cls, value: str) -> str:  # finding: validator-defect
        return value.upper()

    @model_validator(mode="before")
    @classmethod
    def defaults(cls, data: Any) -> Any:  # finding: validator-defect
        data.setdefault("name", "a trip")
        return data


@app.post("/trips")
def add_trip(trip: Trip) -> Trip:
    return trip
