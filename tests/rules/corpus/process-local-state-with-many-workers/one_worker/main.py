"""One worker is declared: what it keeps is all there is."""

from collections import defaultdict

from fastapi import FastAPI, HTTPException

app = FastAPI()
failed_attempts: defaultdict[str, int] = defaultdict(int)


def count(name: str) -> None:
    failed_attempts[name] += 1


@app.post("/login")
def login(name: str, password: str) -> None:
    if failed_attempts[name] > 5:
        raise HTTPException(429)
    if password != "correct":
        count(name)
