"""A task that only says something, and one that writes; both sent by a GET."""

import logging
from pathlib import Path

from celery import Celery
from fastapi import FastAPI

logger = logging.getLogger(__name__)
queue = Celery("shop", broker="redis://cache")
app = FastAPI()


@queue.task(name="greet")
def greet(word: str) -> str:
    logger.info("greeting")
    return f"hello {word}"


@queue.task(name="store")
def store(word: str) -> None:
    Path("words.txt").write_text(word)


@app.get("/greetings")
def greetings() -> str:
    queue.send_task("greet", args=["world"])
    return "sent"


@app.get("/words")
def words() -> str:  # finding: unsafe-method-semantics
    queue.send_task("store", args=["world"])
    return "sent"


@app.get("/unknown")
def unknown() -> str:  # finding: unsafe-method-semantics
    queue.send_task("elsewhere", args=["world"])
    return "sent"
