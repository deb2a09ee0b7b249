"""The three forms of a project's name, and which names cannot be."""

from __future__ import annotations

import re
import sys

import msgspec

from fastapi_architect.builder.errors import BuildError

#: PostgreSQL cuts names at 63 bytes, and the roles of the project end in `_owner`.
_LONGEST = 50
_SHAPE = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[-_ ][A-Za-z0-9]+)*")
_TAKEN = frozenset({"app", "migrations", "postgres", "root", "template0", "template1", "test", "tests"})


class ProjectName(msgspec.Struct, frozen=True):
    """A name as it stands in different places.

    Attributes:
        distribution: in `pyproject.toml`, such as "book-shop".
        identifier: in the database, such as "book_shop".
        title: for people, such as "Book shop".
    """

    distribution: str
    identifier: str
    title: str


def project_name(text: str, packages: frozenset[str] = frozenset()) -> ProjectName:
    """The name of a project.

    Args:
        text: as it was typed.
        packages: names of distributions that the project will need, in normal form.

    Raises:
        BuildError: it is none; the message names one that is.
    """
    if not _SHAPE.fullmatch(text):
        letters = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-0123456789")
        _refuse(
            text, "begins with a letter and has letters, digits, dashes and underscores", letters[:_LONGEST]
        )
    if len(text) > _LONGEST:
        _refuse(text, f"has at most {_LONGEST} letters", text[:_LONGEST].rstrip("-_ "))
    words = re.split("[-_ ]", text)
    lower = [word.lower() for word in words]
    name = ProjectName(
        "-".join(lower), "_".join(lower), " ".join([words[0][:1].upper() + words[0][1:], *words[1:]])
    )
    if name.distribution in packages:
        _refuse(text, "is not the name of a package that the service needs", f"{name.distribution}-service")
    if name.identifier in _TAKEN or name.identifier in sys.stdlib_module_names:
        _refuse(text, "is not the name of something else in the project", f"{name.distribution}-service")
    return name


def _refuse(text: str, rule: str, better: str) -> None:
    hint = f"; try {better!r}" if better else "; try 'bookshop'"
    message = f"the project cannot be called {text!r}: a name {rule}{hint}"
    raise BuildError(message)
