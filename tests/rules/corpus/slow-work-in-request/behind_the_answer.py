"""In a task, or behind the response."""

import smtplib

from celery import Celery
from fastapi import BackgroundTasks, FastAPI

worker = Celery("shop")
app = FastAPI()


def send(email: str) -> None:
    with smtplib.SMTP("mail.example", timeout=5) as server:
        server.sendmail("shop@example.com", email, "Hello")


@worker.task
def send_later(email: str) -> None:
    send(email)


@app.post("/invitations")
def invite(email: str, tasks: BackgroundTasks) -> None:
    send_later.delay(email)
    tasks.add_task(send, email)
