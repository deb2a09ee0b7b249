"""An import that goes on behind the answer tells nobody why it failed; the same body as an operation tells its client."""

import asyncio

import httpx
from fastapi import BackgroundTasks, FastAPI, HTTPException
from fastapi.responses import JSONResponse

app = FastAPI()
running = set()


async def fetch(address: str) -> None:
    try:
        async with httpx.AsyncClient(timeout=5) as client:
            await client.get(f"http://files.internal/{address}")
    except Exception as exc:
        raise HTTPException(400, detail=f"Could not import: {exc}") from exc


async def fetch_at_once(address: str) -> None:
    try:
        async with httpx.AsyncClient(timeout=5) as client:
            await client.get(f"http://files.internal/{address}")
    except Exception as exc:
        raise HTTPException(400, detail=f"Could not import: {exc}") from exc  # finding: exception-text-returned-to-client


@app.post("/imports")
async def start(address: str) -> None:
    task = asyncio.create_task(fetch(address))
    running.add(task)
    task.add_done_callback(running.discard)


@app.post("/imports/later")
async def start_later(address: str, tasks: BackgroundTasks) -> None:
    tasks.add_task(fetch, address)


@app.post("/imports/now")
async def run(address: str) -> None:
    await fetch_at_once(address)


@app.post("/numbers")
def parse(text: str) -> JSONResponse:
    try:
        return JSONResponse({"sum": sum(int(each) / len(text) for each in text.split(","))})
    except Exception as exc:
        return JSONResponse({"message": f"Failed: {exc}"}, status_code=422)
