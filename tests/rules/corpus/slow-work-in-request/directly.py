"""In the handler itself, on the loop; the project has a worker."""

import aiosmtplib
from celery import Celery
from fastapi import FastAPI

worker = Celery("shop")
app = FastAPI()


@worker.task
def nightly() -> None:
    print("done")


@app.post("/invitations")
async def invite(email: str) -> None:
    await aiosmtplib.send(f"To: {email}", hostname="mail.example", timeout=5)  # finding: slow-work-in-request
