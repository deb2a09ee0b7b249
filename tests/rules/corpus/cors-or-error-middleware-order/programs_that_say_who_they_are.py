"""An answer that only an old client program gets, by what it says in its User-Agent."""

from fastapi import FastAPI, Request, Response
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse


def client_version(request: Request) -> str | None:
    agent = request.headers.get("user-agent", "")
    return agent.partition("/")[2] if agent.startswith("shop-client/") else None


def tenant(request: Request) -> str | None:
    return request.headers.get("x-tenant")


app = FastAPI()
app.add_middleware(CORSMiddleware, allow_origins=["https://shop.example"])


@app.middleware("http")
async def refuse_old_clients(request: Request, call_next) -> Response:
    version = client_version(request)
    if version is not None:
        if version < "2":
            return JSONResponse({"detail": "Update the client."}, status_code=400)
    return await call_next(request)


partners = FastAPI()
partners.add_middleware(CORSMiddleware, allow_origins=["https://shop.example"])  # finding: cors-or-error-middleware-order


@partners.middleware("http")
async def refuse_tenants(request: Request, call_next) -> Response:
    name = tenant(request)
    if name is not None:
        if name == "blocked":
            return JSONResponse({"detail": "Blocked."}, status_code=403)
    return await call_next(request)
