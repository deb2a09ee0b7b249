"""A command of the same project has a loop of its own: nobody waits for it but its user."""

import asyncio

import requests
from fastapi import FastAPI

app = FastAPI()


async def copy_all() -> int:
    return len(requests.get("https://books.example/all", timeout=30).content)


def command() -> None:
    print(asyncio.run(copy_all()))
