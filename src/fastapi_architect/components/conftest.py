"""The tests of all components run on the servers that a generated project uses."""

from fastapi_architect.components.testing.fixtures import *  # noqa: F403
