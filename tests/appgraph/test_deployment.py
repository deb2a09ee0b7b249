# ruff: noqa: E501 - samples of code
"""How an application is run, from the files around its code."""

import time
from textwrap import dedent

import pytest
from packaging.requirements import Requirement as Pep508
from packaging.version import Version
from tests.appgraph.sample import program_of

from fastapi_architect.appgraph.commands import find_commands
from fastapi_architect.appgraph.containers import read_compose, read_dockerfile, read_env_file
from fastapi_architect.appgraph.deployment import find_deployment
from fastapi_architect.appgraph.project_files import ProjectFiles, read_project_files
from fastapi_architect.appgraph.requirements import find_packages
from fastapi_architect.appgraph.values import classify, is_secret_name
from fastapi_architect.source.location import Location
from fastapi_architect.source.tree import SourceTree, Unreadable

HERE = Location("f", 1)


def deployment_of(files: dict[str, str], program=None):
    return find_deployment(ProjectFiles({path: dedent(text) for path, text in files.items()}), program)


def requirements_of(path: str, text: str):
    packages, unreadable = find_packages({path: dedent(text)})
    assert unreadable == ()
    return {r.package: (r.specifier, r.version, r.group, r.location.line) for r in packages.requirements}


LINES = [
    "fastapi==0.115.0",
    "SQLAlchemy[asyncio]>=2.0,<3 ; python_version>'3.8'",
    "uvicorn",
    "pydantic_settings ~= 2.1  # comment",
    "celery===5.4.0",
]


def test_requirement_lines_are_read_as_packaging_reads_them():
    actual = requirements_of("requirements.txt", "\n".join(["-r base.txt", "--index-url https://x", *LINES]))
    for number, line in enumerate(LINES, 3):
        expected = Pep508(line.partition("#")[0])
        name = expected.name.lower().replace("_", "-")
        assert actual[name][0] == str(expected.specifier)
        assert actual[name][3] == number
    assert actual["fastapi"][1] == "0.115.0"
    assert actual["celery"][1] == "5.4.0"


def test_hashes_and_continued_lines_belong_to_one_requirement():
    text = "fastapi==0.1 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\nredis==5.0\n"
    assert requirements_of("requirements.txt", text) == {
        "fastapi": ("==0.1", "0.1", "", 1),
        "redis": ("==5.0", "5.0", "", 4),
    }


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("pyproject.toml", '[project]\ndependencies = [\n  "fastapi>=0.115",\n]\n[dependency-groups]\ndev = ["pytest==8.0"]\n',
            {"fastapi": (">=0.115", None, "", 3), "pytest": ("==8.0", "8.0", "dev", 6)}),
        ("pyproject.toml", '[tool.poetry.dependencies]\npython = "^3.11"\nfastapi = "^0.110.1"\nredis = {version = "~5.0", extras = ["hiredis"]}\n',
            {"fastapi": ("<0.111,>=0.110.1", None, "", 3), "redis": ("<5.1,>=5.0", None, "", 4)}),
        ("poetry.lock", '[[package]]\nname = "fastapi"\nversion = "0.110.3"\ndescription = ""\n', {"fastapi": ("==0.110.3", "0.110.3", "", 2)}),
        ("uv.lock", 'version = 1\n\n[[package]]\nname = "FastAPI"\nversion = "0.115.0"\nsource = { registry = "x" }\n', {"fastapi": ("==0.115.0", "0.115.0", "", 4)}),
        ("Pipfile.lock", '{"default": {\n"fastapi": {"version": "==0.99"}}}', {"fastapi": ("==0.99", "0.99", "", 2)}),
        ("setup.cfg", "[options]\ninstall_requires =\n    fastapi>=0.5\n", {"fastapi": (">=0.5", None, "", 3)}),
        ("setup.py", "setup(\n    install_requires=['fastapi>=0.5'],\n)\n", {"fastapi": (">=0.5", None, "", 2)}),
        ("requirements-dev.txt", "ruff", {"ruff": ("", None, "dev", 1)}),
    ],
)  # fmt: skip
def test_every_manifest_and_lock_format_is_read(path, text, expected):
    assert requirements_of(path, text) == expected


