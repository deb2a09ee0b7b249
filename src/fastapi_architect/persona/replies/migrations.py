"""A migration for an index that a finding asks for: whole, on the project's own head."""

from __future__ import annotations

import hashlib
import json
import re

from fastapi_architect.builder.errors import BuildError
from fastapi_architect.builder.revisions import find_head
from fastapi_architect.persona.hands import Document, Hands
from fastapi_architect.report.explain import fenced

_INDEX = re.compile(r'op\.create_index\(\s*"(?P<name>\w+)",\s*"(?P<table>\w+)",\s*\[(?P<columns>[^\]]*)\]')
_TEMPLATE = '''\
# {folder}/{revision}_{name}.py
"""Build {name} without stopping writes."""

from alembic import op

revision = "{revision}"
down_revision = {head}


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.create_index("{name}", "{table}", [{columns}], postgresql_concurrently=True)


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index("{name}", "{table}", postgresql_concurrently=True)
'''


def index_migration(hands: Hands, finding: Document) -> str:
    """The revision as a block of code; "" where the finding wants no index, or the project has no single head."""
    index = _INDEX.search(finding.get("suggestion") or "")
    if index is None or "index" not in finding["rule"]:
        return ""
    try:
        migrations = find_head(hands.project.graph)
    except BuildError:
        return ""
    revision = hashlib.sha256(f"{migrations.head}:{index['name']}".encode()).hexdigest()[:12]
    written = _TEMPLATE.format(
        folder=migrations.folder,
        revision=revision,
        name=index["name"],
        head=json.dumps(migrations.head) if migrations.head else None,
        table=index["table"],
        columns=index["columns"],
    )
    return fenced(written)
