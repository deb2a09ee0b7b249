"""There are settings, and two more modules read the environment by themselves at import."""

from fastapi import FastAPI
from mail import HOST
from search import INDEX
from settings import settings

app = FastAPI(title=settings.title)


@app.get("/")
def read() -> list[str]:
    return [HOST, INDEX]
