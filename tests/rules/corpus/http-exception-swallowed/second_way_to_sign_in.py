"""A key that is refused leaves the caller to the headers, which refuse with the same status; and one that lets all go on."""

from fastapi import FastAPI, HTTPException, Request

app = FastAPI()
KEYS = {"k-17"}


@app.get("/orders")
def orders(request: Request) -> str:
    try:
        if request.headers.get("x-key") not in KEYS:
            raise HTTPException(401)
        return "by key"
    except Exception:
        pass
    if not request.headers.get("x-user"):
        raise HTTPException(401)
    return "by proxy"


@app.get("/books")
def books(request: Request) -> str:
    try:
        if request.headers.get("x-key") not in KEYS:
            raise HTTPException(401)
    except Exception:  # finding: http-exception-swallowed
        pass
    return "all books"
