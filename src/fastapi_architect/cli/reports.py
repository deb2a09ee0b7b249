"""Formats of a review's report: which there are, and where each is written."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from fastapi_architect.cli.errors import UsageError
from fastapi_architect.review.pipeline import project_of
from fastapi_architect.review.result import Review

FORMATS = ("text", "concise", "json", "sarif", "github", "gitlab", "markdown", "html")
#: Reports of several projects may follow one another.
_BY_LINES = ("text", "concise", "github", "markdown")


class Wanted(msgspec.Struct, frozen=True):
    """A report; `file` is None for standard output."""

    form: str
    file: Path | None


def wanted(text: str) -> Wanted:
    """What `--report FORMAT=FILE` asks for.

    Raises:
        argparse.ArgumentTypeError: there is no such format, or no file.
    """
    form, equals, file = text.partition("=")
    if form not in FORMATS or not equals or not file:
        message = f"{text!r} is no FORMAT=FILE; formats are {', '.join(FORMATS)}"
        raise argparse.ArgumentTypeError(message)
    return Wanted(form, Path(file))


class Reviewed(msgspec.Struct, frozen=True):
    """The result of one project, with its path as it was given."""

    path: Path
    result: Review


def render(form: str, reviews: Sequence[Reviewed], *, everything: bool = False) -> str:
    """One report of all reviews.

    Raises:
        UsageError: the format is one document, and there are several projects.
    """
    if len(reviews) > 1 and form not in _BY_LINES:
        roots = ", ".join(str(each.path) for each in reviews)
        message = f"the files lie in {len(reviews)} projects ({roots}), and {form} is a document of one; review one PATH at a time"
        raise UsageError(message)
    return "".join(_renderer(form, each.path, everything=everything)(each.result) for each in reviews)


def _renderer(form: str, path: Path, *, everything: bool) -> Callable[[Review], str]:
    """The renderer of a format, loaded only when it is used."""
    if form == "json":
        from fastapi_architect.report import json as json_report

        return json_report.render
    if form == "sarif":
        from fastapi_architect.report import sarif

        return lambda result: sarif.render(result, prefix=_in_repository(path))
    if form == "github":
        from fastapi_architect.report import github

        return lambda result: github.render(result, prefix=_in_repository(path))
    if form == "gitlab":
        from fastapi_architect.report import gitlab

        return lambda result: gitlab.render(result, prefix=_in_repository(path))
    if form == "markdown":
        from fastapi_architect.report import markdown

        return lambda result: markdown.render(result, prefix=_in_repository(path))
    if form == "concise":
        from fastapi_architect.report import concise

        return lambda result: concise.render(result, prefix=_from_here(path))
    if form == "html":
        from fastapi_architect.report import html

        return html.render
    from fastapi_architect.report import text

    return lambda result: text.render(result, everything=everything)


def _in_repository(path: Path) -> str:
    """Path from the repository's root to the reviewed folder: what GitHub and GitLab call a file."""
    root, _ = project_of(path)
    absolute = root.absolute()
    repository = next((f for f in (absolute, *absolute.parents) if (f / ".git").exists()), absolute)
    return _relative(absolute, repository)


def _from_here(path: Path) -> str:
    """Path from the working directory to the reviewed folder: what an editor opens."""
    root, _ = project_of(path)
    return _relative(root.absolute(), Path.cwd())


def _relative(folder: Path, start: Path) -> str:
    prefix = os.path.relpath(folder, start).replace(os.sep, "/")
    return "" if prefix == "." else prefix
