"""Text that is run, and text that is only read."""

import ast
import importlib
from enum import Enum

import pandas
from fastapi import FastAPI, Request, WebSocket
from pydantic import BaseModel

app = FastAPI()
MODULES = {"csv": "exporters.csv", "xlsx": "exporters.xlsx"}


class Format(str, Enum):
    CSV = "csv"
    XLSX = "xlsx"


class Script(BaseModel):
    code: str


@app.post("/eval")
def evaluate(script: Script):
    return eval(script.code)  # finding: code-execution-from-request


@app.post("/exec")
def execute(script: Script):
    scope = {}
    exec(script.code, scope)  # finding: code-execution-from-request
    return scope


@app.post("/compiled")
def compiled(script: Script):
    code = compile(script.code, "<script>", "exec")
    exec(code)  # finding: code-execution-from-request


@app.post("/raw")
async def raw(request: Request):
    body = await request.json()
    return eval(body["code"])  # finding: code-execution-from-request


@app.websocket("/console")
async def console(socket: WebSocket):
    await socket.accept()
    line = await socket.receive_text()
    await socket.send_text(str(eval(line)))  # finding: code-execution-from-request


@app.post("/definitions")
def definitions(script: Script):
    tree = ast.parse(script.code)
    for node in tree.body:
        exec(compile(ast.Module([node], []), "<check>", "exec"))  # finding: code-execution-from-request runs decorators


@app.get("/module")
def module(name: str):
    return importlib.import_module(name).run()  # finding: code-execution-from-request


@app.get("/rows")
def rows(condition: str):
    frame = pandas.DataFrame({"a": [1]})
    return frame.query(condition)  # finding: code-execution-from-request


@app.post("/parsed")
def parsed(script: Script):
    return ast.dump(ast.parse(script.code))  # silent: only parsed


@app.post("/syntax")
def syntax(script: Script):
    compile(script.code, "<script>", "exec")  # silent: never run
    return True


@app.post("/literal")
def literal(script: Script):
    return ast.literal_eval(script.code)  # silent: data alone


@app.get("/exports")
def exports(format: Format):
    return importlib.import_module(MODULES[format]).run()  # silent: looked up


@app.get("/listed")
def listed(name: str):
    if name not in ("csv", "xlsx"):
        raise ValueError(name)
    return importlib.import_module(name)  # silent: a closed list


@app.get("/number")
def number(value: int):
    return eval(f"{value} + 1")  # silent: an integer
