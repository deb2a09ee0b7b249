"""What may happen to orders."""

from fastapi import HTTPException  # finding: layer-violation-or-import-cycle


def check(number: int) -> None:
    if number < 0:
        raise HTTPException(422)
