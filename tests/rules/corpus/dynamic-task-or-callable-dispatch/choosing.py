"""Names from requests that choose what runs."""

from enum import Enum
from typing import Literal

from celery import Celery, signature
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

app = FastAPI()
worker = Celery("shop", broker="redis://localhost:6379/0")


class Service:
    def start(self): ...

    def stop(self): ...

    def handle_start(self): ...


service = Service()
ACTIONS = {"start": service.start, "stop": service.stop}


class Job(str, Enum):
    REPORT = "report"


class Order(BaseModel):
    task: str
    known: Job


def start(): ...


@app.post("/send")
def send(order: Order):
    worker.send_task(order.task)  # finding: dynamic-task-or-callable-dispatch


@app.post("/signature")
def signed(name: str):
    signature(name).delay()  # finding: dynamic-task-or-callable-dispatch


@app.post("/tasks")
def tasks(name: str):
    worker.tasks[name].delay()  # finding: dynamic-task-or-callable-dispatch


@app.post("/attribute")
def attribute(name: str):
    return getattr(service, name)()  # finding: dynamic-task-or-callable-dispatch


@app.post("/assigned")
def assigned(name: str):
    action = getattr(service, name, None)  # finding: dynamic-task-or-callable-dispatch
    if action is None:
        raise HTTPException(404)
    return action()


@app.post("/globals")
def namespace(name: str):
    return globals()[name]()  # finding: dynamic-task-or-callable-dispatch


@app.post("/enum")
def enumeration(order: Order):
    worker.send_task(order.known)  # silent: an enumeration


@app.post("/literal")
def literal(name: Literal["start", "stop"]):
    return getattr(service, name)()  # silent: two names


@app.post("/table")
def table(name: str):
    return ACTIONS[name]()  # silent: a table of the program


@app.post("/checked")
def checked(name: str):
    if name not in ("start", "stop"):
        raise HTTPException(422)
    return getattr(service, name)()  # silent: a closed list


@app.post("/prefixed")
def prefixed(name: str):
    return getattr(service, f"handle_{name}")()  # silent: only handlers


@app.get("/value")
def read(name: str):
    return getattr(service, name, None)  # silent: nothing is called
