"""Which rule a result is of, and what the tool says about that rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi_architect.secapi.imports.limits import ImportLimits, Refusal, at_most
from fastapi_architect.secapi.imports.log import Descriptor, Result, Tool, ToolComponent

_UNKNOWN = Descriptor()


class Rules:
    """The rules of one run.

    Args:
        tool: that ran.
        limits: how many rules and tags are taken.

    Raises:
        ImportRefused: there are more.
    """

    def __init__(self, tool: Tool, limits: ImportLimits) -> None:
        extensions = tool.extensions or []
        name = tool.driver.name or "a tool"
        at_most(
            limits.extensions, len(extensions), Refusal.TOO_MANY_EXTENSIONS, f"extensions in a run of {name}",
            "Let the tool run with fewer of them.",
        )  # fmt: skip
        self._components: list[ToolComponent] = [tool.driver, *extensions]
        every = [rule for component in self._components for rule in component.rules or ()]
        at_most(
            limits.rules, len(every), Refusal.TOO_MANY_RULES, f"rules in a run of {name}",
            "Let the tool run with fewer of them.",
        )  # fmt: skip
        for rule in every:
            at_most(
                limits.tags, len(tags_of(rule)), Refusal.TOO_MANY_TAGS,
                f"tags of the rule {(rule.id or '?')[:100]}", "Give the rule fewer of them.",
            )  # fmt: skip
        self._by_id = {rule.id: rule for rule in reversed(every) if rule.id is not None}

    def of(self, result: Result) -> tuple[str, Descriptor]:
        """The identifier of a result's rule, and the rule: one of which nothing is known where the tool lists none."""
        reference = result.rule
        identifier = result.rule_id or (reference.id if reference is not None else None)
        rule = self._indexed(result)
        if rule is None and identifier is not None:
            # A rule may have parts, such as CA1000/1 (3.27.5): the tool describes the rule.
            rule = self._by_id.get(identifier) or self._by_id.get(identifier.rpartition("/")[0])
        return identifier or (rule.id if rule is not None else None) or "unnamed-rule", rule or _UNKNOWN

    def message(self, identifier: str, rule: Descriptor) -> str:
        """The text of a message that only has a name."""
        for strings in (rule.message_strings, self._components[0].global_message_strings):
            found = (strings or {}).get(identifier)
            if found is not None:
                return found.text or ""
        return ""

    def _indexed(self, result: Result) -> Descriptor | None:
        reference = result.rule
        index = result.rule_index
        number = 0
        if reference is not None:
            index = reference.index if reference.index is not None else index
            if reference.tool_component is not None and reference.tool_component.index is not None:
                number = reference.tool_component.index + 1
        if index is None or not 0 <= number < len(self._components):
            return None
        rules = self._components[number].rules or ()
        return rules[index] if 0 <= index < len(rules) else None


def tags_of(rule: Descriptor) -> list[str]:
    """The tags of a rule."""
    return texts_in(properties_of(rule.properties), "tags")


def properties_of(bag: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """A bag of properties, in which anything may be."""
    return bag or {}


def texts_in(bag: Mapping[str, Any], name: str) -> list[str]:
    """The texts that stand under a name: one, several or none."""
    found = bag.get(name)
    if isinstance(found, str):
        return [found]
    return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []
