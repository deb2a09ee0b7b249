"""Pydantic refuses the None of a validator that runs before the type is checked; behind it nothing does."""

from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel, field_validator

app = FastAPI()


class Alert(BaseModel):
    deleted: bool
    silent: bool

    @field_validator("deleted", mode="before")
    @classmethod
    def of_lists(cls, value: Any) -> Any:  # finding: validator-defect (minor: None is refused with 422)
        if isinstance(value, bool):
            return value
        if isinstance(value, list):
            return bool(value)

    @field_validator("silent", mode="after")
    @classmethod
    def by_night(cls, value: bool) -> bool:  # finding: validator-defect
        if value != cls.deleted:
            return value


@app.post("/alerts")
def add(alert: Alert) -> Alert:
    return alert
