"""`architect add` on public backends that `architect new` did not make: `python ecosystem/foreign.py NAME...`.

Each is cloned from MIRRORS into a folder of its own, gets its own environment and database, and its own tests are run before
and after the components are added; then the application is served and asked. A refusal is a result, too: its reason is
printed. Needs git, pip and a PostgreSQL that listens on a port (TEST_POSTGRESQL_URL, a superuser's).
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
import tomllib
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fastapi_architect.builder.catalog import load_catalog, packages_of
from fastapi_architect.components.testing.servers import free_port, redis_server, scratch_database

COMPONENTS = ("rate_limiting", "cache", "structured_logging", "health_checks")
HERE = Path(__file__).parent
#: Asks for a value three times, in an application of its own with the components that were added.
USE_OF_CACHE = """
import asyncio, importlib
from fastapi import FastAPI
registry = importlib.import_module("{package}.registry")
CachedValue = importlib.import_module("{package}.components.cache").CachedValue

async def main():
    loads = []
    async def load():
        loads.append(7)
        return 7
    app, parts = FastAPI(), registry.components()
    registry.install(app, parts)
    caching = next(part for part in parts if type(part).__name__ == "Caching")
    async with app.router.lifespan_context(app):
        key = CachedValue("trial", int, ttl=60).key("x", shared=True)
        found = [await caching.cache.get_or_load(key, load) for _ in range(3)]
    print("loads of three", found, len(loads))

asyncio.run(main())
"""


def main() -> int:
    """Try every backend that is named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--mirrors", type=Path, default=Path(".work/mirrors"))
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "foreign-backends")
    parser.add_argument("--python", default=sys.executable, help="the Python of the backends")
    given = parser.parse_args()
    backends = tomllib.loads((HERE / "foreign.toml").read_text(encoding="utf-8"))["backend"]
    print("| backend | its tests before | its tests after | after adding |")
    print("|---|---|---|---|")
    for backend in backends:
        if not given.names or backend["name"] in given.names:
            with scratch_database(os.environ["TEST_POSTGRESQL_URL"]) as url, redis_server() as redis_url:
                row = Trial(backend, given.mirrors, given.work, given.python, url, redis_url).run()
            print(f"| {backend['name']} | {' | '.join(row)} |", flush=True)
    return 0


