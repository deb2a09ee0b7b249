"""Beside the versioned operations stand only those that belong to the service: health, metrics, sign-in, a
webhook.
"""

from fastapi import APIRouter, FastAPI

api = APIRouter(prefix="/api/v2")
app = FastAPI()


@api.get("/orders")
def orders() -> int:
    return 1


@api.post("/orders")
def create() -> int:
    return 1


@api.get("/orders/{number}")
def read(number: int) -> int:
    return number


@api.delete("/orders/{number}", deprecated=True)
def delete(number: int) -> int:
    return number


@app.get("/health")
def health() -> int:
    return 1


@app.get("/metrics")
def metrics() -> int:
    return 1


@app.post("/login")
def log_in() -> int:
    return 1


@app.post("/webhooks/payments")
def webhook() -> int:
    return 1


app.include_router(api)
