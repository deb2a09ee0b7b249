"""A cache may differ from worker to worker, a table never changes, and a list of a function is nobody else's."""

from fastapi import FastAPI

app = FastAPI()
price_cache: dict[int, int] = {}
status_names: dict[int, str] = {1: "open", 2: "closed"}
job_types: list[str] = []


@app.get("/prices/{book_id}")
def read_price(book_id: int) -> int:
    tasks: list[int] = []
    tasks.append(book_id)
    if book_id not in price_cache:
        price_cache[book_id] = len(tasks)
    return price_cache[book_id]


@app.get("/statuses/{number}")
def read_status(number: int) -> str:
    return status_names[number] + ",".join(job_types)
