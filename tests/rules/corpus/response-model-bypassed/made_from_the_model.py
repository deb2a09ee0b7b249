"""The content is made from the declared model, and the other response is an error."""

from fastapi import FastAPI
from fastapi.responses import JSONResponse
from pydantic import BaseModel


class Wide(BaseModel):
    name: str
    salary: int


class Narrow(BaseModel):
    name: str


app = FastAPI()


@app.get("/person", response_model=Narrow)
def person(found: bool = True):
    wide = Wide(name="a", salary=1)
    if not found:
        return JSONResponse(status_code=404, content={"detail": wide.model_dump()})
    return JSONResponse(content=Narrow.model_validate(wide.model_dump()).model_dump())