class Trial:
    """One backend, before and after."""

    def __init__(
        self, backend: dict[str, Any], mirrors: Path, work: Path, python: str, url: str, redis_url: str
    ) -> None:
        self.backend = backend
        self.mirror = mirrors / backend["mirror"]
        self.tree = work / backend["name"]
        self.folder = (self.tree / backend["folder"]).resolve()
        self.base_python = python
        parts = urlsplit(url)
        facts = {
            "host": parts.hostname or "127.0.0.1",
            "port": parts.port or 5432,
            "user": parts.username or "postgres",
            "database": parts.path.lstrip("/"),
        }
        own = {name: value.format(**facts) for name, value in backend["environment"].items()}
        self.bin = (work / f"{backend['name']}-venv" / "bin").resolve()
        self.environment = os.environ | own | {"PATH": f"{self.bin}{os.pathsep}{os.environ['PATH']}"}
        self.environment |= {"PYTHONPATH": str(self.folder), "ENVIRONMENT": "local", "REDIS_URL": redis_url}
        # Other people's tests send more than three hundred requests a minute from one address.
        self.environment["RATE_LIMIT_DEFAULT"] = "1000000/minute"

    def run(self) -> tuple[str, str, str]:
        """Return the three cells: tests before, tests after, what was seen."""
        self.check_out()
        if self.backend["tests"]:
            self.install(*self.backend["install"])
            for command in self.backend.get("prepare", ()):
                self.call(command)
        before = self.own_tests()
        added = subprocess.run(
            [sys.executable, "-m", "fastapi_architect", "add", *COMPONENTS, "--path", self.folder, "--yes"],
            capture_output=True,
            text=True,
            check=False,
        )
        if added.returncode:
            return before, "", f"refused: {(added.stderr or added.stdout).strip().splitlines()[0]}"
        self.install(*packages_of(load_catalog().closure(COMPONENTS)))
        score = re.search(r"Score \d+ -> \d+", added.stdout)
        return before, self.own_tests(), "; ".join([*self.served(), score[0] if score else ""])

    def check_out(self) -> None:
        """Lay the tree out anew at its commit."""
        subprocess.run(["rm", "-rf", "--", self.tree], check=True)
        subprocess.run(["git", "clone", "-q", "--no-checkout", self.mirror, self.tree], check=True)
        commit = self.backend["commit"] or "HEAD"
        # A mirror may lack large files; what is there is enough.
        subprocess.run(
            ["git", "checkout", "-q", "-f", commit, "--", "."],
            cwd=self.tree,
            check=False,
            capture_output=True,
        )
        for name, old, new in self.backend.get("replace", ()):
            file = self.folder / name
            file.write_text(file.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
        commit_all = [
            "git",
            "-c",
            "user.name=trial",
            "-c",
            "user.email=trial@localhost",
            "commit",
            "-qam",
            "trial",
            "--allow-empty",
        ]
        subprocess.run(["git", "add", "-A"], cwd=self.tree, check=True)
        subprocess.run(commit_all, cwd=self.tree, check=True)

    def install(self, *requirements: str) -> None:
        """Install into the backend's own environment."""
        if not self.bin.exists():
            subprocess.run([self.base_python, "-m", "venv", self.bin.parent], check=True)
        pip = [
            self.bin / "python",
            "-m",
            "pip",
            "install",
            "-q",
            "--disable-pip-version-check",
            *requirements,
        ]
        subprocess.run(pip, cwd=self.folder, check=True)

    def call(self, command: str) -> str:
        """Run a command of the backend's people, and return all that it says."""
        told = subprocess.run(
            command.split(),
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return told.stdout + told.stderr

    def own_tests(self) -> str:
        """Return what pytest says in its last line."""
        if not self.backend["tests"]:
            return "not run"
        found = re.findall(r"(\d+ (?:passed|failed|skipped|errors?))", self.call(self.backend["tests"]))
        return ", ".join(found[-3:]) or "did not run"

    def served(self) -> list[str]:
        """Serve the application and say what its answers carry."""
        port = free_port()
        command = [self.bin / "python", "-m", "uvicorn", self.backend["application"], "--port", str(port)]
        log = self.tree.parent / f"{self.backend['name']}.log"
        with log.open("w") as said:
            server = subprocess.Popen(
                command, cwd=self.folder, env=self.environment, stdout=said, stderr=said
            )
            try:
                live, headers = ask(f"http://127.0.0.1:{port}/health/live")
                _, other = ask(f"http://127.0.0.1:{port}/openapi.json")
            finally:
                server.terminate()
                server.wait(timeout=60)
        package = self.backend["application"].partition(".")[0]
        cache = self.call_code(USE_OF_CACHE.format(package=package))
        lines = log.read_text(encoding="utf-8", errors="replace")
        is_json = '"message": ' in lines
        return [
            f"/health/live {live}",
            f"request id {'yes' if 'x-request-id' in headers else 'no'}",
            f"RateLimit {'yes' if 'ratelimit' in other else 'no'}",
            f"JSON log {'yes' if is_json else 'no'}",
            f"cache {'yes' if 'loads of three [7, 7, 7] 1' in cache else 'no'}",
        ]

    def call_code(self, code: str) -> str:
        """Run code in the backend's environment."""
        told = subprocess.run(
            [self.bin / "python", "-c", code],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return told.stdout + told.stderr


def ask(url: str) -> tuple[int, dict[str, str]]:
    """Return status and headers (in lower case), as soon as somebody answers; 0 if nobody does within a minute."""
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return answer.status, {name.lower(): value for name, value in answer.headers.items()}
        except urllib.error.HTTPError as error:
            return error.code, {name.lower(): value for name, value in error.headers.items()}
        except OSError:
            if time.monotonic() > deadline:
                return 0, {}
            time.sleep(0.2)


if __name__ == "__main__":
    sys.exit(main())
