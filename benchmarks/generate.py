"""Writes a FastAPI backend of a given size, the same bytes for the same seed.

    python benchmarks/generate.py DIRECTORY --kloc 100 [--seed 1]
    python benchmarks/generate.py --density DIRECTORY [DIRECTORY ...]

It looks like the back ends people write: packages of router, schemas, service, repository, models,
dependencies, tasks, policies and tests, a migration each, and imports among them. ``--density`` prints what
makes parsing and analysis cost (tokens and nodes a line, functions a kLOC ...) of any trees, to compare a
generated one with real ones.
"""

from __future__ import annotations

import argparse
import ast
import io
import random
import statistics
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from core_files import CORE
from layer_templates import (
    DEPENDENCIES_FILE,
    REPOSITORY_HEAD,
    REPOSITORY_METHODS,
    ROUTER_FUNCTIONS,
    ROUTER_HEAD,
    SERVICE_HEAD,
    SERVICE_METHODS,
    TASKS_FILE,
    TEST_FUNCTIONS,
    TEST_HEAD,
)
from layout import laid_out
from resource_files import Resource, Words, draw_resource, migration_file, model_file, schema_file
from statements import Writer

NOUNS = """
account address agreement alert allocation asset audit batch bill booking budget campaign
carrier case cart catalog channel claim contact contract coupon course credit customer
delivery department deposit device discount document dispute employee event expense
feature fee gateway grant group holiday incident invoice item journal label lease ledger
license listing location mandate market member message milestone offer order parcel
partner payment payout permit plan policy product project promotion quota quote rate
receipt refund region rental request reservation recall review route schedule season
shipment shift site slot station statement subscription supplier survey tariff tenant
ticket transfer vehicle vendor visit voucher warehouse workflow
""".split()  # noqa: SIM905
MODIFIERS = [
    "", "annual", "bulk", "corporate", "digital", "external", "field", "global", "internal", "joint", "local",
    "master", "online", "prepaid", "regional", "retail", "service", "trade",
]  # fmt: skip
AREA_SIZE = 8


def resource_names(rng: random.Random) -> Iterator[str]:
    """Distinct names in random order, the plain ones first."""
    for modifier in MODIFIERS:
        for noun in rng.sample(NOUNS, k=len(NOUNS)):
            yield f"{modifier}_{noun}" if modifier else noun


def policy_file(rng: random.Random, noun: str, cls: str, functions: int) -> str:
    """A module of functions drawn from the grammar, and a class that uses them."""
    writer = Writer(rng)
    lines = [
        f'"""Figures and limits of {noun.replace("_", " ")}s."""',
        "",
        "from __future__ import annotations",
        "",
        "import logging",
        "from dataclasses import dataclass",
        "",
        "from app.core.errors import RuleError",
        "",
        "logger = logging.getLogger(__name__)",
    ]
    names = []
    for index in range(functions):
        body = writer.function(index, noun)
        names.append(body[0].removeprefix("def ").removesuffix("("))
        lines += ["", "", *body]
    lines += ["", "", *writer.policy_class(cls, names)]
    return "\n".join(lines) + "\n"


def service_file(words: Words) -> str:
    """The service, importing those of the parents."""
    resource, rng = words.resource, words.rng
    imports = "\n".join(f"from {package}.models import {cls}" for _, cls, package in sorted(resource.parents))
    transitions = {
        state: tuple(rng.sample([s for s in resource.states if s != state], k=2)) for state in resource.states
    }
    written = "{\n" + "".join(f'    "{k}": ("{a}", "{b}"),\n' for k, (a, b) in transitions.items()) + "}"
    head = words.fill(SERVICE_HEAD, imports=imports, transitions=written)
    # The router calls every method, so none may be left out.
    methods = [
        words.fill(SERVICE_METHODS[name])
        for name in rng.sample(sorted(SERVICE_METHODS), k=len(SERVICE_METHODS))
    ]
    lookups = [parent_lookup(parent, words) for parent in resource.parents]
    return head + "".join(methods + lookups)


