"""Claims of tokens that the application fetched itself, several calls away; and of one that the client sends."""

import base64
import json
from typing import Any

import httpx
from fastapi import FastAPI

app = FastAPI()


class SignOn:
    def claims(self, token: str) -> dict[str, Any]:
        parts = token.split(".")
        payload = parts[1] + "=="
        return json.loads(base64.urlsafe_b64decode(payload))

    def sent_claims(self, token: str) -> dict[str, Any]:
        payload = token.split(".")[1]
        return json.loads(base64.urlsafe_b64decode(payload))  # finding: jwt-signature-not-verified

    async def exchange(self, code: str) -> dict[str, str]:
        async with httpx.AsyncClient(timeout=5) as client:
            answer = await client.post("https://login.example.com/token", data={"code": code})
        return answer.json()

    async def roles(self, access_token: str) -> list[str]:
        return self.claims(access_token)["roles"]

    async def sign_in(self, code: str) -> list[str]:
        tokens = await self.exchange(code)
        if "scope" not in tokens:
            tokens = dict(tokens)
            tokens["scope"] = "openid"
        return await self.roles(tokens["access_token"])


sign_on = SignOn()


@app.get("/callback")
async def callback(code: str) -> list[str]:
    return await sign_on.sign_in(code)


@app.get("/roles")
async def roles(token: str) -> list[str]:
    return sign_on.sent_claims(token)["roles"]
