"""Imports the other one really."""

from app.models import Author


class Book:
    author: Author
