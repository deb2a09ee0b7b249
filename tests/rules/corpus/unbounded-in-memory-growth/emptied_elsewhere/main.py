"""Another module empties the container, on a timer."""

import store
import timer
from fastapi import FastAPI

app = FastAPI()
timer.start()


@app.get("/search")
def search(q: str) -> int:
    store.remember(q)
    return 1
