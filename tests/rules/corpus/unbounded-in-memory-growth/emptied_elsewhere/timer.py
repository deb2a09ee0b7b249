"""Forgets everything once an hour."""

import threading

from store import words


def forget() -> None:
    words.clear()
    start()


def start() -> None:
    threading.Timer(3600, forget).start()
