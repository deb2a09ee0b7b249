"""The result is asked for when it is there, at once, or by a command that nobody else waits for."""

from celery import Celery
from celery.result import AsyncResult
from fastapi import FastAPI

worker = Celery("shop", broker="redis://broker")
app = FastAPI()


@worker.task
def build(year: int) -> int:
    return year


@app.get("/jobs/{job_id}")
def read_job(job_id: str) -> dict[str, object]:
    job = AsyncResult(job_id, app=worker)
    if job.ready():
        return {"result": job.get()}
    return {"state": job.state, "settings": {"a": 1}.get("a")}


@app.get("/jobs/{job_id}/now")
def read_now(job_id: str) -> object:
    return AsyncResult(job_id, app=worker).get(timeout=0)


def command() -> None:
    print(build.delay(2026).get())


if __name__ == "__main__":
    command()
