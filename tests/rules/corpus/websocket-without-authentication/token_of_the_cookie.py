"""A dependency decodes the cookie's token through an object of its own, and raises an error of its own."""

from typing import Annotated, Any

import jwt
from fastapi import Depends, FastAPI, Request, WebSocket

app = FastAPI()


class JWTDecodeError(Exception):
    """Answered with 422 by a handler of the application."""


class Tokens:
    def __init__(self, request: Request = None) -> None:
        self.request = request

    def subject(self, websocket: WebSocket | None = None) -> dict[str, Any]:
        holder = websocket or self.request
        return self.decoded(holder.cookies.get("access_token"))

    def decoded(self, token: str | None) -> dict[str, Any]:
        try:
            return jwt.decode(token, "a-key-of-the-deployment-0123456789", algorithms=["HS256"])
        except Exception as error:
            raise JWTDecodeError from error


def user_of_request(auth_jwt: Annotated[Tokens, Depends()]) -> dict[str, Any]:
    return auth_jwt.subject()


def user_of_socket(websocket: WebSocket, auth_jwt: Annotated[Tokens, Depends()]) -> dict[str, Any]:
    return auth_jwt.subject(websocket=websocket)


@app.get("/me")
def me(user: Annotated[dict[str, Any], Depends(user_of_request)]) -> dict[str, Any]:
    return user


@app.websocket("/feed")
async def feed(websocket: WebSocket, user: Annotated[dict[str, Any], Depends(user_of_socket)]) -> None:
    await websocket.accept()
