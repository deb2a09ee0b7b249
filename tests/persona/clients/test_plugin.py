"""The plugin folder is whole: its manifest, agents, commands and server are what a client looks for."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from fastapi_architect import __version__
from fastapi_architect.persona.clients.plugin import plugin_files
from fastapi_architect.persona.clients.slash_commands import commands
from fastapi_architect.persona.definition.variants import SERVER, variants

PLUGIN = Path(__file__).parents[3] / "plugin"


def test_the_manifest_is_what_clients_ask_for() -> None:
    manifest = json.loads((PLUGIN / ".claude-plugin/plugin.json").read_text())
    assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", manifest["name"])
    assert manifest["version"] == __version__
    assert 50 <= len(manifest["description"]) <= 200
    assert set(manifest) <= {"name", "version", "description", "author", "license", "keywords"}


def test_the_marketplace_names_the_folder() -> None:
    market = json.loads((PLUGIN.parent / ".claude-plugin/marketplace.json").read_text())
    [plugin] = market["plugins"]
    assert market["owner"]["name"]
    assert (PLUGIN.parent / plugin["source"] / ".claude-plugin/plugin.json").is_file()
    assert plugin["name"] == SERVER


def test_it_lies_there_as_it_is_rendered() -> None:
    there = {
        file.relative_to(PLUGIN).as_posix(): file.read_text() for file in PLUGIN.rglob("*") if file.is_file()
    }
    assert there == plugin_files()


def test_agents_commands_and_server_are_in_it() -> None:
    assert {file.stem for file in (PLUGIN / "agents").iterdir()} == {each.name for each in variants()}
    assert {file.name for file in (PLUGIN / "commands").iterdir()} == {
        f"{each.name}.md" for each in commands()
    }
    assert list(json.loads((PLUGIN / ".mcp.json").read_text())["mcpServers"]) == [SERVER]


@pytest.mark.parametrize("command", commands(), ids=lambda each: each.name)
def test_each_command_says_what_it_does_and_who_does_it(command: object) -> None:
    text = (PLUGIN / f"commands/{command.name}.md").read_text()  # type: ignore[attr-defined]
    _, head, body = text.split("---\n", 2)
    assert set(yaml.safe_load(head)) == {"description", "argument-hint"}
    assert "$ARGUMENTS" in body
    assert command.agent in {each.name for each in variants()}  # type: ignore[attr-defined]
    assert f"Use the {command.agent} agent." in body  # type: ignore[attr-defined]


def test_the_everyday_requests_and_the_records_have_commands() -> None:
    names = {each.name for each in commands()}
    assert {"review", "fix", "add", "map", "explain", "slow", "sp.adr", "sp.phr"} == names
    assert {each.name for each in commands() if each.record} == {"sp.adr", "sp.phr"}
