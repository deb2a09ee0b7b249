"""What a shell reads, and what it does not."""

import asyncio
import os
import shlex
import subprocess
from enum import Enum
from typing import Annotated, Literal
from uuid import UUID

import paramiko
from fastapi import FastAPI, Query
from pydantic import BaseModel
from slugify import slugify
from werkzeug.utils import secure_filename

app = FastAPI()
HOSTS = {"a": "10.0.0.1", "b": "10.0.0.2"}


class Unit(Enum):
    KILO = "k"
    MEGA = "m"


class Job(BaseModel):
    name: str
    count: int


@app.get("/system")
def system(name: str):
    os.system("ping " + name)  # finding: os-command-injection


@app.get("/popen")
def popen(name: str):
    return os.popen(f"ping {name}").read()  # finding: os-command-injection


@app.post("/shell")
def shell(job: Job):
    command = "run %s" % job.name
    subprocess.check_output(command, shell=True)  # finding: os-command-injection


@app.post("/through-sh")
def through_sh(job: Job):
    subprocess.run(["sh", "-c", f"run {job.name}"])  # finding: os-command-injection a shell after all


@app.get("/async")
async def with_asyncio(name: str):
    await asyncio.create_subprocess_shell(f"ping {name}")  # finding: os-command-injection


@app.get("/remote")
def remote(name: str):
    client = paramiko.SSHClient()
    client.exec_command("ls " + name)  # finding: os-command-injection


@app.get("/program")
def program(name: str):
    subprocess.run([name, "--version"])  # finding: os-command-injection the program itself


@app.get("/numbers")
def numbers(count: int, job: UUID, unit: Unit, mode: Literal["a", "b"]):
    os.system(f"run {count} {job} {unit.value} {mode}")  # silent: none of these can hold a character of a shell


@app.post("/count")
def count(job: Job):
    os.system(f"run {job.count}")  # silent: an integer


@app.get("/quoted")
def quoted(name: str):
    os.system("ping " + shlex.quote(name))  # silent: quoted


@app.get("/list")
def as_list(name: str):
    subprocess.run(["ping", name])  # silent: one argument, of a program without dangerous options


@app.get("/looked-up")
def looked_up(name: str):
    os.system("ping " + HOSTS[name])  # silent: values of the code


@app.get("/pattern")
def pattern(name: Annotated[str, Query(pattern="^[a-z0-9.]+$")]):
    os.system("ping " + name)  # silent: no character of a shell passes


@app.get("/checked")
def checked(name: str):
    if not name.isalnum():
        raise ValueError(name)
    os.system("ping " + name)  # silent: letters and digits


@app.get("/file")
def file(name: str):
    with open("/data/" + name) as handle:
        os.system("ping " + handle.readline())  # silent: what a file holds is not what its name says


@app.get("/constant")
def constant(name: str):
    subprocess.run("date", shell=True)  # silent: constant
    return name


@app.get("/named")
def named(name: str):
    os.system(f"ls /srv/{secure_filename(name)}")


@app.get("/slug")
def slug(name: str):
    subprocess.run(["git", "fetch", slugify(name)])


@app.get("/named-option")
def named_option(name: str):
    subprocess.run(["git", "fetch", secure_filename(name)])  # finding: os-command-injection a dash is left


@app.get("/cleaned-too-late")
def cleaned_too_late(name: str):
    safe = secure_filename(name)
    os.system(f"ls /srv/{name} # {safe}")  # finding: os-command-injection
