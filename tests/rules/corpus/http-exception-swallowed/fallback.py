"""The lookup may fail: the clause gives a default for a part of the answer, or goes on with the next row."""

from fastapi import FastAPI, HTTPException

app = FastAPI()


def price_of(number: int) -> int:
    if number > 3:
        raise HTTPException(404)
    return number


@app.get("/prices")
def read_prices() -> list[int]:
    prices = []
    for number in range(6):
        try:
            prices.append(price_of(number))
        except Exception:
            continue
    return prices


@app.get("/best")
def read_best() -> int | None:
    try:
        best = price_of(5)
    except Exception:
        best = None
    return best
