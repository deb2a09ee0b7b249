"""A project that leaves errors out of its documentation altogether has decided so."""

from fastapi import FastAPI, HTTPException

app = FastAPI()


@app.get("/books/{book}")
def get_book(book: int) -> str:
    if book < 0:
        raise HTTPException(404)
    return "Emma"
