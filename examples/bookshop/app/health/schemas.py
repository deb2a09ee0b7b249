"""What a load balancer wants to know."""

from app.schemas import OutputModel


class Liveness(OutputModel):
    """That the process answers."""

    alive: bool


class Readiness(OutputModel):
    """Which dependencies answer. Without the database nothing works; without Redis, browsing does."""

    database: bool
    redis: bool
