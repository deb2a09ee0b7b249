"""The application has decided what clients are told when Redis is gone."""

import redis
from fastapi import FastAPI
from fastapi.responses import JSONResponse

client = redis.Redis(decode_responses=True)
app = FastAPI()


def make_report() -> str:
    return "all is well"


@app.exception_handler(redis.RedisError)
def unavailable(request, error) -> JSONResponse:
    return JSONResponse({"detail": "try again"}, status_code=503)


@app.get("/report")
def read_report() -> str:
    report = client.get("report")  # silent: answered with 503
    if report is None:
        report = make_report()
        client.set("report", report, ex=60)
    return report
