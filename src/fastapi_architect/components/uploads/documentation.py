"""The bodies in the OpenAPI document: no parameter declares them, because they are streams."""

from collections.abc import Sequence
from typing import Any

from .kinds import Kind
from .receiving import MULTIPART

_BYTES = {"type": "string", "format": "binary"}


def document_bodies(document: dict[str, Any], path: str, kinds: Sequence[Kind], max_files: int) -> None:
    """Describe what the operations below a path take.

    Args:
        document: of OpenAPI; it is changed in place.
        path: of the uploads.
        kinds: what is taken.
        max_files: at once.
    """
    media_types = [kind.media_type for kind in kinds]
    files = {"type": "array", "items": _BYTES, "minItems": 1, "maxItems": max_files}
    multipart = {
        "schema": {
            "type": "object",
            "required": ["files"],
            "properties": {"files": files},
            "additionalProperties": False,
        },
        "encoding": {"files": {"contentType": ", ".join(media_types)}},
    }
    single = {media_type: {"schema": _BYTES} for media_type in media_types}
    paths = document.get("paths", {})
    for template, method, content in (
        (path, "post", {MULTIPART: multipart}),
        (f"{path}/{{upload_id}}", "put", single),
    ):
        if method in paths.get(template, {}):
            paths[template][method]["requestBody"] = {"required": True, "content": content}
