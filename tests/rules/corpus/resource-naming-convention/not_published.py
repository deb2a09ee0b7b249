"""What is not in the schema follows no convention, and need not."""

from fastapi import FastAPI

app = FastAPI()


@app.get("/orders")
def orders() -> int:
    return 1


@app.get("/health/", include_in_schema=False)
def health() -> int:
    return 1


@app.post("/delete_cache", include_in_schema=False)
def delete_cache() -> int:
    return 1
