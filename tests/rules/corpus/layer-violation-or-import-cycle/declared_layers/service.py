"""Raises what the contract allows."""

from fastapi import HTTPException


def find(number: int) -> str:
    if number > 3:
        raise HTTPException(404)
    return "Emma"
