"""Handlers for the base class and for 404 bring everything into one shape, whatever is raised."""

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException as BaseHTTPException

app = FastAPI()


def envelope(status: int, text: str) -> JSONResponse:
    return JSONResponse({"error": text}, status_code=status)


async def on_error(request: Request, error: BaseHTTPException) -> JSONResponse:
    return envelope(error.status_code, str(error.detail))


async def on_missing(request: Request, error: BaseHTTPException) -> JSONResponse:
    return envelope(404, "there is nothing at this address")


app.add_exception_handler(BaseHTTPException, on_error)
app.add_exception_handler(HTTPException, on_error)
app.add_exception_handler(404, on_missing)


@app.get("/a/{number}")
def read(number: int) -> int:
    if number > 3:
        raise HTTPException(404, detail={"code": "missing"})
    if number < 0:
        raise HTTPException(400, detail={"code": "negative"})
    if number == 0:
        raise HTTPException(400, "zero")
    raise HTTPException(409, "taken")
