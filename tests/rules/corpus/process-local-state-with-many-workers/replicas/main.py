"""Three pods serve, and each counts attempts of its own."""

from fastapi import FastAPI, HTTPException

app = FastAPI()
attempts: dict[str, int] = {}  # finding: process-local-state-with-many-workers


@app.post("/login")
def login(name: str, password: str) -> None:
    attempts[name] = attempts.get(name, 0) + 1
    if attempts[name] > 5:
        raise HTTPException(429)
