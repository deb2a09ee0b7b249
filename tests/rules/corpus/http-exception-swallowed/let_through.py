"""Each clause lets the HTTP error out: by its class, by its status, by raising again, or because it is raised
in the clause.
"""

from fastapi import FastAPI, HTTPException

app = FastAPI()


def charge(number: int) -> None:
    if number > 3:
        raise ValueError(number)


@app.get("/a/{number}")
def first_clause(number: int) -> int:
    try:
        if number > 3:
            raise HTTPException(404)
    except (HTTPException, KeyError):
        raise
    except Exception as error:
        raise HTTPException(500) from error
    return number


@app.get("/b/{number}")
def by_class(number: int) -> int:
    try:
        if number > 3:
            raise HTTPException(404)
    except Exception as error:
        if isinstance(error, HTTPException):
            raise
        raise HTTPException(500) from error
    return number


@app.get("/c/{number}")
def in_the_clause(number: int) -> int:
    try:
        charge(number)
    except Exception as error:
        raise HTTPException(502) from error
    if number < 0:
        raise HTTPException(404)
    return number


@app.get("/d/{number}")
def by_status(number: int) -> int:
    try:
        if number > 3:
            raise HTTPException(404)
    except Exception as error:
        raise HTTPException(getattr(error, "status_code", 500)) from error
    return number


@app.get("/e/{number}")
def server_error_stays_one(number: int) -> int:
    try:
        if number > 3:
            raise HTTPException(503)
    except Exception as error:
        raise HTTPException(500) from error
    return number
