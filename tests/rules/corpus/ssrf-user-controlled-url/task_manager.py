"""Addresses that travel in a list to a function that a thread or a task manager of the program runs."""

import threading
from collections.abc import Callable
from typing import Any

import requests
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()


class Order(BaseModel):
    title: str
    urls: list[str]
    sources: list[dict[str, str]]


class Task:
    def __init__(self, name: str, target: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self.name = name
        self.target = target
        self.args = args

    def run(self) -> None:
        self.target(self, *self.args)


class Manager:
    def submit(self, name: str, target: Callable[..., Any], args: tuple[Any, ...] = ()) -> None:
        task = Task(name=name, target=target, args=args)
        threading.Thread(target=self.run, args=(task,)).start()

    def run(self, task: Task) -> None:
        task.run()


manager = Manager()


def load_all(task: Task, title: str, urls: list[str], sources: list[dict[str, str]] | None = None) -> None:
    for url in urls:
        requests.get(url, timeout=5)  # finding: ssrf-user-controlled-url each of a list
    for source in sources or []:
        address = source.get("address", "")
        requests.get(address, timeout=5)  # finding: ssrf-user-controlled-url a field of each
    requests.post("https://tasks.example/done", json={"title": title}, timeout=5)  # silent: the title is a value


def load_one(url: str) -> None:
    requests.get(url, timeout=5)  # finding: ssrf-user-controlled-url a thread


def load_name(task: Task, name: str, base: str) -> None:
    requests.get(base, params={"name": name}, timeout=5)  # silent: the address is the program's own


@app.post("/orders")
def order(sent: Order, url: str, name: str) -> None:
    manager.submit(
        name=f"Loading {sent.title}",
        target=load_all,
        args=(sent.title, sent.urls or [], sent.sources or []),
    )
    manager.submit("Loading", load_name, (name, "https://names.example"))
    threading.Thread(target=load_one, args=(url,)).start()
