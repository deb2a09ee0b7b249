"""No model is declared that could be gone around; another route sends a file."""

from fastapi import FastAPI
from fastapi.responses import FileResponse, JSONResponse
from pydantic import BaseModel


class Wide(BaseModel):
    name: str
    salary: int


app = FastAPI()


@app.get("/person")
def person() -> JSONResponse:
    return JSONResponse(content=Wide(name="a", salary=1).model_dump())


@app.get("/file", response_model=Wide)
def file():
    return FileResponse("report.pdf")
