"""A pause that only a failed attempt takes, one record packed, a tunnel that is kept; an upload may be of any size."""

import json
import time
import zlib

from fastapi import FastAPI, Request, UploadFile

app = FastAPI()


class Settings:
    loaded: dict[str, str]

    def load(self) -> None:
        for attempt in range(3):
            try:
                self.loaded = dict(limit="9")
                return
            except ValueError:
                time.sleep(2**attempt)


def packed(record: dict[str, str]) -> bytes:
    text = json.dumps(record).encode()
    return zlib.compress(text)


def packed_file(content: bytes) -> bytes:
    return zlib.compress(content)


class Tunnel:
    def __init__(self) -> None:
        time.sleep(1)


class Tunnels:
    opened: dict[str, Tunnel]

    async def get(self, host: str) -> Tunnel:
        tunnel = self.opened.get(host)
        if tunnel is not None:
            return tunnel
        tunnel = Tunnel()
        self.opened[host] = tunnel
        return tunnel

    async def renew(self, host: str) -> Tunnel:
        tunnel = Tunnel()  # finding: blocking-call-through-sync-helper
        self.opened[host] = tunnel
        return tunnel


tunnels = Tunnels()


def poll() -> None:
    while True:
        time.sleep(1)


@app.post("/settings")
async def reload() -> None:
    Settings().load()


@app.post("/records")
async def keep(record: dict[str, str]) -> int:
    return len(packed(record))


@app.post("/files")
async def upload(file: UploadFile) -> int:
    return len(packed_file(await file.read()))  # finding: blocking-call-through-sync-helper


@app.post("/poll")
async def wait(request: Request) -> None:
    poll()  # finding: blocking-call-through-sync-helper


@app.post("/tunnels")
async def open_tunnel(host: str) -> None:
    await tunnels.get(host)
    await tunnels.renew(host)
