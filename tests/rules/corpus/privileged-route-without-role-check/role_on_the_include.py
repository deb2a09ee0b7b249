"""The role is asked for where the router is included."""

from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException


def current_user(authorization: Annotated[str | None, Header()] = None) -> str:
    if authorization is None:
        raise HTTPException(401)
    return authorization


def require_role(name: str):
    def check(user: Annotated[str, Depends(current_user)]) -> None:
        if not user.startswith(name):
            raise HTTPException(403)

    return check


router = APIRouter(prefix="/admin", dependencies=[Depends(current_user)])


@router.delete("/caches")
def clear_caches() -> None: ...


app = FastAPI()
app.include_router(router, dependencies=[Depends(require_role("admin"))])
