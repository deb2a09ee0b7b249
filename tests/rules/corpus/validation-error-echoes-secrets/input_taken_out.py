"""The handler takes the input out before it answers."""

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel


class SignUp(BaseModel):
    name: str
    password: str


async def invalid(request: Request, exc: RequestValidationError) -> JSONResponse:
    errors = exc.errors()
    for error in errors:
        error.pop("input", None)
    return JSONResponse({"detail": errors}, status_code=422)


app = FastAPI()
app.add_exception_handler(RequestValidationError, invalid)


@app.post("/sign-up")
def sign_up(form: SignUp) -> None: ...
