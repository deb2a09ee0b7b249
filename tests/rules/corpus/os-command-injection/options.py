"""Arguments that a program may take for options."""

import asyncio
import subprocess

from fastapi import FastAPI

app = FastAPI()


@app.post("/clone")
def clone(url: str):
    subprocess.run(["git", "clone", url])  # finding: os-command-injection --upload-pack=...


@app.post("/clone-async")
async def clone_async(url: str):
    await asyncio.create_subprocess_exec("/usr/bin/git", "clone", url)  # finding: os-command-injection


@app.post("/assigned")
def assigned(url: str):
    command = ["git", "fetch", url]
    subprocess.run(command, check=True)  # finding: os-command-injection


@app.post("/ended")
def ended(url: str):
    subprocess.run(["git", "clone", "--", url])  # silent: `--` ends the options


@app.post("/prefixed")
def prefixed(name: str):
    subprocess.run(["git", "clone", f"https://example.com/{name}"])  # silent: begins with https


@app.post("/prefixed-before")
def prefixed_before(name: str):
    address = "https://example.com/" + name
    subprocess.run(["git", "clone", address])  # silent: begins with https


@app.post("/value-of-an-option")
def value_of_an_option(message: str):
    subprocess.run(["git", "commit", "-m", message])  # silent: the value of -m


@app.post("/other")
def other(text: str):
    subprocess.run(["echo", text])  # silent: echo runs nothing
