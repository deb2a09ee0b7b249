"""Pickle is used, but no worker reads it from a broker: a cache of results on disk, and a word in a list."""

import pickle
from pathlib import Path

from celery import Celery

shop = Celery("shop", broker="redis://localhost:6379/1")
shop.conf.update(accept_content=["json"])
FORMATS = ["json", "pickle"]


@shop.task
def report(year: int) -> None:
    Path("report.bin").write_bytes(pickle.dumps({"year": year}))
