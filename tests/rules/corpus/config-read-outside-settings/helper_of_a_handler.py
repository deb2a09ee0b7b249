"""The variable is read in a function that only handlers call; the first read of the file is reported."""

import os

from fastapi import FastAPI

app = FastAPI()


def sender() -> str:
    name = os.getenv("SENDER_NAME")  # finding: config-read-outside-settings
    return f"{name} <{os.environ['SENDER_ADDRESS']}>"  # silent: named with the first


@app.get("/sender")
def read_sender() -> str:
    return sender()
