"""Harmful: a POST that runs a check with what it is sent is no probe of a load balancer. Harmless: the probe. The guard comes from a
package that is not in the tree, and is known by its name."""

from typing import Any

from accounts.identity import IdentityFactory
from fastapi import APIRouter, Depends, FastAPI, Request

router = APIRouter(prefix="/providers")


@router.get("")
def providers(entity: object = Depends(IdentityFactory.get_auth_verifier(["read:providers"]))) -> list[str]:
    return []


@router.get("/{provider_id}")
def provider(provider_id: str, entity: object = Depends(IdentityFactory.get_auth_verifier(["read:providers"]))) -> str:
    return provider_id


@router.put("/{provider_id}")
def change(provider_id: str, entity: object = Depends(IdentityFactory.get_auth_verifier(["write:providers"]))) -> str:
    return provider_id


@router.delete("/{provider_id}")
def delete(provider_id: str, entity: object = Depends(IdentityFactory.get_auth_verifier(["write:providers"]))) -> str:
    return provider_id


@router.post("/test")
def test(entity: object = Depends(IdentityFactory.get_auth_verifier(["write:providers"]))) -> str:
    return "tested"


@router.get("/{provider_id}/log")
def log(provider_id: str, entity: object = Depends(IdentityFactory.get_auth_verifier(["read:providers"]))) -> str:
    return provider_id


@router.post("/install")
def install(entity: object = Depends(IdentityFactory.get_auth_verifier(["write:providers"]))) -> str:
    return "installed"


@router.post("/healthcheck")
async def healthcheck_provider(request: Request) -> Any:  # finding: router-auth-outlier
    return await request.json()


@router.get("/{provider_id}/alerts")
def alerts(provider_id: str, entity: object = Depends(IdentityFactory.get_auth_verifier(["read:alerts"]))) -> str:
    return provider_id


@router.get("/health")
def health() -> str:
    return "ok"


app = FastAPI()
app.include_router(router)
