"""What may happen to orders."""


def cancel(order_id: int) -> None:
    """Cancel an order."""
    print(order_id)
