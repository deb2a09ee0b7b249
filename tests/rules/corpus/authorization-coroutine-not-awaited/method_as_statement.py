"""The check is a method of an injected service and stands alone: its refusal never comes."""

from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException


class Policy:
    async def require_owner(self, user: str, page: int) -> None:
        if user != "alice":
            raise HTTPException(403)


app = FastAPI()


@app.put("/pages/{page}")
async def replace_page(page: int, user: str, policy: Annotated[Policy, Depends()]) -> str:
    policy.require_owner(user, page)  # finding: authorization-coroutine-not-awaited
    return "replaced"
