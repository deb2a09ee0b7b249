"""Payments."""


class NoOrderError(Exception): ...


class PaidError(Exception): ...


class DeclinedError(Exception): ...


class StolenError(Exception): ...


class ExpiredError(Exception): ...


class TooMuchError(Exception): ...


class ClosedError(Exception): ...


class BusyError(Exception): ...


def pay(order_id: int, card: str) -> str:
    """Take the money."""
    return f"{order_id} {card}"
