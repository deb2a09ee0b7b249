"""What goes around the model: fields of another answer are minor, a class that adds to the model is not."""

from fastapi import FastAPI
from fastapi.responses import JSONResponse
from pydantic import BaseModel

app = FastAPI()


class JobOut(BaseModel):
    id: int
    state: str


class Job(BaseModel):
    id: int
    state: str
    chapters: int


class Person(JobOut):
    wage: int


@app.get("/job", response_model=JobOut)
def job() -> JSONResponse:
    found = Job(id=1, state="done", chapters=2)
    return JSONResponse(content=found.model_dump())  # finding: response-model-bypassed (minor)


@app.get("/person", response_model=JobOut)
def person() -> JSONResponse:
    found = Person(id=1, state="done", wage=2)
    return JSONResponse(content=found.model_dump())  # finding: response-model-bypassed
