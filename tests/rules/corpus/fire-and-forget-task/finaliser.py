"""A finaliser has nobody left to keep the task; a method that is called before has."""

import asyncio
import weakref

import httpx
from fastapi import FastAPI

app = FastAPI()


class Client(httpx.AsyncClient):
    def __del__(self) -> None:
        asyncio.get_running_loop().create_task(self.aclose())

    def reset(self) -> None:
        asyncio.get_running_loop().create_task(self.aclose())  # finding: fire-and-forget-task


def close(client: httpx.AsyncClient) -> None:
    asyncio.get_running_loop().create_task(client.aclose())


def watch(client: httpx.AsyncClient) -> None:
    weakref.finalize(client, close, client)
