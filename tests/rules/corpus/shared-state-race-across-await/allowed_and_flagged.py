"""A look that allows the change, a flag that says that something runs, and state that lies on the application."""

import asyncio

from fastapi import FastAPI, HTTPException, Request

app = FastAPI()
app.state.busy = False
app.state.sold = 0
app.state.prices = {}
balances: dict[str, int] = {}
waiting: list[str] = []
seats: set[str] = set()
loaded: dict[str, int] = {}
is_open = True
is_running = False
lock = asyncio.Lock()


async def price(book: str) -> int:
    await asyncio.sleep(1)
    return 1


@app.post("/pay/{name}")
async def pay(name: str) -> None:
    if balances[name] >= 10:
        await price(name)
        balances[name] -= 10  # finding: shared-state-race-across-await


@app.post("/pay-first/{name}")
async def pay_first(name: str) -> None:
    if balances[name] >= 10:
        balances[name] -= 10
        await price(name)


@app.post("/pay-alone/{name}")
async def pay_alone(name: str) -> None:
    async with lock:
        if balances[name] >= 10:
            await price(name)
            balances[name] -= 10


@app.post("/count/{name}")
async def count(name: str) -> None:
    if name in balances:
        await price(name)
        balances[name] += 1


@app.post("/queue/{name}")
async def queue(name: str) -> None:
    if name not in waiting:
        await price(name)
        waiting.append(name)  # finding: shared-state-race-across-await


@app.post("/seats/{name}")
async def take_seat(name: str) -> None:
    if len(seats) < 5:
        await price(name)
        seats.add(name)  # finding: shared-state-race-across-await


@app.post("/known/{name}")
async def know(name: str) -> None:
    if name not in seats:
        await price(name)
        seats.add(name)


@app.get("/loaded/{name}")
async def load(name: str) -> int:
    if name not in loaded:
        loaded[name] = await price(name)
    return loaded[name]


@app.post("/run")
async def run() -> None:
    global is_running
    if is_running:
        raise HTTPException(409)
    await price("a")
    is_running = True  # finding: shared-state-race-across-await


@app.post("/run-taken")
async def run_taken() -> None:
    global is_running
    if is_running:
        raise HTTPException(409)
    is_running = True
    try:
        await price("a")
    finally:
        is_running = False


@app.post("/shut")
async def shut() -> None:
    global is_open
    if not is_open:
        raise HTTPException(409)
    await price("a")
    is_open = False


@app.post("/busy")
async def be_busy(request: Request) -> None:
    if request.app.state.busy:
        raise HTTPException(409)
    await price("a")
    request.app.state.busy = True  # finding: shared-state-race-across-await


@app.post("/sold")
async def sell() -> None:
    sold = app.state.sold
    await price("a")
    app.state.sold = sold + 1  # finding: shared-state-race-across-await


@app.post("/sold-at-once")
async def sell_at_once() -> None:
    await price("a")
    app.state.sold = app.state.sold + 1


@app.post("/own-state")
async def own_state(request: Request) -> None:
    if request.state.busy:
        raise HTTPException(409)
    await price("a")
    request.state.busy = True
