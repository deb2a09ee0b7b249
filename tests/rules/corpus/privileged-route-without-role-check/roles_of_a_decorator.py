"""The decorator is given the roles that may pass, and refuses others."""

from enum import Enum
from functools import wraps

from fastapi import APIRouter, FastAPI, HTTPException, Request


class Role(Enum):
    ADMINISTRATOR = "administrator"
    CLERK = "clerk"


def view(required: list[Role | str]):
    def decorate(function):
        @wraps(function)
        async def run(request: Request, *args, **kwargs):
            user = getattr(request, "user", None)
            if not user:
                raise HTTPException(401)
            if "*" not in required and not any(each in user.names for each in required):
                raise HTTPException(403)
            return await function(request, *args, **kwargs)

        return run

    return decorate


router = APIRouter(prefix="/admin")


@router.delete("/caches")
@view([Role.ADMINISTRATOR])
async def clear_caches(request: Request) -> None: ...


@router.put("/caches")
@view(["*"])
async def fill_caches(request: Request) -> None: ...  # finding: privileged-route-without-role-check


app = FastAPI()
app.include_router(router)
