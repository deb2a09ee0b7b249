"""Errors of the program's own class put what they are given into the detail, or do not."""

from typing import Annotated

import jwt
from fastapi import FastAPI, Header, HTTPException
from fastapi.responses import JSONResponse

app = FastAPI()


class Unauthorized(HTTPException):
    def __init__(self, description: str = "not valid", **details: object) -> None:
        super().__init__(status_code=401, detail={"error": description, **details})


class Refused(HTTPException):
    def __init__(self, reason: str, access_token: str = "") -> None:
        super().__init__(status_code=403, detail=reason)
        self.seen = hash(access_token)


def verified(access_token: str | None) -> dict:
    if access_token is None:
        raise Unauthorized(token=access_token, description="no token")  # silent: there is none
    claims = jwt.decode(access_token, "k", algorithms=["HS256"])
    invalid = Unauthorized(access_token=access_token, description="no subject")  # finding: credential-echoed-in-error
    if "sub" not in claims:
        raise invalid
    if claims["sub"] == "mallory":
        raise Refused("blocked", access_token)  # silent: the detail does not hold it
    return claims


@app.get("/account")
def account(access_token: Annotated[str | None, Header()] = None) -> dict:
    return verified(access_token)


@app.post("/logins")
def log_in(name: str, password: str) -> object:
    if len(password) > 100:
        raise HTTPException(400, f"The password of {name} has {len(password)} characters.")  # silent: how many
    if password != "dragon":
        return JSONResponse({"error": f"{password} is wrong"}, status_code=401)  # finding: credential-echoed-in-error
    return JSONResponse({"access_token": "t"}, status_code=200)  # silent: this is what was asked for


@app.get("/devices")
def devices(api_key_id: int, x_api_key: Annotated[str, Header()]) -> list[str]:
    if api_key_id < 0:
        raise HTTPException(404, f"There is no key {api_key_id}.")  # silent: its number
    raise HTTPException(403, {"message": "This key is not known.", "key": x_api_key[-4:]})  # silent: its end
