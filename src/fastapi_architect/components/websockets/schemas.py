"""Tickets as the API shows them."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class TicketOut(BaseModel):
    """Opens one socket, within seconds."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"ticket": "kq3yQe0C8m5cOe1mVw2u7w8s3b0nqYb9vB1cZk4xL6A", "expires_in": 30}]
        },
    )

    ticket: Annotated[str, Field(description="Open `/websockets?ticket=...` with it.")]
    expires_in: Annotated[int, Field(description="In seconds.")]
