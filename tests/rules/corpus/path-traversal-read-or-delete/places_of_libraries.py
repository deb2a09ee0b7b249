"""Paths that a library chooses, and those that it is told."""

import mimetypes
import os
import tempfile

from fastapi import FastAPI
from huggingface_hub import snapshot_download

app = FastAPI()


@app.get("/config")
def config(name: str):
    folder = snapshot_download(name, local_files_only=True)
    with open(os.path.join(folder, "config.json")) as file:
        return file.read()


@app.get("/config-elsewhere")
def config_elsewhere(name: str, folder: str):
    local = snapshot_download(name, local_dir=folder)
    with open(os.path.join(local, "config.json")) as file:  # finding: path-traversal-read-or-delete
        return file.read()


@app.get("/file-of-a-model")
def file_of_a_model(name: str, file_name: str):
    folder = snapshot_download(name)
    with open(os.path.join(folder, file_name)) as file:  # finding: path-traversal-read-or-delete
        return file.read()


@app.get("/temporary")
def temporary(suffix: str):
    _, path = tempfile.mkstemp(suffix=suffix)
    with open(path) as file:
        return file.read()


@app.get("/temporary-elsewhere")
def temporary_elsewhere(folder: str):
    _, path = tempfile.mkstemp(dir=folder)
    with open(path) as file:  # finding: path-traversal-read-or-delete
        return file.read()


@app.get("/by-type")
def by_type(kind: str):
    with open("download" + (mimetypes.guess_extension(kind) or "")) as file:
        return file.read()


@app.get("/by-name")
def by_name(kind: str):
    with open(os.path.join("downloads", kind)) as file:  # finding: path-traversal-read-or-delete
        return file.read()
