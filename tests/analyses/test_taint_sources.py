"""Every way in which request data enters the program and travels in it: one smallest application each."""

import pytest
from tests.analyses.test_taint import graph_of

from fastapi_architect.analyses.request_flows import flows_to

HEAD = """
import os, functools, asyncio, json
from typing import Annotated, Generic, TypeVar
from fastapi import FastAPI, Request, UploadFile, Depends, WebSocket, BackgroundTasks, Form, Body
from pydantic import BaseModel, TypeAdapter, field_validator
from celery import Celery, shared_task
from starlette.routing import Route, Mount
from starlette.applications import Starlette
app = FastAPI()
worker = Celery("w")
class Order(BaseModel):
    note: str
    count: int
"""

FOLLOWED = {
    "object of a class that is a text": """
class Slug(str): ...
@app.post("/a")
def a(slug: Slug): os.system(slug)
""",
    "celery delay": """
@worker.task
def ship(n, host): os.system(host)
@app.post("/a")
def a(h: str): ship.delay(1, h)
""",
    "celery apply_async args": """
@worker.task
def ship(n, host): os.system(host)
@app.post("/a")
def a(h: str): ship.apply_async(args=[1, h])
""",
    "celery apply_async kwargs": """
@worker.task
def ship(n, host): os.system(host)
@app.post("/a")
def a(h: str): ship.apply_async(kwargs={"host": h})
""",
    "celery bound delay": """
@worker.task(bind=True)
def ship(self, host): os.system(host)
@app.post("/a")
def a(h: str): ship.delay(host=h)
""",
    "celery send_task": """
@worker.task(name="ship")
def ship(n, host): os.system(host)
@app.post("/a")
def a(h: str): worker.send_task("ship", args=[1, h])
""",
    "celery signature": """
@worker.task
def ship(n, host): os.system(host)
@app.post("/a")
def a(h: str): ship.s(1, h).delay()
""",
    "background": """
def ship(n, host): os.system(host)
@app.post("/a")
def a(h: str, tasks: BackgroundTasks): tasks.add_task(ship, 1, host=h)
""",
    "ws iter_text": """
@app.websocket("/a")
async def a(ws: WebSocket):
    await ws.accept()
    async for line in ws.iter_text(): os.system(line)
""",
    "ws receive_json": """
@app.websocket("/a")
async def a(ws: WebSocket):
    data = await ws.receive_json()
    os.system(data["x"])
""",
    "request stream": """
@app.post("/a")
async def a(request: Request):
    body = b""
    async for chunk in request.stream(): body += chunk
    os.system(body)
""",
    "request form": """
@app.post("/a")
async def a(request: Request):
    form = await request.form()
    os.system(form["x"])
""",
    "request path_params": """
@app.post("/a/{x}")
async def a(request: Request):
    os.system(request.path_params["x"])
""",
    "path_params get": """
@app.post("/a/{x}")
async def a(request: Request):
    os.system(request.query_params.get("x", ""))
""",
    "model_validate": """
class Job(BaseModel):
    host: str
@app.post("/a")
async def a(request: Request):
    job = Job.model_validate(await request.json())
    os.system(job.host)
""",
    "model built": """
class Job(BaseModel):
    host: str
    n: str
@app.post("/a")
async def a(order: Order):
    job = Job(host=order.note, n="x")
    os.system(job.host)
""",
    "model_dump": """
@app.post("/a")
async def a(order: Order):
    data = order.model_dump()
    os.system(data["note"])
""",
    "star star dump": """
class Job(BaseModel):
    note: str
@app.post("/a")
async def a(order: Order):
    os.system(Job(**order.model_dump()).note)
""",
    "yield dep": """
class Box:
    def __init__(self, x): self.x = x
def box(x: str):
    b = Box(x)
    yield b
@app.post("/a")
async def a(b: Box = Depends(box)): os.system(b.x)
""",
    "class dep": """
class Params:
    def __init__(self, x: str, y: int = 1):
        self.x = x
@app.post("/a")
async def a(p: Annotated[Params, Depends()]): os.system(p.x)
""",
    "service": """
class Repo:
    def run(self, cmd): os.system(cmd)
class Service:
    def __init__(self, repo: Repo): self.repo = repo
    def go(self, order: Order): return self.repo.run(order.note)
def get_service() -> Service: return Service(Repo())
@app.post("/a")
async def a(order: Order, s: Service = Depends(get_service)): s.go(order)
""",
    "self attr": """
class Service:
    def __init__(self, cmd): self.cmd = cmd
    def go(self): os.system(self.cmd)
@app.post("/a")
async def a(c: str): Service(c).go()
""",
    "generic crud": """
M = TypeVar("M")
class Base(Generic[M]):
    def create(self, obj: M): os.system(obj.note)
class Orders(Base[Order]): ...
orders = Orders()
@app.post("/a")
async def a(o: Order): orders.create(o)
""",
    "closure": """
@app.post("/a")
async def a(c: str):
    def run(): os.system(c)
    run()
""",
    "partial": """
def run(n, c): os.system(c)
@app.post("/a")
async def a(c: str):
    f = functools.partial(run, 1, c)
    f()
""",
    "callback": """
def apply(f, v): return f(v)
def run(c): os.system(c)
@app.post("/a")
async def a(c: str): apply(run, c)
""",
    "lambda": """
@app.post("/a")
async def a(c: str):
    f = lambda: os.system(c)
    f()
""",
    "header form": """
@app.post("/a")
async def a(x: Annotated[str, Form()]): os.system(x)
""",
    "upload read": """
@app.post("/a")
async def a(file: UploadFile):
    content = await file.read()
    os.system(content.decode())
""",
    "uploads list": """
@app.post("/a")
async def a(files: list[UploadFile]):
    for f in files: os.system(f.filename)
""",
    "to_thread": """
def run(c): os.system(c)
@app.post("/a")
async def a(c: str): await asyncio.to_thread(run, c)
""",
    "gather": """
async def run(c): os.system(c)
@app.post("/a")
async def a(c: list[str]): await asyncio.gather(*(run(x) for x in c))
""",
    "list of dicts": """
@app.post("/a")
async def a(c: str):
    rows = [{"k": c}]
    for row in rows: os.system(row["k"])
""",
    "json string": """
@app.post("/a")
async def a(c: str):
    data = json.loads(c)
    os.system(data["k"])
""",
    "before validator": """
class J(BaseModel):
    host: str
    @field_validator("host")
    @classmethod
    def strip(cls, v): return v.strip()
@app.post("/a")
async def a(j: J): os.system(j.host)
""",
    "middleware": """
@app.middleware("http")
async def m(request: Request, call_next):
    os.system(request.headers["x"])
    return await call_next(request)
@app.get("/a")
async def a(): return 1
""",
}