@pytest.mark.parametrize(
    ("files", "version", "basis"),
    [
        ({"uv.lock": '[[package]]\nname = "fastapi"\nversion = "0.115.2"\n', "requirements.txt": "fastapi==0.1"}, "0.115.2", "lock"),
        ({"requirements.txt": "fastapi==0.110.0", "pyproject.toml": '[project]\ndependencies=["fastapi>=0.100"]'}, "0.110.0", "pin"),
        ({"pyproject.toml": '[project]\ndependencies=["fastapi>=0.100,<1"]'}, "0.100", "lower-bound"),
    ],
)  # fmt: skip
def test_the_effective_version_is_locked_else_pinned_else_the_lower_bound(files, version, basis):
    found = deployment_of(files).version_of("FastAPI")
    assert (found.version, found.basis) == (Version(version), basis)


@pytest.mark.parametrize("folder", ["tests", "examples/client", "docs"])
def test_what_tests_and_examples_lock_says_something_only_when_nobody_else_does(folder):
    lock = {f"{folder}/uv.lock": '[[package]]\nname = "pyjwt"\nversion = "2.3.0"\n'}

    beside = deployment_of({**lock, "service/requirements.txt": "pyjwt>=2.8"}).version_of("pyjwt")
    alone = deployment_of(lock).version_of("pyjwt")

    assert (beside.version, beside.basis, beside.requirement.group) == (Version("2.8"), "lower-bound", "")
    assert alone.version == Version("2.3.0")
    assert alone.requirement.group in ("test", "example")


def test_a_package_without_a_version_has_none():
    assert deployment_of({"requirements.txt": "fastapi"}).version_of("fastapi") is None
    assert deployment_of({}).version_of("fastapi") is None


@pytest.mark.parametrize("path", ["pyproject.toml", "Pipfile", "Pipfile.lock", "setup.cfg"])
@pytest.mark.parametrize("text", ["[[[", '{"a": ' * 5000, "[project]\ndependencies = 3\n[options", "\x00"])
def test_a_broken_manifest_is_named_and_nothing_is_raised(path, text):
    deployment = deployment_of({path: text, "requirements.txt": "fastapi==1"})
    assert deployment.version_of("fastapi").version == Version("1")
    assert [u.path for u in deployment.unreadable] == [path]


COMPOSE = """
x-env: &env
  DATABASE_URL: postgresql://app:hunter22@db/app
services:
  db:
    image: postgres:16
    ports: ["5432:5432"]
  api:
    build: .
    command: uvicorn app.main:app --host 0.0.0.0 --workers 4 --forwarded-allow-ips '*'
    environment:
      <<: *env
      DEBUG: "true"
    deploy:
      replicas: 3
  worker:
    build: .
    command: ["celery", "-A", "app.tasks", "worker", "-c", "8"]
    environment:
      - SECRET_KEY=changeme
"""


def test_compose_services_say_what_they_start_and_with_which_variables():
    compose = read_compose("compose.yml", COMPOSE)
    db, api, worker = compose.services
    assert (db.image, db.ports) == ("postgres:16", ("5432:5432",))
    command = api.commands[0]
    assert (command.program, command.target, command.workers, command.forwarded_allow_ips) == (
        "uvicorn", "app.main:app", 4, "*",
    )  # fmt: skip
    assert [(v.name, v.looks_like, v.dialect) for v in api.variables] == [
        ("DATABASE_URL", "url-with-password", "postgresql"),
        ("DEBUG", "boolean", ""),
    ]
    assert str(command.location) == "compose.yml:10"
    assert (worker.commands[0].program, worker.commands[0].subcommand, worker.commands[0].target) == (
        "celery", "worker", "app.tasks",
    )  # fmt: skip
    assert [(v.name, v.looks_like, v.is_secret) for v in worker.variables] == [
        ("SECRET_KEY", "placeholder", True)
    ]
    assert deployment_of({"compose.yml": COMPOSE}).most_server_processes == 12


def test_a_yaml_bomb_costs_nothing_and_a_broken_file_is_a_value():
    levels = "\n".join(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}" for n in range(1, 30))
    bomb = "a0: &a0 {x: y}\n" + levels + "\nservices: *a29\n"
    begun = time.process_time()
    found = read_compose("compose.yml", bomb)
    assert time.process_time() - begun < 5
    assert found.path == "compose.yml"
    assert isinstance(read_compose("compose.yml", "services: [\n"), Unreadable)
    assert isinstance(read_compose("compose.yml", "[" * 100_000), Unreadable)
    assert isinstance(read_compose("compose.yml", "a: 1\n" * 100_000), Unreadable)


