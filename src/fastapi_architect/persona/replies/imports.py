"""Which line imports a name: the project's own names, and those that everybody writing a FastAPI backend knows."""

from __future__ import annotations

import functools

from fastapi_architect.builder.project import Project
from fastapi_architect.program.definitions import Class, Function

_WELL_KNOWN = {
    "fastapi": "APIRouter BackgroundTasks Body Cookie Depends FastAPI File Form Header HTTPException Path Query Request Response "
    "Security UploadFile WebSocket WebSocketException status",
    "fastapi.responses": "JSONResponse RedirectResponse",
    "pydantic": "BaseModel ConfigDict EmailStr Field SecretStr field_validator",
    "pydantic_settings": "BaseSettings SettingsConfigDict",
    "sqlalchemy": "Index UniqueConstraint delete func insert select text update",
    "sqlalchemy.orm": "Session joinedload selectinload",
    "sqlalchemy.ext.asyncio": "AsyncSession async_sessionmaker create_async_engine",
    "sqlalchemy.pool": "NullPool",
    "typing": "Annotated Any Literal",
    "collections.abc": "AsyncIterator Iterator Sequence",
    "datetime": "UTC datetime timedelta",
    "decimal": "Decimal",
    "html": "escape",
    "uuid": "UUID uuid4",
    "celery.result": "AsyncResult",
    "alembic": "op",
    "contextlib": "asynccontextmanager",
}
_MODULES = (
    "asyncio",
    "hashlib",
    "hmac",
    "httpx",
    "json",
    "jwt",
    "logging",
    "os",
    "re",
    "secrets",
    "subprocess",
    "time",
)


@functools.cache
def _well_known() -> dict[str, str]:
    named = {
        name: f"from {module} import {name}"
        for module, names in _WELL_KNOWN.items()
        for name in names.split()
    }
    return named | {module: f"import {module}" for module in _MODULES}


def import_lines(project: Project | None) -> dict[str, str]:
    """Name to the line that imports it; a name that several modules of the project define is left out."""
    found: dict[str, set[str]] = {}
    for each in (
        (*project.graph.program.functions, *project.graph.program.classes) if project is not None else ()
    ):
        if isinstance(each, Class | Function) and each.parent is each.module and each.module.kind == "source":
            found.setdefault(each.name, set()).add(each.module.name)
    own = {name: f"from {min(modules)} import {name}" for name, modules in found.items() if len(modules) == 1}
    return {**_well_known(), **own}
