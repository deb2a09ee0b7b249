"""On the loop, through a helper, for a group, by running the task right here, and inside another task."""

from celery import Celery, group
from celery.result import AsyncResult
from fastapi import FastAPI

worker = Celery("shop", broker="redis://broker")
app = FastAPI()


@worker.task
def build(year: int) -> int:
    return year


@worker.task
def build_all(years: list[int]) -> list[int]:
    return [build.delay(year).get() for year in years]  # finding: celery-result-wait-in-request


def waited(job: AsyncResult) -> int:
    return job.get(timeout=10)  # finding: celery-result-wait-in-request


@app.post("/reports")
async def on_the_loop(year: int) -> int:
    job = build.apply_async((year,))
    return job.get()  # finding: celery-result-wait-in-request


@app.post("/helper")
def through_a_helper(year: int) -> int:
    return waited(build.delay(year))


@app.post("/group")
def for_a_group() -> list[int]:
    jobs = group(build.s(1), build.s(2)).apply_async()
    return jobs.get()  # finding: celery-result-wait-in-request
