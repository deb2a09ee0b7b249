"""Which paths the loop leaves out is known when the program runs; without a skip the second one never answers."""

import os

from fastapi import APIRouter, FastAPI

app = FastAPI()
disabled = os.environ["DISABLED"].split(",")


def proxy() -> str:
    return "proxied"


router = APIRouter()
for path in ("/rerank", "/score"):
    if path in disabled:
        continue
    router.add_api_route(path, proxy)
for path in ("/chat",):
    router.add_api_route(path, proxy)
app.include_router(router)


@app.get("/rerank")
def rerank() -> str:
    return "ranked"


@app.get("/chat")
def chat() -> str:  # finding: duplicate-route-or-operation-id
    return "answered"