def parent_lookup(parent: tuple[str, str, str], words: Words) -> str:
    """A method that checks a row of another resource."""
    name, cls, _ = parent
    template = f'''
    async def check_{name}(self, {name}_id: int, user: User) -> {cls}:
        """The {name} that a $name refers to, when it may be used."""
        row = await self.session.get({cls}, {name}_id)
        if row is None or row.organization_id != user.organization_id:
            raise NotFoundError("{name}", {name}_id)
        if row.status in ("$state", "$target"):
            raise RuleError("a {name} that is $state cannot be used")
        return row
'''
    return words.fill(template)


def resource_texts(resource: Resource, rng: random.Random, revision: str, down: str | None) -> dict[str, str]:
    """All files of a resource by path."""
    words = Words(resource, rng)
    folder = f"app/{resource.area}/{resource.name}"
    # The service calls methods of the repository that are named after a column: both need the same one.
    words.fixed.update(text=resource.texts[0], number=resource.numbers[0])
    repository = words.fill(REPOSITORY_HEAD) + "".join(
        words.fill(REPOSITORY_METHODS[name])
        for name in rng.sample(sorted(REPOSITORY_METHODS), k=len(REPOSITORY_METHODS))
    )
    router = words.fill(ROUTER_HEAD) + "".join(words.some(ROUTER_FUNCTIONS, 6))
    tests = words.fill(TEST_HEAD) + "".join(words.some(TEST_FUNCTIONS, 3))
    texts = {
        f"{folder}/__init__.py": "",
        f"{folder}/models.py": model_file(words),
        f"{folder}/schemas.py": schema_file(words),
        f"{folder}/repository.py": repository,
        f"{folder}/service.py": service_file(words),
        f"{folder}/dependencies.py": words.fill(DEPENDENCIES_FILE),
        f"{folder}/router.py": router,
        f"{folder}/tasks.py": words.fill(TASKS_FILE),
        f"tests/{resource.area}/test_{resource.name}.py": tests,
        f"migrations/versions/{revision}_create_{resource.plural}.py": migration_file(words, revision, down),
    }
    for name in rng.sample(("policies", "figures", "matching"), k=rng.randint(0, 2)):
        texts[f"{folder}/{name}.py"] = policy_file(rng, resource.name, resource.cls, rng.randint(5, 12))
    return {path: laid_out(text, rng) for path, text in texts.items()}


def wiring(resources: list[Resource]) -> dict[str, str]:
    """Routers of the areas, and the one that includes them."""
    texts = {}
    areas: dict[str, list[Resource]] = {}
    for resource in resources:
        areas.setdefault(resource.area, []).append(resource)
    for area, members in areas.items():
        imports = [f"from {r.package}.router import router as {r.name}_router" for r in members]
        includes = [f"router.include_router({r.name}_router)" for r in members]
        body = [f'"""Operations of {area}."""', "", "from fastapi import APIRouter", ""]
        body += [*sorted(imports), "", f'router = APIRouter(prefix="/{area}")', *includes]
        texts[f"app/{area}/__init__.py"] = ""
        texts[f"app/{area}/router.py"] = "\n".join(body) + "\n"
    body = ['"""All operations."""', "", "from fastapi import APIRouter", ""]
    body += [f"from app.{area}.router import router as {area}_router" for area in sorted(areas)]
    body += ["", "router = APIRouter()", *(f"router.include_router({area}_router)" for area in areas)]
    texts["app/api.py"] = "\n".join(body) + "\n"
    return texts


def lines_of(texts: dict[str, str]) -> int:
    """Lines of the Python files among them."""
    return sum(text.count("\n") for path, text in texts.items() if path.endswith(".py"))


