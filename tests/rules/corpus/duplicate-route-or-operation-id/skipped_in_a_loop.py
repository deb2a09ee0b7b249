"""A loop registers many paths and leaves out those that another router serves; one that it does not leave out."""

from dataclasses import dataclass

from fastapi import APIRouter, FastAPI


@dataclass
class Prefix:
    paths: list[str]


PREFIXES = [Prefix(["/chat", "/embeddings"]), Prefix(["/rerank"])]
SERVED_ELSEWHERE = {"/rerank"}


def proxy() -> str:
    return "proxied"


def make_router() -> APIRouter:
    router = APIRouter()
    for prefix in PREFIXES:
        for path in prefix.paths:
            if path in SERVED_ELSEWHERE:
                continue
            router.add_api_route(path, proxy, methods=["POST"])
    for path in ("/images", "/rerank", "/audio"):
        if path not in SERVED_ELSEWHERE and path != "/audio":
            router.add_api_route(path, proxy, methods=["POST"])
    return router


own = APIRouter()


@own.post("/rerank")
def rerank() -> str:
    return "ranked"


@own.post("/audio")
def hear() -> str:
    return "heard"


@own.post("/embeddings")
def embed() -> str:  # finding: duplicate-route-or-operation-id
    return "embedded"


app = FastAPI()
app.include_router(make_router())
app.include_router(own)
