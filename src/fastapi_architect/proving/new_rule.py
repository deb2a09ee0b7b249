"""`make new-rule NAME=security/injection/name-of-the-wrong-thing`: the skeleton of a rule.

In the order rules have.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from fastapi_architect import rules
from fastapi_architect.findings.severity import Category

_SKELETON = '''\
"""What goes wrong, in one sentence that ends with a full stop.

Then: how it comes about, what it costs, and to whom.

Known limits: what this rule does not see, and what it reports although it is well.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.rules.kit import AppGraph, Finding, PathOperation, Proof, Rule, Severity

rule = Rule(
    __name__,
    "The wrong thing in one line, as a reader would say it",
    severity=Severity.IMPORTANT,{weakness}
    references=("https://fastapi.tiangolo.com/...",),
)


@rule.check(per=PathOperation)
def {function}(operation: PathOperation, graph: AppGraph) -> Iterator[Finding]:
    # yield rule.at(place, issue, suggestion, exploit=..., trace=steps(...), routes=routes_of([operation]))
    yield from ()


rule.bad = """
    from fastapi import FastAPI

    app = FastAPI()

    @app.get("/")
    def root() -> str:  # finding: {name}
        return ""
"""

rule.good = """
    from fastapi import FastAPI

    app = FastAPI()

    @app.get("/")
    def root() -> str:
        return ""
"""


@rule.{kind}
def {function}_is_{seen}(proof: Proof) -> None:
    """What is {seen}, and what it means, in one sentence."""
    assert proof.client.get("/").status_code == 500
'''

_WEAKNESS = '\n    cwe=0,\n    cvss="AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:N",'


class BadName(ValueError):
    """The name cannot be a rule's; the message says what to write instead."""


def skeleton(place: str) -> tuple[Path, str]:
    """Where a new rule's file belongs, relative to the rules' folder, and its text.

    Args:
        place: `category/topic/name` or `category/name`; hyphens and underscores are the same.

    Raises:
        BadName: there is no such category, or the last part is no name.
    """
    *folders, name = [part.replace("-", "_") for part in place.strip("/").removesuffix(".py").split("/")]
    categories = [category.value for category in Category]
    if not folders or folders[0] not in categories:
        message = f"{place!r} must begin with a category: {', '.join(categories)}"
        raise BadName(message)
    if len(folders) > 2 or not all(
        re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", part) for part in (*folders, name)
    ):
        message = f"{place!r} must be category/topic/name or category/name, in lower case with hyphens"
        raise BadName(message)
    security = folders[0] == Category.SECURITY.value
    kind, seen = ("exploit", "attacked") if security else ("symptom", "counted")
    text = _SKELETON.format(
        name=name.replace("_", "-"),
        function=name,
        kind=kind,
        seen=seen,
        weakness=_WEAKNESS if security else "",
    )
    return Path(*folders, f"{name}.py"), text


def create(place: str, root: Path) -> Path:
    """Write a new rule's file below `root`, and packages that are missing on the way.

    Raises:
        BadName: the place is none for a rule, or a rule of that name exists.
    """
    relative, text = skeleton(place)
    taken = sorted(root.rglob(relative.name))
    if taken:
        message = f"{taken[0]} has that name already; names are never reused"
        raise BadName(message)
    target = root / relative
    target.parent.mkdir(parents=True, exist_ok=True)
    for folder in list(relative.parents)[:-1]:
        package = root / folder / "__init__.py"
        if not package.exists():
            package.write_text(f'"""Rules about {folder.name.replace("_", " ")}."""\n', encoding="utf-8")
    target.write_text(text, encoding="utf-8")
    return target


def main(arguments: list[str]) -> int:
    """Create the file and say what comes next."""
    parser = argparse.ArgumentParser(prog="make new-rule")
    parser.add_argument("place", metavar="category/topic/name-of-the-wrong-thing")
    given = parser.parse_args(arguments)
    try:
        target = create(given.place, Path(rules.__file__).parent)
    except BadName as error:
        sys.stderr.write(f"{error}\n")
        return 2
    name = target.stem.replace("_", "-")
    sys.stdout.write(
        f"{target}\nWrite the bad example first, then: python -m tests.rules.kit {name}\n"
        f"Add one sentence in changelog.d/{name}.md.\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
