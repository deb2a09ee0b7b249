"""Removed in `finally`, or behind `async for`, or by a manager; nothing registered; sends that fail alone."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

app = FastAPI()
sockets: set[WebSocket] = set()


async def broadcast(text: str) -> None:
    for socket in list(sockets):
        try:
            await socket.send_text(text)
        except (WebSocketDisconnect, RuntimeError):
            sockets.discard(socket)


async def broadcast_quietly(text: str) -> None:
    for socket in tuple(sockets):
        with suppress(Exception):
            await socket.send_text(text)


@asynccontextmanager
async def registered(socket: WebSocket) -> AsyncIterator[None]:
    sockets.add(socket)
    try:
        yield
    finally:
        sockets.discard(socket)


@app.websocket("/finally")
async def with_finally(socket: WebSocket) -> None:
    await socket.accept()
    sockets.add(socket)
    try:
        while True:
            await broadcast(await socket.receive_text())
    finally:
        sockets.discard(socket)


@app.websocket("/iterate")
async def with_iteration(socket: WebSocket) -> None:
    await socket.accept()
    sockets.add(socket)
    async for text in socket.iter_text():
        await broadcast_quietly(text)
    sockets.discard(socket)


@app.websocket("/manager")
async def with_a_manager(socket: WebSocket) -> None:
    await socket.accept()
    async with registered(socket):
        while True:
            await socket.send_text(await socket.receive_text())


@app.websocket("/echo")
async def echo(socket: WebSocket) -> None:
    await socket.accept()
    while True:
        for part in await socket.receive_text():
            await socket.send_text(part)
