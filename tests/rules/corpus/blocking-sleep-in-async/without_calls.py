"""Nobody is seen to call this coroutine, but a coroutine runs on some loop; a constant switches the other one off."""

import time

from fastapi import FastAPI

app = FastAPI()
SLOW = False


class Plugin:
    async def run(self) -> None:
        time.sleep(1)  # finding: blocking-sleep-in-async


@app.get("/")
async def read() -> None:
    if SLOW:
        time.sleep(5)
