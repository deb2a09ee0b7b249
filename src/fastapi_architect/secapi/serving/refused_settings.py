"""A setting that is missing or has no meaning, by the name under which the operator writes it."""

from pydantic import ValidationError

from fastapi_architect.components.service import ComponentSettings


def refused_settings(error: ValidationError) -> str | None:
    """Return what is wrong with which settings; None: the error is about something else."""
    prefixes = {each.__name__: each.model_config.get("env_prefix", "") for each in _all(ComponentSettings)}
    if error.title not in prefixes:
        return None
    found = []
    for each in error.errors(include_input=False, include_url=False):
        words = each["msg"].removeprefix("Value error, ")
        name = f"{prefixes[error.title]}{each['loc'][0]}".upper() if each["loc"] else ""
        found.append(f"{name} is missing" if each["type"] == "missing" else f"{name}: {words}".lstrip(": "))
    return "; ".join(found)


def _all(kind: type[ComponentSettings]) -> list[type[ComponentSettings]]:
    return [each for own in kind.__subclasses__() for each in (own, *_all(own))]
