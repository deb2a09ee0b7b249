"""The project has declared its layers and has them checked: customary names do not count."""

from fastapi import FastAPI
from service import find

app = FastAPI()


@app.get("/books/{number}")
def read(number: int) -> str:
    return find(number)
