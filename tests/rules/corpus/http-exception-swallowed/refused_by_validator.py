"""A test that a validator of the same field has answered never holds in the handler."""

import re

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, field_validator

app = FastAPI()
EMAIL = re.compile(r"^\S+@\S+$")
SHORT = re.compile(r"^\S{1,9}$")


class Change(BaseModel):
    email: str
    name: str

    @field_validator("email")
    @classmethod
    def check_email(cls, v):
        if not EMAIL.match(v):
            raise ValueError("no address")
        return v

    @field_validator("name")
    @classmethod
    def check_name(cls, v):
        if not SHORT.match(v):
            v = v[:9]
        return v


@app.post("/email")
def change_email(change: Change):
    try:
        email = change.email
        if not EMAIL.match(email):
            raise HTTPException(400)
        return email
    except Exception:
        return {"changed": False}


@app.post("/email-at-once")
def change_email_at_once(change: Change):
    try:
        if not EMAIL.match(change.email):
            raise HTTPException(400)
        return change.email
    except Exception:
        return {"changed": False}


@app.post("/short-email")
def change_short_email(change: Change):
    try:
        if not SHORT.match(change.email):
            raise HTTPException(400)
        return change.email
    except Exception:  # finding: http-exception-swallowed another test
        return {"changed": False}


@app.post("/name")
def change_name(change: Change):
    try:
        if not EMAIL.match(change.name):
            raise HTTPException(400)
        return change.name
    except Exception:  # finding: http-exception-swallowed the test of another field
        return {"changed": False}


@app.post("/short-name")
def change_short_name(change: Change):
    try:
        if not SHORT.match(change.name):
            raise HTTPException(400)
        return change.name
    except Exception:  # finding: http-exception-swallowed the validator raises nothing
        return {"changed": False}
