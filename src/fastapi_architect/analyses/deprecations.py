"""Which of a project's calls are deprecated or gone in the versions that it installs.

A version counts only when something says it: a lock file, a pin, a lower bound, or the version of a package that
requires it. Where nothing says any, an installation today gets the newest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec
from packaging.version import Version

from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.findings.severity import Confidence
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.definitions import Class, Module, Scope, all_classes, all_functions
from fastapi_architect.program.facts import Site
from fastapi_architect.program.types import ClassRef, Instance, options
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.syntax import ir


class Deprecation(msgspec.Struct, frozen=True):
    """One thing of a library that should not be used any more.

    Attributes:
        names: dotted names of the callable (or of the attribute, for a constant).
        package: whose version decides; "python" for the standard library.
        since: first version that warns.
        instead: what to use, as code or in words.
        removed: first version without it, "" when there is none yet.
        rename: new last name where writing that is all there is to do, else "".
        keywords: the keyword arguments that the new name takes in the same way; None for any.
        keyword: the argument that is meant, when it is not the call.
        effect: what happens from `removed` on.
        imported_from: the module that it should not be imported from, when the name itself is fine.
    """

    names: tuple[str, ...]
    package: str
    since: str
    instead: str
    removed: str = ""
    rename: str = ""
    keywords: tuple[str, ...] | None = None
    keyword: str = ""
    effect: str = ""
    imported_from: str = ""


class Use(msgspec.Struct, frozen=True, eq=False):
    """A use of it.

    Attributes:
        deprecation: of what.
        site: the call or attribute, in its surroundings.
        version: effective version of the package, None when nothing says one.
        confidence: certain for a locked or pinned version, firm otherwise.
    """

    deprecation: Deprecation
    site: Site
    version: Version | None
    confidence: Confidence

    @property
    def is_gone(self) -> bool:
        """The installed version does not have it."""
        removed = self.deprecation.removed
        return bool(removed) and self.version is not None and self.version >= Version(removed)


_DUMP = ("include", "exclude", "by_alias", "exclude_unset", "exclude_defaults", "exclude_none")


def _model(
    method: str, new: str, keywords: tuple[str, ...] | None = None, *, rename: bool = True
) -> Deprecation:
    name = f"pydantic.BaseModel.{method}"
    return Deprecation((name,), "pydantic", "2.0", new, rename=new if rename else "", keywords=keywords)


_PARAMETERS = tuple(
    f"fastapi.{name}" for name in ("Query", "Path", "Header", "Cookie", "Form", "Body", "File")
)
_FIELD = ("pydantic.Field", "pydantic.fields.Field")
_REFUSED = "Pydantic refuses the class at import"

CALLS: tuple[Deprecation, ...] = (
    _model("dict", "model_dump", _DUMP),
    _model("json", "model_dump_json", ("include", "exclude", "exclude_unset", "exclude_none", "by_alias")),
    _model("copy", "model_copy", ("update", "deep")),
    _model("parse_obj", "model_validate", ("obj",)),
    _model("parse_raw", "model_validate_json", (), rename=False),
    _model("from_orm", "model_validate", ("obj",)),
    _model("construct", "model_construct"),
    _model("schema", "model_json_schema", ("by_alias", "ref_template")),
    _model("schema_json", "model_json_schema", rename=False),
    _model("update_forward_refs", "model_rebuild", ()),
    Deprecation(("pydantic.validator", "pydantic.class_validators.validator"), "pydantic", "2.0", "field_validator"),
    Deprecation(
        ("pydantic.root_validator", "pydantic.class_validators.root_validator"), "pydantic", "2.0", "model_validator"
    ),
    Deprecation(("pydantic.parse_obj_as", "pydantic.tools.parse_obj_as"), "pydantic", "2.0", "TypeAdapter"),
    Deprecation(_FIELD, "pydantic", "2.0", "pattern", "2.0", "pattern", keyword="regex", effect=_REFUSED),
    Deprecation(_FIELD, "pydantic", "2.0", "min_length", rename="min_length", keyword="min_items"),
    Deprecation(_FIELD, "pydantic", "2.0", "max_length", rename="max_length", keyword="max_items"),
    Deprecation(_FIELD, "pydantic", "2.0", "Literal", "2.0", keyword="const", effect=_REFUSED),
    Deprecation(_FIELD, "pydantic", "2.0", "examples", keyword="example"),
    Deprecation(_PARAMETERS, "fastapi", "0.100", "pattern", rename="pattern", keyword="regex"),
    Deprecation(_PARAMETERS, "fastapi", "0.99", "examples", keyword="example"),
    Deprecation(
        ("fastapi.FastAPI.on_event", "fastapi.APIRouter.on_event", "fastapi.FastAPI.add_event_handler"),
        "fastapi", "0.93", "lifespan",
    ),
    Deprecation(
        ("fastapi.responses.ORJSONResponse", "fastapi.responses.UJSONResponse"), "fastapi", "0.131", "response_model"
    ),
    Deprecation(
        ("starlette.templating.Jinja2Templates.TemplateResponse", "fastapi.templating.Jinja2Templates.TemplateResponse"),
        "starlette", "0.29", "TemplateResponse(request, name)", "1.0",
        effect="the template's name is taken for the request, and the answer is a 500",
    ),
    Deprecation(
        ("sqlalchemy.orm.declarative_base",), "sqlalchemy", "2.0", "sqlalchemy.orm.DeclarativeBase",
        imported_from="sqlalchemy.ext.declarative",
    ),
    Deprecation(("sqlalchemy.orm.Query.get",), "sqlalchemy", "2.0", "Session.get"),
    Deprecation(
        ("sqlalchemy.Engine.execute", "sqlalchemy.engine.Engine.execute"), "sqlalchemy", "2.0", "engine.connect()",
        "2.0", effect="the call raises AttributeError",
    ),
    Deprecation(
        ("redis.asyncio.Redis.close", "redis.asyncio.client.Redis.close"), "redis", "5.0.1", "aclose", rename="aclose"
    ),
    Deprecation(("datetime.datetime.utcnow",), "python", "3.12", "datetime.now(UTC)"),
    Deprecation(("datetime.datetime.utcfromtimestamp",), "python", "3.12", "datetime.fromtimestamp(..., UTC)"),
)  # fmt: skip

_STATUS = {
    "HTTP_413_REQUEST_ENTITY_TOO_LARGE": "HTTP_413_CONTENT_TOO_LARGE",
    "HTTP_414_REQUEST_URI_TOO_LONG": "HTTP_414_URI_TOO_LONG",
    "HTTP_416_REQUESTED_RANGE_NOT_SATISFIABLE": "HTTP_416_RANGE_NOT_SATISFIABLE",
    "HTTP_422_UNPROCESSABLE_ENTITY": "HTTP_422_UNPROCESSABLE_CONTENT",
}
CONSTANTS: tuple[Deprecation, ...] = tuple(
    Deprecation((f"starlette.status.{old}", f"fastapi.status.{old}"), "starlette", "0.48", new, rename=new)
    for old, new in _STATUS.items()
)

#: What a version of FastAPI requires: (FastAPI from, package, at least); and what older ones allow at most.
_REQUIRED = (("0.165", "starlette", "1.6"), ("0.126", "pydantic", "2.9"))
_LAST_WITHOUT_PYDANTIC_2 = Version("0.100")
_PYTHON_VERSION = lazy_pattern(r"^\s*(?:requires-python|python)\s*=\s*[\"'][^\d]*(\d+\.\d+)", re.MULTILINE)
_IMAGE = lazy_pattern(r"(?:^|/)python:(\d+\.\d+)")


class InstalledVersions:
    """What a project installs, and how sure that is."""

    def __init__(self, graph: AppGraph) -> None:
        self._graph = graph
        self._known: dict[str, tuple[Version | None, Confidence]] = {}

    def of(self, package: str) -> tuple[Version | None, Confidence]:
        """The version, None when nothing says one."""
        if package not in self._known:
            self._known[package] = self._python() if package == "python" else self._find(package)
        return self._known[package]

    def _find(self, package: str) -> tuple[Version | None, Confidence]:
        found = self._graph.deployment.version_of(package)
        if found is not None:
            sure = found.basis in ("lock", "pin")
            return found.version, Confidence.CERTAIN if sure else Confidence.FIRM
        fastapi = self._graph.version("fastapi")
        if fastapi is None or package == "fastapi":
            return None, Confidence.FIRM
        for since, required, version in _REQUIRED:
            if required == package and fastapi >= Version(since):
                return Version(version), Confidence.CERTAIN
        if package == "pydantic" and fastapi < _LAST_WITHOUT_PYDANTIC_2:
            return Version("1.10"), Confidence.FIRM
        return (Version("0"), Confidence.FIRM) if package == "starlette" else (None, Confidence.FIRM)

    def _python(self) -> tuple[Version | None, Confidence]:
        """The oldest Python that an image or a manifest names; 0 when none does."""
        images = [i for each in self._graph.deployment.dockerfiles for i in each.base_images]
        found = [m[1] for image in images if (m := _IMAGE.search(image)) is not None]
        if not found:
            texts = self._graph.files.texts.items()
            found = [
                m
                for path, text in texts
                if path.endswith("pyproject.toml")
                for m in _PYTHON_VERSION.findall(text)
            ]
        return min((Version(each) for each in found), default=Version("0")), Confidence.FIRM


def deprecated_uses(graph: AppGraph) -> Iterator[Use]:
    """Every use outside tests, in order of deprecations and places."""
    versions = InstalledVersions(graph)
    for each in (*CALLS, *CONSTANTS):
        version, confidence = versions.of(each.package)
        if version is not None and version < Version(each.since):
            continue
        sites = _constants(each, graph) if each in CONSTANTS else _calls(each, graph)
        for site in sites:
            if site.scope.module.kind == "source":
                yield Use(each, site, version, confidence)


def _calls(each: Deprecation, graph: AppGraph) -> Iterator[Site]:
    for site in _sites(each, graph):
        if each.imported_from and not _imports_from(site.scope.module, each.imported_from):
            continue
        if each.instead.startswith("TemplateResponse") and not _name_comes_first(site, graph):
            continue
        if each.package == "pydantic" and _is_of_pydantic_v1(site, graph):
            continue
        if each.rename == "aclose" and not site.awaited:
            continue
        yield site


def _sites(each: Deprecation, graph: AppGraph) -> Iterator[Site]:
    """Calls of the callable; with the argument that is meant, which is seen without resolving a name."""
    if not each.keyword:
        yield from (site for site, _ in graph.program.call_sites(each.names))
        return
    found = []
    for last in sorted({name.rpartition(".")[2] for name in each.names}):
        for site in graph.program.call_sites_named(last):
            given = [k.arg for k in site.node.keywords]
            if each.keyword in given and not set(each.names).isdisjoint(graph.program.calls.names(site)):
                found.append(site)
    yield from sorted(found, key=lambda site: (site.scope.module.path, site.node.span))


def uses_pydantic_v1(module: Module) -> bool:
    """The module imports the old Pydantic that the new one ships, whose names are not deprecated."""
    return _imports_from(module, "pydantic.v1")


def _imports_from(module: Module, package: str) -> bool:
    imports = (
        b.target
        for bindings in module.facts.bindings.values()
        for b in bindings
        if b.kind in ("import", "from")
    )
    return any(f"{target}.".startswith(f"{package}.") for target in imports)


def _is_of_pydantic_v1(site: Site, graph: AppGraph) -> bool:
    if uses_pydantic_v1(site.scope.module):
        return True
    func = site.node.func
    if not isinstance(func, ir.Attribute):
        return False
    inference = graph.program.inference
    for of in options(inference.type_of(func.value, site.scope)):
        cls = of.cls if isinstance(of, Instance | ClassRef) else None
        if isinstance(cls, Class):
            bases = (entry.cls for entry in inference.hierarchy.order(cls))
            return any(isinstance(base, Class) and uses_pydantic_v1(base.module) for base in bases)
    return False


def _name_comes_first(site: Site, graph: AppGraph) -> bool:
    first = argument(site.node, 0)
    return first is not None and isinstance(graph.program.constants.value(first, site.scope), str)


def _constants(each: Deprecation, graph: AppGraph) -> Iterator[Site]:
    name = each.names[0].rpartition(".")[2]
    for module in graph.program.mentioning(name):
        for scope in _scopes(module):
            for site in scope.facts.sites(ir.Attribute):
                if site.node.attr == name and "status" in _receiver(site.node):
                    yield site


def _receiver(node: ir.Attribute) -> str:
    value = node.value
    return value.id if isinstance(value, ir.Name) else value.attr if isinstance(value, ir.Attribute) else ""


def _scopes(module: Module) -> Iterator[Scope]:
    yield module
    yield from all_functions(module)
    yield from all_classes(module)
