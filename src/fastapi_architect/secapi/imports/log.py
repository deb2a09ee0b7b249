"""A SARIF log as far as it is read. Whatever else stands in one is left alone, and null counts as absent.

Source: OASIS SARIF 2.1.0, by whose names everything is called here.
"""

from __future__ import annotations

from typing import Any

import msgspec


class _Object(msgspec.Struct, frozen=True, rename="camel"):
    """An object of the standard."""


class Message(_Object, frozen=True):
    """3.11: a text, or a name under which the rule has one, and what is put in."""

    text: str | None = None
    id: str | None = None
    arguments: list[str] | None = None


class MultiformatMessage(_Object, frozen=True):
    """3.12."""

    text: str | None = None


class ArtifactLocation(_Object, frozen=True):
    """3.4."""

    uri: str | None = None
    uri_base_id: str | None = None
    index: int | None = None


class Region(_Object, frozen=True):
    """3.30."""

    start_line: int | None = None
    start_column: int | None = None
    end_line: int | None = None
    snippet: MultiformatMessage | None = None


class PhysicalLocation(_Object, frozen=True):
    """3.29."""

    artifact_location: ArtifactLocation | None = None
    region: Region | None = None
    context_region: Region | None = None


class LogicalLocation(_Object, frozen=True):
    """3.33."""

    name: str | None = None
    fully_qualified_name: str | None = None


class Location(_Object, frozen=True):
    """3.28."""

    physical_location: PhysicalLocation | None = None
    logical_locations: list[LogicalLocation] | None = None
    message: Message | None = None


class ToolComponentReference(_Object, frozen=True):
    """3.54."""

    name: str | None = None
    index: int | None = None


class DescriptorReference(_Object, frozen=True):
    """3.52."""

    id: str | None = None
    index: int | None = None
    tool_component: ToolComponentReference | None = None


class Relationship(_Object, frozen=True):
    """3.53."""

    target: DescriptorReference | None = None


class Configuration(_Object, frozen=True):
    """3.50."""

    level: str | None = None
    rank: float | None = None


class Descriptor(_Object, frozen=True):
    """3.49: a rule, or a kind of notification."""

    id: str | None = None
    name: str | None = None
    short_description: MultiformatMessage | None = None
    full_description: MultiformatMessage | None = None
    help: MultiformatMessage | None = None
    help_uri: str | None = None
    default_configuration: Configuration | None = None
    message_strings: dict[str, MultiformatMessage] | None = None
    relationships: list[Relationship] | None = None
    properties: dict[str, Any] | None = None


class ToolComponent(_Object, frozen=True):
    """3.19."""

    name: str | None = None
    version: str | None = None
    semantic_version: str | None = None
    rules: list[Descriptor] | None = None
    global_message_strings: dict[str, MultiformatMessage] | None = None


class Tool(_Object, frozen=True):
    """3.18."""

    driver: ToolComponent
    extensions: list[ToolComponent] | None = None


class ThreadFlowLocation(_Object, frozen=True):
    """3.38."""

    location: Location | None = None


class ThreadFlow(_Object, frozen=True):
    """3.37."""

    locations: list[ThreadFlowLocation] | None = None


class CodeFlow(_Object, frozen=True):
    """3.36."""

    thread_flows: list[ThreadFlow] | None = None


class Suppression(_Object, frozen=True):
    """3.35."""

    status: str | None = None


class Fix(_Object, frozen=True):
    """3.55."""

    description: Message | None = None


class Result(_Object, frozen=True):
    """3.27."""

    rule_id: str | None = None
    rule_index: int | None = None
    rule: DescriptorReference | None = None
    kind: str | None = None
    level: str | None = None
    rank: float | None = None
    message: Message | None = None
    locations: list[Location] | None = None
    fingerprints: dict[str, str] | None = None
    partial_fingerprints: dict[str, str] | None = None
    code_flows: list[CodeFlow] | None = None
    suppressions: list[Suppression] | None = None
    baseline_state: str | None = None
    taxa: list[DescriptorReference] | None = None
    fixes: list[Fix] | None = None
    properties: dict[str, Any] | None = None


class Notification(_Object, frozen=True):
    """3.58."""

    level: str | None = None
    message: Message | None = None
    locations: list[Location] | None = None


class Invocation(_Object, frozen=True):
    """3.20."""

    execution_successful: bool | None = None
    tool_execution_notifications: list[Notification] | None = None


class Artifact(_Object, frozen=True):
    """3.24."""

    location: ArtifactLocation | None = None


class AutomationDetails(_Object, frozen=True):
    """3.17."""

    id: str | None = None


class Run(_Object, frozen=True):
    """3.14."""

    tool: Tool
    results: list[Result] | None = None
    invocations: list[Invocation] | None = None
    artifacts: list[Artifact] | None = None
    original_uri_base_ids: dict[str, ArtifactLocation] | None = None
    automation_details: AutomationDetails | None = None


class Log(_Object, frozen=True):
    """3.13."""

    version: str | None = None
    runs: list[Run] | None = None
