"""The machine's own name stands in a file; another's is asked for over the network."""

import socket

from fastapi import FastAPI

app = FastAPI()


@app.get("/about")
async def about() -> str:
    name = socket.gethostname()
    return socket.gethostbyname(name)


@app.get("/lookup")
async def lookup(host: str) -> str:
    return socket.gethostbyname(host)  # finding: sync-network-client-in-async
