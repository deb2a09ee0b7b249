"""A handler of its own logs the body, and answers with all errors."""

import logging

from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, SecretStr


class SignUp(BaseModel):
    name: str
    new_password: SecretStr


app = FastAPI()


@app.exception_handler(RequestValidationError)
async def invalid(request: Request, exc: RequestValidationError) -> JSONResponse:  # finding: validation-error-echoes-secrets
    logging.warning("invalid input: %s", exc.body)
    return JSONResponse(jsonable_encoder({"detail": exc.errors()}), status_code=422)


@app.post("/sign-up")
def sign_up(form: SignUp) -> None: ...
