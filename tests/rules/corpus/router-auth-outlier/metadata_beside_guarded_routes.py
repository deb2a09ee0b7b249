"""Harmless: a GET without inputs that reads nothing answers everybody alike, and a route that is gone refuses. Harmful: one that reads a row by its id."""

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse

STORE = {1: "secret"}


def signed_in(request: Request) -> str:
    if request.headers.get("authorization") != "x":
        raise HTTPException(401)
    return "x"


router = APIRouter(prefix="/scim")
guard = [Depends(signed_in)]


@router.get("/users", dependencies=guard)
def users() -> list[str]:
    return list(STORE.values())


@router.post("/users", dependencies=guard)
def create() -> None: ...


@router.put("/users/{user_id}", dependencies=guard)
def replace(user_id: int) -> None: ...


@router.patch("/users/{user_id}", dependencies=guard)
def patch(user_id: int) -> None: ...


@router.get("/groups", dependencies=guard)
def groups() -> None: ...


@router.put("/groups/{group_id}", dependencies=guard)
def replace_group(group_id: int) -> None: ...


@router.delete("/groups/{group_id}", dependencies=guard)
def delete_group(group_id: int) -> None: ...


@router.delete("/tenants", dependencies=guard)
def delete_tenants() -> None: ...


@router.get("/tenants", dependencies=guard)
def tenants() -> None: ...


@router.put("/tenants/{tenant_id}", dependencies=guard)
def replace_tenant(tenant_id: int) -> None: ...


@router.patch("/tenants/{tenant_id}", dependencies=guard)
def patch_tenant(tenant_id: int) -> None: ...


@router.post("/tenants/{tenant_id}")
def create_tenant(tenant_id: int) -> JSONResponse:
    """Gone: tenants are made by the operator."""
    return JSONResponse(status_code=410, content={"detail": "gone"})


@router.delete("/users/{user_id}", dependencies=guard)
def delete_user(user_id: int) -> None: ...


@router.get("/schemas")
def schemas() -> dict[str, str]:
    return {"user": "urn:ietf:params:scim:schemas:core:2.0:User"}


@router.get("/roles1", dependencies=guard)
def roles1() -> None: ...


@router.get("/roles2", dependencies=guard)
def roles2() -> None: ...


@router.get("/roles3", dependencies=guard)
def roles3() -> None: ...


@router.get("/roles4", dependencies=guard)
def roles4() -> None: ...


@router.get("/roles5", dependencies=guard)
def roles5() -> None: ...


@router.get("/{kind}/schema")
def schema(kind: str) -> dict[str, str]:
    return {"user": "object"} if kind == "user" else {}


@router.get("/users/{user_id}")
def read(user_id: int) -> str:  # finding: router-auth-outlier
    return STORE[user_id]


app = FastAPI()
app.include_router(router)
