"""An answer that the process keeps is waited for once; one that is kept nowhere, each time."""

import subprocess

from fastapi import FastAPI

app = FastAPI()
_version: str | None = None


def version() -> str:
    global _version  # noqa: PLW0603
    if _version is not None:
        return _version
    _version = subprocess.check_output(["ssh", "-V"], text=True)
    return _version


def version_for(name: str | None) -> str:
    if name is not None:
        return name
    name = subprocess.check_output(["ssh", "-V"], text=True)
    return name


@app.get("/version")
async def read_version() -> str:
    return version()


@app.get("/version-for")
async def read_version_for(name: str | None = None) -> str:
    return version_for(name)  # finding: blocking-call-through-sync-helper