DOCKERFILE = """
FROM python:3.12 AS build
RUN pip install uvicorn
FROM python:3.12-slim
ENV FORWARDED_ALLOW_IPS=* DATABASE_URL="sqlite:///x.db"
COPY --from=build /a /b
COPY . .
EXPOSE 8000
HEALTHCHECK CMD curl localhost
CMD ["sh", "-c", "alembic upgrade head && exec uvicorn app.main:app --host 0.0.0.0 --port ${PORT:-8000} --reload"]
"""


def test_a_dockerfile_says_who_runs_what():
    found = read_dockerfile("Dockerfile", DOCKERFILE)
    assert found.base_images == ("python:3.12", "python:3.12-slim")
    assert (found.user, found.ports, found.has_healthcheck, str(found.copies_all)) == (
        None, ("8000",), True, "Dockerfile:7",
    )  # fmt: skip
    command = found.commands[0]
    assert (command.target, command.reloads, command.forwarded_allow_ips) == ("app.main:app", True, "*")
    assert [(v.name, v.dialect) for v in found.variables] == [
        ("FORWARDED_ALLOW_IPS", ""),
        ("DATABASE_URL", "sqlite"),
    ]


def test_the_user_of_the_last_stage_counts():
    assert read_dockerfile("Dockerfile", "FROM a\nUSER app\nFROM b\n").user is None
    assert read_dockerfile("Dockerfile", "FROM a\nFROM b\nUSER 1000\n").user == "1000"


@pytest.mark.parametrize(
    ("line", "program", "target", "options"),
    [
        ("uvicorn main:app --workers=2 --no-proxy-headers", "uvicorn", "main:app", {"workers": "2", "no-proxy-headers": ""}),
        ("poetry run python -m uvicorn main:app --reload", "uvicorn", "main:app", {"reload": ""}),
        ("gunicorn -w 4 -k uvicorn.workers.UvicornWorker -b 0.0.0.0:80 --preload app:app", "gunicorn", "app:app",
            {"workers": "4", "worker-class": "uvicorn.workers.UvicornWorker", "bind": "0.0.0.0:80", "preload": ""}),
        ("cd src && PORT=1 fastapi run app/main.py --workers 3", "fastapi", "app/main.py", {"workers": "3"}),
        ("celery -A app.worker worker -c 4 --max-tasks-per-child=10 -B", "celery", "app.worker",
            {"app": "app.worker", "concurrency": "4", "max-tasks-per-child": "10", "beat": ""}),
        ("exec hypercorn app:app -w 2", "hypercorn", "app:app", {"workers": "2"}),
    ],
)  # fmt: skip
def test_command_lines_are_read_with_their_options(line, program, target, options):
    found = find_commands(line, HERE, "script")
    assert [(c.program, c.target, c.options) for c in found] == [(program, target, options)]


@pytest.mark.parametrize(
    "line", ["pip list | grep uvicorn", "# uvicorn", "uvicorn", "echo hi", "'unclosed uvicorn"]
)
def test_other_lines_start_nothing(line):
    assert find_commands(line, HERE, "script") == ()


def test_commands_come_from_procfiles_scripts_makefiles_task_runners_and_code():
    program = program_of(
        {
            "main.py": 'import uvicorn\nif __name__ == "__main__":\n    uvicorn.run("main:app", reload=True, workers=2, proxy_headers=False)\n',
            "gunicorn.conf.py": "workers = 5\nworker_class = 'uvicorn.workers.UvicornWorker'\n",
        }
    )
    files = {
        "Procfile": "web: gunicorn app:app --workers 3\n",
        "start.sh": "#!/bin/sh\nuvicorn app:app \\\n  --workers 6\n",
        "Makefile": "run:\n\t@uvicorn app:app --reload\n",
        "pyproject.toml": '[tool.poe.tasks]\nserve = "fastapi dev app.py"\n',
    }
    actual = [
        (str(c.location), c.source, c.program, c.workers, c.reloads)
        for c in deployment_of(files, program).commands
    ]
    assert actual == [
        ("Makefile:2", "makefile", "uvicorn", 1, True),
        ("Procfile:1", "procfile", "gunicorn", 3, False),
        ("gunicorn.conf.py:1", "python", "gunicorn", 5, False),
        ("main.py:3", "python", "python", 2, True),
        ("pyproject.toml:2", "pyproject", "fastapi", 1, True),
        ("start.sh:2", "script", "uvicorn", 6, False),
    ]


