"""What a model answers is run, or read as data."""

import json

import openai
from fastapi import FastAPI

app = FastAPI()
client = openai.OpenAI()


def ask(number: int) -> str:
    answer = client.chat.completions.create(model="small", messages=[{"role": "user", "content": f"{number}?"}])
    return answer.choices[0].message.content


@app.get("/boxes/{number}")
def boxes(number: int) -> list[int]:
    return eval(ask(number))  # finding: code-execution-from-request


@app.get("/data/{number}")
def data(number: int) -> list[int]:
    return json.loads(ask(number))  # silent: read as data
