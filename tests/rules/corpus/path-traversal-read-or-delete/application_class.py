"""An application class whose methods register on `self`, under a path that only its callers know."""

from pathlib import Path

from fastapi import FastAPI, HTTPException
from fastapi.responses import FileResponse


class Shop(FastAPI):
    def add_media(self, url_path: str, directory: str) -> None:
        @self.get(url_path.rstrip("/") + "/{name:path}")
        def read_media(name: str):
            path = Path(directory) / name
            if not path.is_file():
                raise HTTPException(404)
            return FileResponse(path)  # finding: path-traversal-read-or-delete

    def add_file(self, url_path: str, file: str) -> None:
        path = Path(file).resolve()

        @self.get(url_path)
        def read_file():
            return FileResponse(path)

    def add_covers(self, url_path: str, directory: str) -> None:
        root = Path(directory).resolve()

        @self.get(f"{url_path}/{{number}}.png")
        def read_cover(number: int):
            return FileResponse(root / f"{number}.png")


app = Shop()
