"""Which branch and commit is this? What a CI server says in its variables, and else what git says.

A request to merge is a branch of its own, under the name of the request: its author chooses the name of the branch
that it comes from, and could call it like the project's default branch, whose findings a scan would then close.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import msgspec

from fastapi_architect.review.changes import head

_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_PULL = re.compile(r"refs/pull/(\d+)/")


class Revision(msgspec.Struct, frozen=True):
    """Attributes: branch: its name, None where nothing says it; commit: its identifier, the same."""

    branch: str | None = None
    commit: str | None = None


def revision_of(path: Path, environment: Mapping[str, str]) -> Revision:
    """Return the branch and the commit of a folder.

    Args:
        path: the folder.
        environment: of this process; GitHub Actions and GitLab CI are known.
    """
    if environment.get("GITHUB_ACTIONS") == "true":
        found = Revision(_github(environment), environment.get("GITHUB_SHA"))
    elif environment.get("GITLAB_CI") == "true":
        found = Revision(_gitlab(environment), environment.get("CI_COMMIT_SHA"))
    else:
        known = head(path)
        found = Revision(known.branch, known.commit)
    commit = found.commit if found.commit and _COMMIT.fullmatch(found.commit) else None
    return Revision(found.branch or None, commit)


def _github(environment: Mapping[str, str]) -> str | None:
    reference = environment.get("GITHUB_REF", "")
    if pull := _PULL.match(reference):
        return f"pull/{pull[1]}"
    if reference.startswith("refs/tags/"):
        return f"tags/{reference.removeprefix('refs/tags/')}"
    return reference.removeprefix("refs/heads/")


def _gitlab(environment: Mapping[str, str]) -> str | None:
    if request := environment.get("CI_MERGE_REQUEST_IID"):
        return f"merge-requests/{request}"
    if tag := environment.get("CI_COMMIT_TAG"):
        return f"tags/{tag}"
    return environment.get("CI_COMMIT_BRANCH")
