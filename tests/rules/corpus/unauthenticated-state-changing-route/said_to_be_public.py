"""A docstring that says so is a decision that somebody took."""

from fastapi import Depends, FastAPI, HTTPException, Request

app = FastAPI()


def current_user(request: Request) -> str:
    if request.headers.get("authorization") != "Bearer known":
        raise HTTPException(401)
    return "known"


@app.post("/suggestions")
def suggest(text: str) -> None:
    """Keep a suggestion; no authentication required."""
    keep(text)


@app.post("/opinions")
def opine(text: str) -> None:  # finding: unauthenticated-state-changing-route
    """Keep an opinion."""
    keep(text)


@app.post("/orders", dependencies=[Depends(current_user)])
def order(text: str) -> None:
    keep(text)


def keep(text: str) -> None:
    with open("kept.txt", "a") as kept:
        kept.write(text)
