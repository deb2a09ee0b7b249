"""Configuration without a settings class."""

import os

TITLE = os.getenv("TITLE", "Books")


def sender() -> str:
    return os.getenv("SENDER", "shop@books.example")
