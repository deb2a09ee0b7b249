"""docutils: reStructuredText, which includes files where nobody says otherwise."""

from __future__ import annotations

from fastapi_architect.concepts.template import MarkupReading
from fastapi_architect.libraries.library import Library
from fastapi_architect.libraries.table import Argument, describe

library = Library(packages=("docutils",))

describe(
    library,
    MarkupReading,
    "docutils.core.publish_parts docutils.core.publish_string docutils.core.publish_doctree",
    source=Argument(0, "source"),
    overrides=Argument(None, "settings_overrides"),
    settings=Argument(None, "settings"),
)
