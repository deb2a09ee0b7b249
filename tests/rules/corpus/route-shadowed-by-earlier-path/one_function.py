"""Two paths of one function: whichever is taken, it answers."""

from fastapi import FastAPI

app = FastAPI()


@app.get("/groups/{path:path}/meta")
@app.get("/groups/{path:path}meta")
def metadata(path: str) -> str:
    return path


@app.get("/books/{book}")
def book(book: str) -> str:
    return book


@app.get("/books/newest")
def newest() -> str:  # finding: route-shadowed-by-earlier-path
    return "newest"
