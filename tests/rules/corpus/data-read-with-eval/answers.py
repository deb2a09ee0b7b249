"""Texts that hold data and are evaluated, and texts that are read otherwise or asked about first."""

import ast
import json
import math
import re

from fastapi import FastAPI
from pydantic import BaseModel, field_validator

app = FastAPI()
READERS = {}


class Reader:
    def __init_subclass__(cls) -> None:
        READERS[cls.__name__] = cls

    def read(self, answer: str) -> list[int]:
        raise NotImplementedError


class BoxReader(Reader):
    def read(self, answer: str) -> list[int]:
        return eval(answer)  # finding: data-read-with-eval a table of plug-ins calls it


class LiteralReader(Reader):
    def read(self, answer: str) -> list[int]:
        return ast.literal_eval(answer)  # silent: nothing runs


class PointReader(Reader):
    def read(self, answer: str) -> list[int]:
        inputs = json.loads(answer)
        start, end = inputs.get("start"), inputs.get("end")
        if start and end:
            first = eval(start)  # finding: data-read-with-eval a field of it
            second = eval(end)
            return [*first, *second]
        return []


class DigitReader(Reader):
    def read(self, answer: str) -> list[int]:
        if not re.fullmatch(r"[\d.]+", answer):
            return []
        return [eval(answer)]  # silent: a pattern was asked before


class EmptiedReader(Reader):
    def read(self, answer: str) -> list[int]:
        rows = {"a": [1], "b": [2]}
        value = re.sub(r"\.(\w+)", r'["\1"]', answer)
        return eval(value, {"__builtins__": {}}, {"rows": rows})  # finding: data-read-with-eval no namespace helps


class FormulaReader(Reader):
    def read(self, answer: str) -> list[int]:
        language = {name: getattr(math, name) for name in ("sin", "cos")}
        return [eval(answer, language)]  # silent: a language of its own, offered on purpose


class TableReader(Reader):
    def read(self, answer: str) -> list[int]:
        if answer not in ("[1]", "[2]"):
            return []
        return eval(answer)  # silent: one of a list


class Settled(BaseModel):
    sizes: str = "[]"

    @field_validator("sizes")
    @classmethod
    def read(cls, value: str) -> str:
        return eval(value)  # finding: data-read-with-eval tentative, it may be the operator's


class Stored:
    def __init__(self) -> None:
        self.config = {}

    def update(self, key: str, value: str) -> None:
        self.config[key] = value

    def sizes(self) -> list[int]:
        return eval(self.config["sizes"])  # finding: data-read-with-eval callers write it


def convert(value: str, kind: str) -> object:
    return eval(kind)(value)  # silent: it names a function


def limit(text: str) -> int:
    return eval(text)  # silent: every caller writes the text down


LIMITS = [limit("2 ** 10"), limit("2 ** 20")]


@app.get("/read/{name}")
def read(name: str) -> list[int]:
    with open("answer.txt") as file:
        return READERS[name]().read(file.read())
