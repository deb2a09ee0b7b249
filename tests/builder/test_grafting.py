"""`architect add` in projects that `architect new` did not make."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.builder.conftest import commit, write
from tests.builder.test_add import tree

from fastapi_architect.__main__ import main
from fastapi_architect.builder.wiring import listed

MODULE_LEVEL = '''"""A shop."""

from fastapi import FastAPI

from shop.items import router

app = FastAPI(
    title="Shop",
)
app.include_router(
    router
)


@app.get("/open")
def open_shop() -> str:
    return "open"


def main() -> None:
    import uvicorn

    uvicorn.run(app)


if __name__ == "__main__":
    main()
'''
ROUTER = """from fastapi import APIRouter

router = APIRouter()


@router.get("/items")
def items() -> list[str]:
    return ["book"]
"""
REQUIREMENTS = "fastapi>=0.115\nuvicorn\n"


def project(root: Path, main_file: str, files: dict[str, str] | None = None) -> Path:
    write(
        root,
        {
            "requirements.txt": REQUIREMENTS,
            "shop/__init__.py": "",
            "shop/items.py": ROUTER,
            "shop/main.py": main_file,
            **(files or {}),
        },
    )
    commit(root)
    return root


def add(root: Path, *arguments: str) -> int:
    return main(["add", *arguments, "--yes", "--no-review", "--path", str(root)])


def answers(root: Path, path: str, target: str = "shop.main:app") -> str:
    """What the wired application answers, asked in a process of its own."""
    module, _, name = target.partition(":")
    call = f"{name}()" if name.startswith("create") else name
    code = (
        "from starlette.testclient import TestClient\n"
        f"from {module} import {name}\n"
        f"with TestClient({call}) as client: print(client.get({path!r}).text)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]


def test_one_import_and_one_call_are_wired(tmp_path: Path) -> None:
    root = project(tmp_path, MODULE_LEVEL)

    assert add(root, "health_checks") == 0

    wired = (root / "shop/main.py").read_text()
    assert wired == MODULE_LEVEL.replace(
        "from shop.items import router\n",
        "from shop.items import router\nfrom shop.registry import components, install\n",
    ).replace('    return "open"\n', '    return "open"\n\ninstall(app, components())\n')
    assert (root / "requirements.txt").read_text() == f"{REQUIREMENTS}pydantic-settings>=2.10\n"
    assert answers(root, "/health/live") == '{"status":"alive"}'
    assert answers(root, "/items") == '["book"]'


def test_one_more_goes_into_the_registry_alone(tmp_path: Path) -> None:
    root = project(tmp_path, MODULE_LEVEL)
    add(root, "health_checks")
    commit(root)
    wired = (root / "shop/main.py").read_text()

    assert add(root, "structured_logging") == 0

    assert (root / "shop/main.py").read_text() == wired
    registry = (root / "shop/registry.py").read_text()
    assert registry.index("StructuredLogging(") < registry.index("HealthChecks(")
    assert answers(root, "/health/live").endswith('{"status":"alive"}')


@pytest.mark.parametrize(
    ("component", "expression"),
    [("problem_details", "ProblemDetails(),"), ("rate_limiting", "ProblemsOfComponents(),")],
)
def test_what_comes_only_because_another_needs_it_keeps_the_projects_answers(
    tmp_path: Path, component: str, expression: str
) -> None:
    root = project(tmp_path, MODULE_LEVEL)

    assert add(root, component) == 0
    assert expression in (root / "shop/registry.py").read_text()


def test_a_redis_client_that_is_there_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = project(tmp_path, "import redis\n\nclient = redis.Redis()\n" + MODULE_LEVEL)

    assert add(root, "rate_limiting") == 0
    assert "Your own Redis client (shop/main.py:1) stays" in capsys.readouterr().out


def test_tests_are_copied_when_they_are_asked_for(tmp_path: Path) -> None:
    root = project(tmp_path, MODULE_LEVEL)

    assert add(root, "health_checks", "--tests", "--beside") == 0
    assert (root / "tests/components/health_checks/example.py").exists()
    assert "from shop.components.testing" in (root / "tests/components/conftest.py").read_text()
    assert listed((root / "shop/registry.py").read_text()) == ["HealthChecks"]
    assert "sqlalchemy" not in (root / "requirements.txt").read_text()

    commit(root)
    assert add(root, "database") == 0
    assert listed((root / "shop/registry.py").read_text()) == [
        "ProblemsOfComponents",
        "HealthChecks",
        "Database",
    ]
    assert "sqlalchemy" in (root / "requirements.txt").read_text()
    assert add(root, "database") == 2


FACTORY = """from fastapi import FastAPI