@pytest.mark.parametrize("name", FOLLOWED)
def test_it_is_followed_to_the_command(name: str):
    assert len(flows_to(graph_of(HEAD + FOLLOWED[name]), "command")) == 1


SILENT = {
    "object of a plain class, which something else fills in": """
class Tool: ...
class Shell(Tool): ...
@app.post("/a")
def a(shell: Shell): os.system(shell.name)
""",
    "an argument of another parameter": """
@worker.task
def ship(n, host): os.system(n)
@app.post("/a")
def a(h: str): ship.delay(1, h)
""",
    "a field that is clean in an object of a list": """
class Box:
    def __init__(self, name, command):
        self.name = name
        self.command = command
@app.post("/a")
def a(h: str):
    boxes = []
    boxes.append(Box(h, "date"))
    for box in boxes: os.system(box.command)
""",
    "what an attribute's name chooses": """
@app.post("/a")
def a(h: str): os.system(getattr(settings, h))
""",
    "what a cache holds under a key": """
import redis
client = redis.Redis()
@app.post("/a")
def a(h: str): os.system(client.get(h))
""",
    "what is checked as it is read": """
@app.post("/a")
def a(request: Request):
    if request.query_params.get("x") not in ["a", "b"]: return
    os.system(request.query_params.get("x"))
""",
}


@pytest.mark.parametrize("name", SILENT)
def test_what_nobody_else_decides_is_not_followed(name: str):
    assert flows_to(graph_of(HEAD + SILENT[name]), "command") == ()
