"""A class's list, an object made at import, a defaultdict that only seems to be read, and a cache without a size."""

from collections import defaultdict
from functools import cache
from typing import ClassVar

from fastapi import FastAPI

app = FastAPI()
waiting: dict[str, list[int]] = defaultdict(list)


class Log:
    lines: ClassVar[list[str]] = []

    @classmethod
    def note(cls, line: str) -> None:
        cls.lines.append(line)  # finding: unbounded-in-memory-growth


class Counter:
    def __init__(self) -> None:
        self.counts: dict[str, int] = {}

    def count(self, word: str) -> None:
        self.counts[word] = self.counts.get(word, 0) + 1  # finding: unbounded-in-memory-growth


counter = Counter()


@cache
def slug(title: str) -> str:  # finding: unbounded-in-memory-growth
    return title.lower().replace(" ", "-")


@app.get("/a")
def a(word: str) -> str:
    Log.note(word)
    counter.count(word)
    return slug(word)


@app.get("/b/{name}")
def b(name: str, number: int) -> int:
    waiting[name].append(number)  # finding: unbounded-in-memory-growth
    return number
