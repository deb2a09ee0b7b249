"""The algorithm is that of the provider's key, not of the token: `alg` is read from the key set."""

import jwt
from fastapi import FastAPI

KEY_SET = {"keys": [{"kid": "1", "alg": "RS256", "n": "", "e": ""}]}
app = FastAPI()


@app.get("/a")
def by_published_key(token: str) -> dict[str, str]:
    key = KEY_SET["keys"][0]
    return jwt.decode(token, key["n"], algorithms=[key["alg"]])


@app.get("/b")
def without_list(token: str) -> dict[str, str]:
    return jwt.decode(token, KEY_SET["keys"][0]["n"])
