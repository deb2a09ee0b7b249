"""State of a module and of its one object: looked at, waited, changed."""

import asyncio
import time

from fastapi import FastAPI, HTTPException

app = FastAPI()
running: set[str] = set()
stock: dict[str, int] = {}
prices: dict[str, float] = {}
jobs: list[str] = []
total = 0
active = 0
lock = asyncio.Lock()


async def price(book: str) -> int:
    await asyncio.sleep(1)
    return 1


async def at_once(book: str) -> int:
    return len(book)


@app.post("/total")
async def add_price(book: str) -> None:
    global total
    total += await price(book)  # finding: shared-state-race-across-await


@app.post("/total-later")
async def add_price_later(book: str) -> None:
    global total
    amount = await price(book)
    total += amount


@app.post("/total-at-once")
async def add_at_once(book: str) -> None:
    global total
    total += await at_once(book)


@app.post("/stock")
async def take(book: str) -> None:
    left = stock[book]
    await price(book)
    stock[book] = left - 1  # finding: shared-state-race-across-await


@app.post("/stock-again")
async def take_again(book: str) -> None:
    left = stock[book]
    await price(book)
    left = stock[book]
    stock[book] = left - 1


@app.post("/stock-locked")
async def take_locked(book: str) -> None:
    async with lock:
        left = stock[book]
        await price(book)
        stock[book] = left - 1


@app.post("/stock-first")
async def take_first(book: str) -> None:
    left = stock.get(book, 0)
    stock[book] = left - 1
    await price(book)


@app.post("/export")
async def export(name: str) -> None:
    if name in running:
        raise HTTPException(409)
    await price(name)
    running.add(name)  # finding: shared-state-race-across-await


@app.post("/export-taken")
async def export_taken(name: str) -> None:
    if name in running:
        raise HTTPException(409)
    running.add(name)
    try:
        await price(name)
    finally:
        running.discard(name)


@app.post("/export-checked-again")
async def export_checked_again(name: str) -> dict[str, str]:
    if name in running:
        return {"state": "running"}
    await price(name)
    if name in running:
        return {"state": "running"}
    running.add(name)
    return {"state": "started"}


@app.post("/limit")
async def limit() -> None:
    global active
    if active >= 3:
        raise HTTPException(429)
    await price("a")
    active += 1  # finding: shared-state-race-across-await


@app.get("/cached")
async def cached(book: str) -> float:
    if book in prices:
        return prices[book]
    found = await price(book)
    prices[book] = found
    return found


@app.get("/filled")
async def filled(book: str) -> float:
    if book not in prices:
        prices[book] = await price(book)
    return prices[book]


@app.post("/jobs")
async def add_job(job: str) -> None:
    jobs.append(job)
    prices.pop(job, None)


@app.post("/jobs/run")
async def run_jobs() -> None:
    for job in jobs:  # finding: shared-state-race-across-await
        await price(job)


@app.post("/jobs/run-copy")
async def run_copy() -> None:
    for job in list(jobs):
        await price(job)


@app.post("/jobs/look")
async def look_at_jobs() -> int:
    longest = 0
    for job in jobs:
        longest = max(longest, len(job))
    await price("a")
    return longest


@app.post("/thread/{name}")
def in_thread(name: str) -> None:
    if name in running:
        raise HTTPException(409)
    time.sleep(1)
    running.add(name)  # finding: shared-state-race-across-await


@app.get("/own")
async def own() -> int:
    running = {"a"}
    if "b" in running:
        raise HTTPException(409)
    await price("b")
    running.add("b")
    return len(running)


class Wallets:
    def __init__(self) -> None:
        self.balances: dict[str, int] = {}
        self.lock = asyncio.Lock()

    async def pay(self, name: str, amount: int) -> None:
        if self.balances[name] < amount:
            raise HTTPException(402)
        await price(name)
        self.balances[name] -= amount  # finding: shared-state-race-across-await

    async def pay_alone(self, name: str, amount: int) -> None:
        async with self.lock:
            if self.balances[name] < amount:
                raise HTTPException(402)
            await price(name)
            self.balances[name] -= amount


class Basket:
    """Made anew by each request."""

    def __init__(self) -> None:
        self.books: set[str] = set()

    async def put(self, book: str) -> None:
        if book in self.books:
            raise HTTPException(409)
        await price(book)
        self.books.add(book)


wallets = Wallets()


@app.post("/pay")
async def pay(name: str) -> None:
    await wallets.pay(name, 1)
    await wallets.pay_alone(name, 1)
    await Basket().put(name)


async def nobody_calls(name: str) -> None:
    if name in running:
        raise HTTPException(409)
    await price(name)
    running.add(name)
