"""Attempts are counted in each of three replicas."""

from collections import defaultdict

from fastapi import FastAPI, HTTPException

app = FastAPI()
failed_attempts: defaultdict[str, int] = defaultdict(int)  # finding: process-local-state-with-many-workers


def count(name: str) -> None:
    failed_attempts[name] += 1


@app.post("/login")
def login(name: str, password: str) -> None:
    if failed_attempts[name] > 5:
        raise HTTPException(429)
    if password != "correct":
        count(name)