def generate(kloc: float, seed: int = 1) -> dict[str, str]:
    """The files of a backend of about ``kloc`` thousand lines of Python (within one percent), by path."""
    rng = random.Random(f"fastapi-architect {seed}")
    texts = dict(CORE)
    resources: list[Resource] = []
    names = resource_names(rng)
    target, written, down = int(kloc * 1000), lines_of(texts), None
    while True:
        area = f"area_{len(resources) // AREA_SIZE}"
        resource = draw_resource(rng, next(names), area, resources[-40:])
        revision = f"{len(resources):04d}"
        added = resource_texts(resource, rng, revision, down)
        if written + lines_of(added) > target and resources:
            break
        texts.update(added)
        resources.append(resource)
        written, down = written + lines_of(added), revision
    texts.update(wiring(resources))
    written, number = lines_of(texts), 0
    while target - written > 300:
        added = {
            f"app/core/figures_{number}.py": laid_out(
                policy_file(rng, f"figure_{number}", f"Figure{number}", 5), rng
            )
        }
        texts.update(added)
        written, number = written + lines_of(added), number + 1
    return texts


def write_tree(directory: Path, kloc: float, seed: int = 1) -> int:
    """Writes a generated backend; returns its lines of Python."""
    texts = generate(kloc, seed)
    for path, text in texts.items():
        target = directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")
    return lines_of(texts)


def density(directory: Path, most: int = 400) -> dict[str, float]:
    """What makes Python files cost: figures over at most that many files, drawn at random."""
    files = sorted(path for path in directory.rglob("*.py") if path.is_file())
    random.Random(1).shuffle(files)
    counts = dict.fromkeys(
        ("files", "lines", "characters", "tokens", "nodes", "functions", "classes", "calls"), 0
    )
    lengths: list[int] = []
    layout = (tokenize.NL, tokenize.COMMENT, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)
    for path in files[:most]:
        try:
            text = path.read_text("utf-8")
            tree = ast.parse(text)
        except (SyntaxError, UnicodeDecodeError, ValueError):
            continue
        counts["files"] += 1
        counts["lines"] += text.count("\n")
        counts["characters"] += len(text)
        found = tokenize.generate_tokens(io.StringIO(text).readline)
        counts["tokens"] += sum(token.type not in layout for token in found)
        for node in ast.walk(tree):
            counts["nodes"] += 1
            counts["classes"] += isinstance(node, ast.ClassDef)
            counts["calls"] += isinstance(node, ast.Call)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                counts["functions"] += 1
                lengths.append((node.end_lineno or node.lineno) - node.lineno + 1)
    lines = max(counts["lines"], 1)
    return {
        "lines/file": lines / max(counts["files"], 1),
        "characters/line": counts["characters"] / lines,
        "tokens/line": counts["tokens"] / lines,
        "nodes/line": counts["nodes"] / lines,
        "functions/kLOC": 1000 * counts["functions"] / lines,
        "classes/kLOC": 1000 * counts["classes"] / lines,
        "calls/kLOC": 1000 * counts["calls"] / lines,
        "median function": statistics.median(lengths) if lengths else 0.0,
    }


def print_density(directories: list[Path]) -> None:
    """A table with a column for each tree."""
    columns = [density(directory) for directory in directories]
    print(f"{'':16}" + "".join(f"{directory.name[:14]:>15}" for directory in directories))
    for key in columns[0]:
        print(f"{key:16}" + "".join(f"{column[key]:15.1f}" for column in columns))


def main(arguments: list[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description="Write a FastAPI backend of a given size.")
    parser.add_argument("directories", nargs="+", type=Path, metavar="DIRECTORY")
    parser.add_argument("--kloc", type=float, default=100.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--density", action="store_true", help="measure the directories instead")
    options = parser.parse_args(arguments)
    if options.density:
        print_density(options.directories)
        return 0
    [directory] = options.directories
    if directory.exists() and any(directory.iterdir()):
        print(f"{directory} is not empty; name a new directory", file=sys.stderr)
        return 2
    print(f"{write_tree(directory, options.kloc, options.seed)} lines in {directory}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
