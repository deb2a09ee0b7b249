"""What the carrier asks for a parcel."""

from decimal import Decimal

import requests

from app.core.config import settings
from app.core.errors import UpstreamUnavailable


def estimate(country: str, grams: int) -> Decimal:
    """The carrier's price for a parcel.

    Raises:
        UpstreamUnavailable: if the carrier does not answer.
    """
    try:
        response = requests.get(
            settings.carrier_url, params={"country": country, "grams": grams}, timeout=settings.http_timeout_seconds
        )
        response.raise_for_status()
        return Decimal(str(response.json()["price"]))
    except (requests.RequestException, KeyError, ArithmeticError) as exc:
        raise UpstreamUnavailable("The carrier does not answer.") from exc
