"""Small applications as programs."""

from textwrap import dedent

from fastapi_architect.libraries.registry import all_libraries
from fastapi_architect.program.program import Program
from fastapi_architect.syntax import ir
from fastapi_architect.syntax.parse import parse_file


def program_of(files: str | dict[str, str], kinds: dict[str, str] | None = None) -> Program:
    """The program of some files; one text is `app.py`. Kinds are by path, source where none is given."""
    if isinstance(files, str):
        files = {"app.py": files}
    parsed = {}
    for path, text in files.items():
        module = parse_file(dedent(text).encode(), path)
        assert isinstance(module, ir.ParsedModule), module
        parsed[path] = module
    return Program(parsed, all_libraries(), kinds)
