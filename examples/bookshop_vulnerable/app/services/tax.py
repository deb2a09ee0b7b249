"""Rates of value added tax."""

import json
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

import anyio

TAX_TABLE = Path(__file__).parent.parent / "data" / "tax_rates.json"


@lru_cache(maxsize=16)
async def tax_rate(country: str) -> Decimal:  # finding: cache-decorator-on-coroutine
    """The rate for books in a country; zero where we do not collect any."""
    table = json.loads(await anyio.Path(TAX_TABLE).read_text())
    return Decimal(table.get(country, "0"))
