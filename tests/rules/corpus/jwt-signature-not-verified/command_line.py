"""A command prints the claims of a token that somebody types; what an operation calls is reported."""

import argparse
from typing import Any

import jwt
from fastapi import FastAPI

app = FastAPI()


def shown(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})


def used(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})  # finding: jwt-signature-not-verified


@app.get("/me")
def read_me(token: str) -> str:
    return used(token)["sub"]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("token")
    token = parser.parse_args().token
    print(shown(token), used(token))


if __name__ == "__main__":
    main()
