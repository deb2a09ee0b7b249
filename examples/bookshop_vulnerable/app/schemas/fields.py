"""Constrained types that requests share, as wide as the columns behind them."""

from typing import Annotated

from fastapi import Query
from pydantic import Field

EntityId = Annotated[int, Field(ge=1, le=2_147_483_647)]
PageLimit = Annotated[int, Query(ge=1, le=100, description="How many entries at most.")]
AfterId = Annotated[int, Query(ge=0, le=2_147_483_647, description="The last id of the page before.")]