from .items import router


def create_app() -> FastAPI:
    application = FastAPI()
    for each in (router,):
        application.include_router(each)
    return application


app = create_app()
"""
FINISHED_BY_CALLER = FACTORY.replace(
    "app = create_app()\n", 'app = create_app()\napp.mount("/more", FastAPI())\n'
)
CATCH_ALL = """from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from shop.items import router

app = FastAPI()
app.include_router(router)
app.mount("/", StaticFiles(directory="."), name="all")
"""
WRAPPED = """from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from shop.items import router

app = FastAPI()
app.include_router(router)
app = CORSMiddleware(app, allow_origins=["https://shop.example"])
"""
CONDITIONAL = """import os

from fastapi import FastAPI

from shop.items import router

if os.environ.get("DOCS"):
    app = FastAPI()
else:
    app = FastAPI(docs_url=None)


def routers() -> None:
    app.include_router(router)


routers()
print()
"""
TAKEN_NAMES = """from fastapi import FastAPI

from shop.items import router


def install(what: str) -> str:
    return what


components = install("x")
app = FastAPI()
app.include_router(router)
"""
RUNS = """import uvicorn
from fastapi import FastAPI

from shop.items import router

app = FastAPI()
app.include_router(router)
uvicorn.run(app)
"""


@pytest.mark.parametrize(
    ("main_file", "before", "line", "after"),
    [
        (
            FACTORY,
            "        application.include_router(each)\n",
            "\n    install(application, components())",
            "\n    return",
        ),
        (FINISHED_BY_CALLER, 'app.mount("/more", FastAPI())\n', "install(app, components())", "\n"),
        (CATCH_ALL, "app.include_router(router)\n", "install(app, components())", '\napp.mount("/"'),
        (WRAPPED, "app.include_router(router)\n", "install(app, components())", "\napp = CORS"),
        (CONDITIONAL, "routers()\n", "install(app, components())", "\nprint()"),
        (TAKEN_NAMES, "app.include_router(router)\n", "install_components(app, service_components())", "\n"),
        (RUNS, "app.include_router(router)\n", "install(app, components())", "\nuvicorn.run"),
    ],
    ids=["factory", "finished by caller", "catch-all", "wrapped", "conditional", "taken names", "runs"],
)
def test_the_call_stands_where_the_application_is_complete(
    tmp_path: Path, main_file: str, before: str, line: str, after: str
) -> None:
    root = project(tmp_path, main_file)

    assert add(root, "health_checks") == 0

    wired = (root / "shop/main.py").read_text()
    assert before + line + after in wired
    if main_file is not RUNS and main_file is not WRAPPED:
        assert answers(root, "/health/live") == '{"status":"alive"}'


def test_an_application_that_imports_relatively_goes_on_doing_so(tmp_path: Path) -> None:
    root = project(tmp_path, FACTORY)
    add(root, "health_checks")

    assert (
        "from .items import router\nfrom .registry import components, install\n"
        in (root / "shop/main.py").read_text()
    )


def test_a_lone_module_works(tmp_path: Path) -> None:
    write(
        tmp_path,
        {"main.py": "from fastapi import FastAPI\n\napp = FastAPI()\n", "requirements.txt": REQUIREMENTS},
    )
    commit(tmp_path)

    assert add(tmp_path, "health_checks") == 0
    assert "from registry import components, install\n" in (tmp_path / "main.py").read_text()
    assert answers(tmp_path, "/health/live", "main:app") == '{"status":"alive"}'


def test_folders_of_the_same_name_are_left_alone(tmp_path: Path) -> None:
    root = project(tmp_path, MODULE_LEVEL, {"shop/components/button.js": "x", "shop/registry.py": ""})

    assert add(root, "health_checks") == 0
    assert (root / "shop/service_components/health_checks").is_dir()
    assert answers(root, "/health/live") == '{"status":"alive"}'


HEALTHY = MODULE_LEVEL.replace('"/open"', '"/health/live"')
LIMITED = "from slowapi import Limiter\n\nlimiter = Limiter(key_func=str)\n" + MODULE_LEVEL
IN_A_CLASS = """from fastapi import FastAPI


class Server:
    def __init__(self) -> None:
        self.app = FastAPI()
