"""The error is raised two calls away, by an exception of the project that has its own handler; a bare except
returns.
"""

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse

app = FastAPI()


class MissingError(Exception):
    status_code = 404


@app.exception_handler(MissingError)
async def answer(request: Request, error: MissingError) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, status_code=404)


def find(number: int) -> int:
    if number > 3:
        raise MissingError(number)
    return number


def load(number: int) -> int:
    return find(number)


@app.get("/books/{number}")
def read_book(number: int) -> int:
    try:
        return load(number)
    except Exception as error:  # finding: http-exception-swallowed
        raise HTTPException(500, "The book was not read.") from error


@app.delete("/books/{number}")
def delete_book(number: int) -> dict[str, bool]:
    try:
        if number > 3:
            raise HTTPException(404)
    except:  # finding: http-exception-swallowed
        return {"deleted": False}
    return {"deleted": True}
