"""What says that an old release has ended when the migrations of the new one run."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from tests.rules.kit import write

from fastapi_architect.analyses.releases import one_release_at_a_time
from fastapi_architect.review.config import Config
from fastapi_architect.review.reading import read
from fastapi_architect.source.tree import SourceTree

_LIFESPAN = """
    from contextlib import asynccontextmanager

    from alembic import command
    from fastapi import FastAPI


    def migrate(config: object) -> None:
        command.upgrade(config, "head")


    @asynccontextmanager
    async def lifespan(app: FastAPI):
        migrate(None)
        yield


    app = FastAPI(lifespan=lifespan)
"""
_MAIN = """
    import subprocess

    import uvicorn
    from fastapi import FastAPI

    app = FastAPI()


    class Server:
        def migrate(self) -> None:
            subprocess.run(["alembic", "upgrade", "head"], check=True)

        def start(self) -> None:
            self.migrate()
            uvicorn.Server(uvicorn.Config(app)).run()
"""
_RELOADING = """
    import uvicorn
    from alembic.config import main
    from fastapi import FastAPI

    app = FastAPI()
    if __name__ == "__main__":
        main(argv=["upgrade", "head"])
        uvicorn.run("main:app", reload=True)
"""
_COMMAND_LINE = """
    from alembic import command
    from fastapi import FastAPI

    app = FastAPI()


    def upgrade_database() -> None:
        command.upgrade(None, "head")
"""
_DOCKERFILE = """
    FROM python:3.13
    CMD alembic upgrade head && uvicorn main:app
"""
_SCRIPT = """
    #!/bin/sh
    alembic -c db.ini upgrade head
    exec uvicorn main:app
"""
_DEPLOYMENT = """
    kind: Deployment
    spec:
      strategy:
        type: STRATEGY
"""
_COMPOSE = """
    services:
      api:
        image: api
        command: uvicorn main:app
        deploy:
          replicas: 3
"""


_PATHS = {
    "main": "main.py",
    "docker": "Dockerfile",
    "script": "start.sh",
    "kube": "api.yaml",
    "compose": "compose.yaml",
}


def _alone(folder: Path, files: dict[str, str]) -> bool:
    known = {"main": "from fastapi import FastAPI\n\napp = FastAPI()\n"} | files
    write({_PATHS[name]: textwrap.dedent(text).lstrip("\n") for name, text in known.items()}, folder)
    return one_release_at_a_time(read(SourceTree.open(folder), Config(), cache=False).graph)


@pytest.mark.parametrize(
    "files",
    [
        {"main": _LIFESPAN},
        {"main": _MAIN},
        {"docker": _DOCKERFILE},
        {"script": _SCRIPT},
        {"main": _LIFESPAN, "kube": _DEPLOYMENT.replace("STRATEGY", "Recreate")},
    ],
)
def test_a_server_that_migrates_in_its_own_start_is_alone(files: dict[str, str], tmp_path: Path) -> None:
    assert _alone(tmp_path, files)


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"main": _RELOADING},
        {"main": _COMMAND_LINE},
        {"main": _LIFESPAN, "kube": _DEPLOYMENT.replace("STRATEGY", "RollingUpdate")},
        {"main": _LIFESPAN, "compose": _COMPOSE},
    ],
)
def test_an_old_release_may_run_beside_the_migrations(files: dict[str, str], tmp_path: Path) -> None:
    assert not _alone(tmp_path, files)
