"""The second route is there for a library that is switched off; the reader is told so."""

from fastapi import FastAPI

app = FastAPI()


@app.get("/status")
def status() -> str:
    return "ready"


@app.get("/status")
def status_of_plugin() -> str:
    """The route above overrides this one on purpose, until the plugin is gone."""
    return "plugin"
