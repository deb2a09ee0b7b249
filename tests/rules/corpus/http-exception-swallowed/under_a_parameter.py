"""What is raised under `if expected:` cannot come out of a call that does not pass `expected`."""

from fastapi import FastAPI, HTTPException

app = FastAPI()
VERSIONS = {1: 3}


def store(number: int, expected: int | None = None, strict: bool = False) -> int:
    if expected is not None and VERSIONS.get(number) != expected:
        raise HTTPException(409, "Somebody else was faster.")
    if strict:
        raise HTTPException(423, "The book is locked.")
    return number


def store_or_default(number: int, expected: int | None = None) -> int:
    expected = expected or 1
    if expected:
        raise HTTPException(409, "Somebody else was faster.")
    return number


@app.put("/books/{number}")
def put_book(number: int) -> int:
    try:
        return store(number, strict=False)
    except Exception as error:  # silent: neither parameter is given
        raise HTTPException(500, "The book was not stored.") from error


@app.put("/books/{number}/versions/{version}")
def put_version(number: int, version: int) -> int:
    try:
        return store(number, version)
    except Exception as error:  # finding: http-exception-swallowed: the version is given
        raise HTTPException(500, "The version was not stored.") from error


@app.put("/books/{number}/lock")
def lock_book(number: int) -> int:
    options = {"strict": True}
    try:
        return store(number, **options)
    except Exception as error:  # finding: http-exception-swallowed: anything may be among the options
        raise HTTPException(500, "The book was not locked.") from error


@app.put("/drafts/{number}")
def put_draft(number: int) -> int:
    try:
        return store_or_default(number)
    except Exception as error:  # finding: http-exception-swallowed: the parameter gets another value
        raise HTTPException(500, "The draft was not stored.") from error
