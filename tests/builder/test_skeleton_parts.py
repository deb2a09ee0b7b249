"""Parts of the skeleton that a project has only with a component, or only without it."""

from __future__ import annotations

import pytest

from fastapi_architect.builder.catalog import load_catalog
from fastapi_architect.builder.errors import CatalogError
from fastapi_architect.builder.new import ONLY_WITH, skeleton_files
from fastapi_architect.builder.skeleton_parts import chosen_parts, marked_components

TEXT = """first
    # [with tenancy]
    tenant
    # [without tenancy]
    owner
    # [end]
<!-- [without mail] -->
no mail
<!-- [end] -->
last
"""


@pytest.mark.parametrize(
    ("components", "expected"),
    [
        ((), "first\n    owner\nno mail\nlast\n"),
        (("tenancy",), "first\n    tenant\nno mail\nlast\n"),
        (("tenancy", "mail"), "first\n    tenant\nlast\n"),
    ],
)
def test_a_part_is_there_with_its_component_or_without_it(components: tuple[str, ...], expected: str) -> None:
    assert chosen_parts(TEXT, components) == expected


@pytest.mark.parametrize("text", ["# with tenancy\n", "# [with-tenancy]\n", "x = 1  # [end]\n", "\n", ""])
def test_what_is_no_mark_stays(text: str) -> None:
    assert chosen_parts(text, ()) == text


@pytest.mark.parametrize(
    "text",
    [
        "# [end]\n",
        "# [with mail]\n",
        "# [with mail]\n# [with tenancy]\n# [end]\n# [end]\n",
        "# [with mail]\n# [without tenancy]\n# [end]\n",
        "# [without mail]\n# [with mail]\n# [end]\n",
        "# [without mail]\n# [without mail]\n# [end]\n",
    ],
)
def test_marks_that_do_not_fit_together_are_refused(text: str) -> None:
    with pytest.raises(CatalogError, match="of the skeleton"):
        chosen_parts(text, ("mail",))


def test_the_skeleton_names_components_that_there_are() -> None:
    named = {name for file in skeleton_files() for name in marked_components(file.data.decode())}

    assert {"idempotency", "rate_limiting", "tenancy"} <= named
    assert named | set(ONLY_WITH.values()) <= set(load_catalog().components)
    assert set(ONLY_WITH) <= {file.path for file in skeleton_files()}
