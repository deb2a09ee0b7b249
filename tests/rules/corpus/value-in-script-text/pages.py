"""Values in scripts, style sheets and JSON of pages, and values that are written as JSON or cannot close anything."""

import json
import secrets
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import HTMLResponse

app = FastAPI()


class Client:
    def __init__(self) -> None:
        self.current_path = "/"
        self.sent: list[str] = []

    def run_javascript(self, code: str) -> None:
        self.sent.append(code)

    def evaluate(self, code: str) -> None:
        self.sent.append(code)

    def push(self, url: str) -> None:
        self.run_javascript(f'history.pushState({{}}, "", "{url}");')  # finding: value-in-script-text

    def push_json(self, url: str) -> None:
        self.run_javascript(f'history.pushState({{}}, "", {json.dumps(url)});')  # silent: a text of JavaScript

    def call(self, number: int, name: str) -> None:
        self.run_javascript(f'return runMethod({number}, "{name}")')  # finding: value-in-script-text by its taker

    def scroll(self, fragment: str, *, behavior: str) -> None:
        link = f'document.querySelector("a[name={behavior}]").scroll("{fragment}")'  # finding: value-in-script-text
        self.run_javascript(link)

    def stay(self, behavior: str) -> None:
        self.run_javascript(f'window.scroll({{ behavior: "{behavior}" }});')  # silent: the program's own word

    def navigate(self, path: str) -> None:
        self.current_path = path
        self.run_javascript(f'if (window.location.pathname !== "{self.current_path}") reload();')  # finding: value-in-script-text

    def wait(self, words: str) -> None:
        self.evaluate(f'document.title = "{words}"')  # silent: the service's own browser

    def count(self, number: int) -> None:
        self.run_javascript(f'document.title = "{number}"')  # silent: no text

    def greet(self) -> None:
        self.hello("Welcome")

    def hello(self, words: str) -> None:
        self.run_javascript(f'document.title = "{words}"')  # silent: every caller writes it down


def style(content: str | Path) -> str:
    if isinstance(content, Path):
        content = content.read_text()
    return f"<style>{content}</style>"  # finding: value-in-script-text it can close the element


def escaped_style(content: str) -> str:
    content = content.replace("<", "\\3c ")
    return f"<style>{content}</style>"  # silent: nothing closes it


def message(words: str) -> str:
    return f'He said "{words}" to the window.'  # silent: no script


@app.get("/recipe/{name}", response_class=HTMLResponse)
def recipe(name: str, text: str) -> str:
    data = {"name": name, "text": text}
    return f'<script type="application/ld+json">{json.dumps(data)}</script>'  # finding: value-in-script-text JSON may close it


@app.get("/escaped/{name}", response_class=HTMLResponse)
def escaped(name: str) -> str:
    text = json.dumps({"name": name}).replace("<", "\\u003c")
    return f"<script>show({text})</script>"  # silent: escaped


@app.get("/form", response_class=HTMLResponse)
def form() -> str:
    csrf_token = secrets.token_urlsafe(32)
    return f"<script>start({json.dumps(csrf_token)})</script>"  # silent: the program makes it


@app.get("/behind/{name}", response_class=HTMLResponse)
def behind(name: str) -> HTMLResponse:
    return HTMLResponse(f"<script>start()</script><pre>{json.dumps(name)}</pre>")  # silent: no script stands open
