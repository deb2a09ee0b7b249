"""Paths that a service makes for others: the finding stands where the folder and the name meet, once for all uses."""

import shutil
import subprocess
from abc import ABC, abstractmethod
from pathlib import Path

from fastapi import Body, FastAPI, HTTPException
from fastapi.responses import FileResponse
from sqlalchemy.orm import Session

app = FastAPI()


class Pictures(ABC):
    @abstractmethod
    def get_path(self, name: str) -> Path:
        """Where a picture lies."""

    @abstractmethod
    def delete(self, name: str) -> None:
        """Remove a picture."""


class PicturesOnDisk(Pictures):
    def __init__(self, folder: Path) -> None:
        self.__folder = folder

    def get_path(self, name: str) -> Path:
        return self.__folder / name  # finding: path-traversal-read-or-delete

    def delete(self, name: str) -> None:
        path = self.get_path(name)
        if path.exists():
            path.unlink()


class Papers(ABC):
    @abstractmethod
    def get_path(self, name: str) -> Path:
        """Where a paper lies."""


class PapersOnDisk(Papers):
    def __init__(self, folder: Path) -> None:
        self.__folder = folder.resolve()

    def get_path(self, name: str) -> Path:
        path = (self.__folder / name).resolve()
        if not path.is_relative_to(self.__folder):
            raise ValueError("There is no such paper.")
        return path


class Archive:
    """Asks about names in a function that has the word in its name, and asks nothing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def locate(self, name: str) -> Path:
        path = self.folder / name  # finding: path-traversal-read-or-delete
        if not self.is_valid_path(path):
            raise HTTPException(404)
        return path

    def is_valid_path(self, path: Path) -> bool:
        return path.exists() and path.suffix == ".zip"

    def locate_checked(self, name: str) -> Path:
        path = self.folder / name
        if not self.is_inside(path):
            raise HTTPException(404)
        return path

    def is_inside(self, path: Path) -> bool:
        return path.resolve().is_relative_to(self.folder.resolve())


class Services:
    def __init__(self, pictures: Pictures, papers: Papers, archive: Archive) -> None:
        self.pictures = pictures
        self.papers = papers
        self.archive = archive


class Dependencies:
    services: Services

    @staticmethod
    def initialize() -> None:
        pictures = PicturesOnDisk(Path("/srv/pictures"))
        papers = PapersOnDisk(Path("/srv/papers"))
        Dependencies.services = Services(pictures, papers, Archive(Path("/srv/archive")))


@app.get("/pictures/{name}")
def picture(name: str):
    return FileResponse(Dependencies.services.pictures.get_path(name))


@app.post("/pictures/delete")
def delete_pictures(names: list[str] = Body(embed=True)):
    for name in names:
        Dependencies.services.pictures.delete(name)


@app.get("/papers")
def paper(name: str):
    return FileResponse(Dependencies.services.papers.get_path(name))


@app.get("/archive")
def archived(name: str):
    return FileResponse(Dependencies.services.archive.locate(name))


@app.get("/archive-checked")
def archived_checked(name: str):
    return FileResponse(Dependencies.services.archive.locate_checked(name))


class Plugin:
    """A name that is kept before it becomes a path."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.path = locate_plugin(name)


def locate_plugin(name: str) -> Path:
    return Path("/srv/plugins") / name  # finding: path-traversal-read-or-delete


@app.get("/plugins")
def plugin(name: str):
    return FileResponse(Plugin(name).path)


def require_plugin(name: str, session: Session):
    found = session.get(Plugin, name)
    if found is None:
        raise HTTPException(404)
    return found


@app.delete("/plugins/{name}")
def remove(name: str):
    target = Path("/srv/plugins-of-all") / name
    if not target.exists():
        raise HTTPException(404)
    shutil.rmtree(target)  # finding: path-traversal-read-or-delete - `..` is the folder of all


@app.delete("/known-plugins/{name}")
def remove_known(name: str, session: Session):
    require_plugin(name, session)
    shutil.rmtree(Path("/srv/known-plugins") / name)  # finding: path-traversal-read-or-delete - tentative


PLUGINS: dict[str, Plugin] = {}


@app.delete("/loaded-plugins/{name}")
def remove_loaded(name: str):
    known = PLUGINS.get(name)
    if getattr(known, "removable", False):
        shutil.rmtree(Path("/srv/loaded-plugins") / name)  # finding: path-traversal-read-or-delete - tentative


def start(folder: Path) -> None:
    subprocess.Popen(["python", str(folder / "server.py")])


@app.post("/servers")
def start_server(name: str = Body()):
    start(Path("/srv/servers") / name)  # finding: path-traversal-read-or-delete


@app.post("/default-server")
def start_default_server(name: str = Body()):
    start(Path("/srv/servers") / ("small" if name else "large"))
