"""Fresh revisions on the user's head."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.builder.conftest import write

from fastapi_architect.builder.catalog import ComponentSpec, Migration
from fastapi_architect.builder.errors import BuildError
from fastapi_architect.builder.placing import Place
from fastapi_architect.builder.project import read_project
from fastapi_architect.builder.revisions import find_head, revisions_for
from fastapi_architect.review.config import Config

INI = "[alembic]\nscript_location = %(here)s/migrations\n"
ENV = "from alembic import context\n\ntarget_metadata = None\ncontext.configure()\ncontext.run_migrations()\n"
NOW = datetime(2026, 11, 21, 9, 5, tzinfo=UTC)
PACKAGE = Place.of("app/components")


def revision(name: str, down: str | None) -> str:
    return f'"""x"""\nfrom alembic import op\n\nrevision = "{name}"\ndown_revision = {down!r}\n\n\ndef upgrade():\n    pass\n'


def spec(name: str, *slugs: str) -> ComponentSpec:
    made = tuple(Migration(slug=s, upgrade=f"create_{s}", downgrade=f"drop_{s}", tables=(s,)) for s in slugs)
    return ComponentSpec(name=name, title="", summary="", group="work", version="1", migrations=made)


def head(root: Path, folder: str | None = None):  # type: ignore[no-untyped-def]
    return find_head(read_project(root, Config(), cache=False).graph, folder)


def test_each_follows_the_one_before(tmp_path: Path) -> None:
    write(
        tmp_path,
        {"alembic.ini": INI, "migrations/env.py": ENV, "migrations/versions/a.py": revision("aaa", None)},
    )

    (first, second), last = revisions_for(
        [spec("keys", "keys"), spec("log", "log")], head(tmp_path), PACKAGE, NOW
    )

    assert 'down_revision: str | None = "aaa"' in first.data.decode()
    identifier = first.path.removeprefix("migrations/versions/").partition("_")[0]
    assert f'down_revision: str | None = "{identifier}"' in second.data.decode()
    assert "from app.components.keys.migrations import create_keys, drop_keys" in first.data.decode()
    assert "    create_keys(op)\n" in first.data.decode()
    assert first.path == f"migrations/versions/{identifier}_keys.py"
    assert second.path == f"migrations/versions/{last}_log.py"


def test_names_follow_the_projects_template(tmp_path: Path) -> None:
    ini = f"{INI}file_template = %%(year)d_%%(month).2d_%%(day).2d_%%(hour).2d%%(minute).2d-%%(rev)s_%%(slug)s\n"
    write(
        tmp_path,
        {"alembic.ini": ini, "migrations/env.py": ENV, "migrations/versions/a.py": revision("aaa", None)},
    )

    (made,), _ = revisions_for([spec("keys", "keys")], head(tmp_path), PACKAGE, NOW)

    assert made.path.startswith("migrations/versions/2026_11_21_0905-")


def test_the_first_revision_follows_nothing(tmp_path: Path) -> None:
    write(tmp_path, {"alembic.ini": INI, "migrations/env.py": ENV})

    (made,), _ = revisions_for([spec("keys", "keys")], head(tmp_path), PACKAGE, NOW)

    assert made.path.startswith("migrations/versions/")
    assert "down_revision: str | None = None" in made.data.decode()


@pytest.mark.parametrize(
    ("revisions", "says"),
    [
        ({"a": None, "b": "a", "c": "a"}, "2 heads .*alembic merge heads"),
        ({"b": "lost"}, "follows 'lost', which does not exist"),
        ({"a": "b", "b": "a"}, "have no order"),
    ],
)
def test_a_history_that_cannot_be_continued_is_refused(
    tmp_path: Path, revisions: dict[str, str | None], says: str
) -> None:
    files = {f"migrations/versions/{name}.py": revision(name, down) for name, down in revisions.items()}
    write(tmp_path, {"alembic.ini": INI, "migrations/env.py": ENV, **files})

    with pytest.raises(BuildError, match=says):
        head(tmp_path)


def test_without_migrations_the_command_is_named(tmp_path: Path) -> None:
    write(tmp_path, {"app.py": "X = 1\n"})

    with pytest.raises(BuildError, match="alembic init migrations"):
        head(tmp_path)


def test_several_folders_are_asked_for(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write(
            tmp_path,
            {
                f"{name}/alembic.ini": INI,
                f"{name}/migrations/env.py": ENV,
                f"{name}/migrations/versions/a.py": revision(name, None),
            },
        )

    with pytest.raises(BuildError, match="--migrations FOLDER"):
        head(tmp_path)
    assert head(tmp_path, "two/migrations").head == "two"