"""
NAMELESS = """from fastapi import FastAPI


def create_app() -> FastAPI:
    return FastAPI()
"""
TWO = MODULE_LEVEL + "\n\nother = FastAPI()\n\n\n@other.get('/x')\ndef x() -> str:\n    return ''\n"
EARLY = """from fastapi import FastAPI

from shop.items import router


def create_app(small: bool = False) -> FastAPI:
    app = FastAPI()
    if small:
        return app
    app.include_router(router)
    return app
"""
NONE = "print('no application')\n"
OLD_PYTHON = '[project]\nname="x"\nrequires-python="<3.11"\ndependencies=[]\n'
LOGGING = "import structlog\n\nstructlog.configure()\n" + MODULE_LEVEL


@pytest.mark.parametrize(
    ("component", "main_file", "files", "says"),
    [
        ("health_checks", HEALTHY, {}, ("GET /health/live in shop/main.py", "--beside")),
        ("structured_logging", LOGGING, {}, ("structlog in shop/main.py:1", "--beside")),
        ("health_checks", IN_A_CLASS, {}, ("shop/main.py", "self.app", "By hand")),
        ("health_checks", NAMELESS, {}, ("without a name|does not give", "By hand")),
        ("health_checks", TWO, {}, (r"several applications \(shop/main.py:app \(2", "--app shop/main.py:app")),
        ("health_checks", EARLY, {}, ("several places", "By hand")),
        ("health_checks", NONE, {"shop/items.py": ""}, ("no FastAPI application", "--path")),
        ("health_checks", MODULE_LEVEL, {"Dockerfile": "FROM python:3.10-slim\n"}, ("Python 3.11", "Dockerfile runs 3.10")),
        ("health_checks", MODULE_LEVEL, {"requirements.txt": "fastapi\npydantic-settings==2.3.4\n"}, ("pydantic-settings==2.3.4",)),
        ("health_checks", MODULE_LEVEL, {"requirements.txt": "fastapi\npydantic<2\n"}, ("Pydantic 2",)),
        ("health_checks", MODULE_LEVEL, {"pyproject.toml": OLD_PYTHON}, ("Python 3.11",)),
        ("health_checks", MODULE_LEVEL, {"requirements.txt": "a==1\n    # via b\n"}, ("written by a tool",)),
        ("api_keys", MODULE_LEVEL, {}, ("access", "architect new")),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_refused_with_the_next_step(
    tmp_path: Path,
    component: str,
    main_file: str,
    files: dict[str, str],
    says: tuple[str, ...],
    capsys: pytest.CaptureFixture[str],
) -> None:
    root = project(tmp_path, main_file, files)
    before = tree(root)

    assert add(root, component) == 2

    told = capsys.readouterr().err
    for each in says:
        assert re.search(each, told), told
    assert tree(root) == before


def test_both_can_be_kept(tmp_path: Path) -> None:
    root = project(tmp_path, LOGGING)

    assert add(root, "structured_logging", "--beside") == 0


def test_one_of_several_applications_is_named(tmp_path: Path) -> None:
    root = project(tmp_path, TWO)

    assert add(root, "health_checks", "--app", "shop/main.py:nobody") == 2
    assert add(root, "health_checks", "--app", "shop/main.py:other") == 0
    assert "install(other, components())" in (root / "shop/main.py").read_text()


def test_the_outermost_application_is_wired(tmp_path: Path) -> None:
    outer = MODULE_LEVEL.replace("app", "api") + "\n\napp = FastAPI()\napp.mount('/api', app=api)\n"
    root = project(tmp_path, outer)

    assert add(root, "health_checks") == 0
    assert "app.mount('/api', app=api)\ninstall(app, components())\n" in (root / "shop/main.py").read_text()


def test_line_ends_stay(tmp_path: Path) -> None:
    root = project(tmp_path, "")
    (root / "shop/main.py").write_bytes(MODULE_LEVEL.replace("\n", "\r\n").encode())
    commit(root)

    assert add(root, "health_checks") == 0
    data = (root / "shop/main.py").read_bytes()
    assert data.count(b"\n") == data.count(b"\r\n")


def test_a_variable_that_both_read_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = project(tmp_path, "import os\n\nLEVEL = os.environ['LOG_LEVEL']\n" + MODULE_LEVEL)

    assert add(root, "structured_logging") == 0
    assert "LOG_LEVEL is read by shop/main.py:3, too" in capsys.readouterr().out
