"""One pod serves; only the workers of the queue are several."""

from fastapi import FastAPI, HTTPException

app = FastAPI()
attempts: dict[str, int] = {}


@app.post("/login")
def login(name: str, password: str) -> None:
    attempts[name] = attempts.get(name, 0) + 1
    if attempts[name] > 5:
        raise HTTPException(429)
