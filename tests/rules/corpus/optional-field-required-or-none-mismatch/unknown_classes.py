"""Classes of packages that are not here may be models: FastAPI reads those from the body, where null can be sent."""

import enum
from typing import Annotated, Optional

from elsewhere import Service
from fastapi import FastAPI, Header, Query

app = FastAPI()

try:
    from other import Plugin
except ImportError:
    Plugin = None


class Colour(enum.StrEnum):
    RED = "red"


@app.post("/services")
def add_service(service: Optional[Service]) -> str:
    return str(service)


@app.post("/plugins")
def add_plugin(plugin: Plugin | None) -> str:
    return str(plugin)


@app.get("/colours")
def colours(
    wanted: Colour | None,  # finding: optional-field-required-or-none-mismatch
    count: int | str | None,  # finding: optional-field-required-or-none-mismatch
    trace: Annotated[str | None, Header()],  # finding: optional-field-required-or-none-mismatch
    service: Annotated[Service | None, Query()],  # finding: optional-field-required-or-none-mismatch
) -> str:
    return f"{wanted} {count} {trace} {service}"
