"""A process that has reviewed before answers as a fresh one does, whatever happened to the files meanwhile."""

from __future__ import annotations

import json
import os
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from fastapi_architect.report import json as report
from fastapi_architect.review import pipeline
from fastapi_architect.review.config import load
from fastapi_architect.review.one_file import FileReview, review_file
from fastapi_architect.review.remembered import Remembered
from fastapi_architect.rules.catalog import all_rules
from fastapi_architect.source.tree import SourceTree

FILES = {
    "requirements.txt": "fastapi\nsqlalchemy\n",
    "app/__init__.py": "",
    "app/main.py": """
        from fastapi import FastAPI
        from app import books
        app = FastAPI()
        app.include_router(books.router)
    """,
    "app/books.py": """
        from fastapi import APIRouter
        from app.store import matching
        router = APIRouter()

        @router.get("/books")
        def search(title: str):
            return matching(f"title = '{title}'")
    """,
    "app/store.py": """
        from sqlalchemy import create_engine, text
        engine = create_engine("postgresql://db/shop")

        def matching(condition):
            with engine.connect() as connection:
                return connection.execute(text("SELECT * FROM books WHERE " + condition)).all()
    """,
}


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    write(tmp_path, FILES)
    return tmp_path


def request_for(path: Path, remembered: Remembered | None) -> pipeline.Request:
    return pipeline.Request(path, load(path, all_rules().values()), cache=False, remembered=remembered)


def whole(folder: Path, remembered: Remembered | None) -> str:
    """The report of a project, without its time."""
    document = json.loads(report.render(pipeline.review(request_for(folder, remembered))))
    document["review_time_ms"] = 0
    return json.dumps(document)


def one(path: Path, remembered: Remembered | None) -> FileReview:
    return replace(review_file(request_for(path, remembered)), review_time_ms=0)


def parameterised(folder: Path) -> None:
    write(folder, {"app/books.py": FILES["app/books.py"].replace("str", "int")})


def same_size_and_time(folder: Path) -> None:
    path = folder / "app/books.py"
    status = path.stat()
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("title: str", "title: int"), encoding="utf-8")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert path.stat().st_size == status.st_size


def renamed(folder: Path) -> None:
    (folder / "app/books.py").rename(folder / "app/volumes.py")
    main = (folder / "app/main.py").read_text(encoding="utf-8")
    (folder / "app/main.py").write_text(main.replace("books", "volumes"), encoding="utf-8")


def deleted(folder: Path) -> None:
    (folder / "app/books.py").unlink()


def added(folder: Path) -> None:
    write(folder, {"app/more.py": FILES["app/books.py"].replace("/books", "/more")})
    main = (folder / "app/main.py").read_text(encoding="utf-8")
    (folder / "app/main.py").write_text(
        main + "from app import more\napp.include_router(more.router)\n", encoding="utf-8"
    )


def swapped(folder: Path) -> None:
    books, store = folder / "app/books.py", folder / "app/store.py"
    first, second = books.read_bytes(), store.read_bytes()
    books.write_bytes(second)
    store.write_bytes(first)


def broken(folder: Path) -> None:
    (folder / "app/books.py").write_text("def broken(:\n", encoding="utf-8")


def other_manifest(folder: Path) -> None:
    (folder / "requirements.txt").write_text("fastapi==0.60.0\nsqlalchemy==1.3\n", encoding="utf-8")


def other_configuration(folder: Path) -> None:
    write(folder, {"pyproject.toml": '[tool.fastapi-architect]\nignore = ["sql-injection-raw-statement"]\n'})


def excluded(folder: Path) -> None:
    write(folder, {"pyproject.toml": '[tool.fastapi-architect]\nexclude = ["app/books.py"]\n'})


@pytest.mark.parametrize(
    "change",
    [
        parameterised, same_size_and_time, renamed, deleted, added, swapped, broken, other_manifest, other_configuration,
        excluded,
    ],
)  # fmt: skip
def test_after_a_change_the_answer_is_that_of_a_fresh_process(
    project: Path, change: Callable[[Path], None]
) -> None:
    remembered = Remembered()
    before = one(project / "app/store.py", remembered)
    assert before.findings
    whole(project, remembered)
    change(project)
    assert one(project / "app/store.py", remembered) == one(project / "app/store.py", None)
    assert whole(project, remembered) == whole(project, None)
    write(project, FILES)
    (project / "pyproject.toml").unlink(missing_ok=True)
    for name in ("volumes", "more"):
        (project / f"app/{name}.py").unlink(missing_ok=True)
    assert one(project / "app/store.py", remembered) == before


def test_a_chain_of_changes_never_leaves_anything_old_behind(project: Path) -> None:
    remembered = Remembered()
    for change in (added, other_manifest, parameterised, swapped, swapped, broken, deleted):
        change(project)
        assert one(project / "app/store.py", remembered) == one(project / "app/store.py", None)


def test_what_has_not_changed_is_not_parsed_again(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from fastapi_architect.review import remembered as module

    parsed: list[list[str]] = []
    parse_all = module.parse_all

    def counted(tree: SourceTree, paths: list[str], **options: object) -> object:
        parsed.append(list(paths))
        return parse_all(tree, paths, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "parse_all", counted)
    remembered = Remembered()
    one(project / "app/store.py", remembered)
    parameterised(project)
    one(project / "app/store.py", remembered)
    assert parsed[1] == ["app/books.py"]


def test_memory_is_bounded_and_the_answers_stay(project: Path) -> None:
    remembered = Remembered(max_bytes=400)
    expected = one(project / "app/store.py", None)
    for _ in range(3):
        assert one(project / "app/store.py", remembered) == expected
        assert remembered.size <= 400


def test_a_file_is_not_answered_with_the_text_that_a_fix_would_make(project: Path) -> None:
    remembered = Remembered()
    request = request_for(project / "app/store.py", remembered)
    instead = replace(request, instead={"app/books.py": b"x = 1\n"})
    tried = review_file(instead)
    assert replace(tried, review_time_ms=0) != one(project / "app/store.py", remembered)
    assert one(project / "app/store.py", remembered) == one(project / "app/store.py", None)
