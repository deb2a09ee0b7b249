"""One of the two answers, as a setting decides: a function registers it, or the other branch does."""

import os

from fastapi import FastAPI


def add_pages(application: FastAPI) -> None:
    @application.get("/")
    def home() -> str:
        return "the page"


def create_app() -> FastAPI:
    created = FastAPI()
    if os.environ.get("PAGES"):
        add_pages(created)
    else:

        @created.get("/")
        def empty_home() -> str:
            return ""

    return created


app = create_app()
