"""The files of a component as they stand in a project.

Sources are the same bytes: components import each other relatively. Tests name what they test absolutely, so that their
imports get the project's names, and with other names their block of imports is sorted anew.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import msgspec

from fastapi_architect.builder.catalog import COMPONENTS, DESCRIPTION, ComponentSpec
from fastapi_architect.builder.import_block import sort_imports
from fastapi_architect.builder.placing import Place
from fastapi_architect.source.lazy_pattern import lazy_pattern

#: The dotted name that the catalogue's own tests use.
OUR_NAME = "fastapi_architect.components"
_LEFT_OUT = {"__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache"}
_IMPORT_OF_TESTS = lazy_pattern(
    r"^([ \t]*)from fastapi_architect\.components\.(\w+)\.tests\b(\.?)", re.MULTILINE
)
_NAME_OF_TESTS = lazy_pattern(r"\bfastapi_architect\.components\.(\w+)\.tests\b")
_NAME = lazy_pattern(r"\bfastapi_architect\.components\b")

_COMPONENTS_SAY = '''"""Parts of this service that `architect` copied here. They are yours: read them, change them.

`.architect/lock.json` says where each file comes from.
"""
'''
_TESTS_SAY = '"""Tests of the components, copied with them."""\n'


class NewFile(msgspec.Struct, frozen=True):
    """A file to write.

    Attributes:
        path: relative to the project, with forward slashes.
        data: its bytes.
        id: what it is in the catalogue, such as "rate_limiting/component.py"; empty where it is no component's.
    """

    path: str
    data: bytes
    id: str = ""

    @property
    def sha256(self) -> str:
        """The digest of its bytes."""
        return hashlib.sha256(self.data).hexdigest()


def copy_component(spec: ComponentSpec, package: Place, tests: Place | None) -> list[NewFile]:
    """The component's files, sorted by path.

    Args:
        spec: the component.
        package: the package that holds components, such as `app.components`.
        tests: the package that holds their tests, such as `tests.components`; None leaves them out.
    """
    made = []
    for file in files_of(spec.folder):
        relative = file.relative_to(spec.folder).as_posix()
        data = file.read_bytes()
        identity = f"{spec.name}/{relative}"
        if not relative.startswith("tests/"):
            made.append(NewFile(f"{package.folder}/{identity}", data, identity))
        elif tests is not None:
            path = f"{tests.folder}/{spec.name}/{relative.removeprefix('tests/')}"
            if file.suffix == ".py":
                depth = relative.count("/") - 1
                data = rewrite_test(data.decode(), spec.name, package, tests, depth=depth).encode()
            made.append(NewFile(path, data, identity))
    return sorted(made, key=lambda new: new.path)


def shared_files(package: Place, tests: Place | None) -> list[NewFile]:
    """What stands beside all components: the packages themselves, and the fixtures of their tests."""
    made = [NewFile(f"{package.folder}/__init__.py", _COMPONENTS_SAY.encode())]
    if tests is not None:
        conftest = (COMPONENTS / "conftest.py").read_text(encoding="utf-8")
        made.append(NewFile(f"{tests.folder}/__init__.py", _TESTS_SAY.encode()))
        made.append(
            NewFile(
                f"{tests.folder}/conftest.py",
                _NAME.sub(package.name, conftest).encode(),
                "testing/conftest.py",
            )
        )
    return made


def files_of(folder: Path) -> list[Path]:
    """The files of a component that are copied, sorted."""
    return sorted(
        file
        for file in folder.rglob("*")
        if file.is_file()
        and file.name != DESCRIPTION
        and file.suffix != ".pyc"
        and not _LEFT_OUT & set(file.relative_to(folder).parts)
    )


def rewrite_test(text: str, component: str, package: Place, tests: Place, *, depth: int = 0) -> str:
    """A test of the catalogue with the project's names.

    Other tests are imported relatively, which works in every import mode of pytest; elsewhere (the name of a module that a
    server process shall load) the dotted name stands.

    Args:
        text: the file.
        component: whose test it is.
        package: the package that holds components.
        tests: the package that holds their tests.
        depth: how many folders below the component's tests it lies.
    """
    up = "." * (depth + 1)

    def relatively(match: re.Match[str]) -> str:
        indentation, of, dot = match.groups()
        return f"{indentation}from {up}" + ("" if of == component else f".{of}{dot}")

    changed = _IMPORT_OF_TESTS.sub(relatively, text)
    changed = _NAME_OF_TESTS.sub(lambda match: f"{tests.name}.{match[1]}", changed)
    changed = _NAME.sub(package.name, changed)
    if changed == text:
        return text
    return sort_imports(changed, {package.name.partition(".")[0], tests.name.partition(".")[0]})