def test_environment_files_are_classified_and_their_values_forgotten():
    found = read_env_file(
        ".env", "# c\nexport SECRET_KEY='Zk3v9QpL7xWm2RtY8uBn4c'\nDEBUG=true # x\nEMPTY=\nAPI=${OTHER}\n"
    )
    assert [(v.name, v.looks_like, v.is_secret, v.location.line) for v in found.variables] == [
        ("SECRET_KEY", "random", True, 2),
        ("DEBUG", "boolean", False, 3),
        ("EMPTY", "empty", False, 4),
        ("API", "reference", False, 5),
    ]
    assert "Zk3v" not in repr(found)
    assert read_env_file(".env.example", "").is_example


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("changeme", "placeholder"), ("your-secret-key", "placeholder"), ("AKIAIOSFODNN7QXXMPLQ", "provider-key"),
        ("postgresql://u@h/d", "url"), ("redis://:secretpw@h", "url-with-password"), ("8000", "number"),
        ("d9f1c2ab34ef5678d9f1c2ab34ef5678", "random"), ("hello world", "text"),
    ],
)  # fmt: skip
def test_values_are_classified(value, expected):
    assert classify(value) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("SECRET_KEY", True), ("jwt_secret", True), ("stripeApiKey", True), ("POSTGRES_PASSWORD", True),
        ("ACCESS_TOKEN_EXPIRE_MINUTES", False), ("TOKEN_URL", False), ("tokenizer", False), ("passwordless", False),
    ],
)  # fmt: skip
def test_secret_names_are_known_by_their_words(name, expected):
    assert is_secret_name(name) is expected


def test_files_of_a_tree_are_read_with_reasons_for_what_is_not(tmp_path):
    (tmp_path / "requirements.txt").write_bytes(b"fastapi==0.1\n")
    (tmp_path / "pyproject.toml").write_bytes(b"\0\0")
    files = read_project_files(SourceTree.open(tmp_path))
    assert dict(files.texts) == {"requirements.txt": "fastapi==0.1\n"}
    assert [u.path for u in files.unreadable] == ["pyproject.toml"]


MANIFEST = """
apiVersion: v1
kind: Service
metadata: {name: api}
--- # the pods
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  replicas: REPLICAS
  template:
    spec:
      containers:
        - name: api
          env: [{name: WEB_CONCURRENCY, value: "2"}]
          command: [sh, -c, "exec gunicorn main:app"]
"""


@pytest.mark.parametrize(
    ("replicas", "copies", "processes"), [("3", 3, 6), ("1", 1, 2), ("many", 1, 2), ('"4"', 4, 8)]
)
def test_pods_of_a_workload_are_counted_with_their_processes(replicas, copies, processes):
    deployment = deployment_of({"k8s/api.yaml": MANIFEST.replace("REPLICAS", replicas)})
    (workload,) = deployment.workloads

    assert (workload.name, workload.replicas) == ("api", copies)
    assert [(c.program, c.target, c.source) for c in workload.commands] == [
        ("gunicorn", "main:app", "manifest")
    ]
    assert deployment.most_server_processes == processes
    assert workload.location.line == 10
    assert workload.commands[0].location.line == 14


@pytest.mark.parametrize(
    "text",
    [
        MANIFEST.replace("REPLICAS", "{{ .Values.replicas }}"),
        "kind: Deployment\nspec: [[[",
        "kind: Deployment",
        "kind: Deployment\nspec: 3",
        "other: Deployment",
    ],
)
def test_templates_and_broken_manifests_say_nothing(text):
    assert deployment_of({"k8s/api.yaml": text}).most_server_processes is None


def test_an_upper_bound_alone_says_the_major_version():
    for asked, major in (("pydantic<2", 1), ("pydantic<=2.4", 2), ("pydantic<3,!=2.1", 2), ("pydantic", 0)):
        assert deployment_of({"requirements.txt": asked}).major_of("pydantic", 0) == major


def test_files_named_requires_are_requirements():
    found = requirements_of("packages/requires.txt", "pydantic[email]>=1.9.1,<2\n")
    assert found == {"pydantic": ("<2,>=1.9.1", None, "", 1)}
