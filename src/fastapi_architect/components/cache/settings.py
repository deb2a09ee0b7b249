"""CACHE_*: where values are kept, and how long one caller may keep others waiting."""

from typing import Annotated, Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from ..service import ComponentSettings


class CacheSettings(ComponentSettings):
    """CACHE_*: where values are kept, and how long one caller may keep others waiting."""

    model_config = SettingsConfigDict(env_prefix="CACHE_")

    #: `memory` keeps values in each process apart: a deletion does not reach the others.
    storage: Literal["redis", "memory"] = "redis"
    #: Seconds that a load may take; afterwards somebody else may begin one.
    load_timeout: Annotated[float, Field(gt=0, le=300)] = 10.0
    #: Seconds that the others wait for a load, before they load for themselves.
    wait: Annotated[float, Field(gt=0, le=60)] = 2.0
    #: Larger values are not kept.
    max_bytes: Annotated[int, Field(ge=1)] = 1_048_576
    #: How much of a lifetime is left to chance, so that what was kept together does not expire together.
    jitter: Annotated[float, Field(ge=0, lt=1)] = 0.1
