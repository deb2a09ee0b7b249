"""For each client: installed twice without a difference, uninstalled without a trace, and nobody's text touched."""

from __future__ import annotations

import json
import os
import re
import sys
import tomllib
from pathlib import Path

import anyio
import pytest
import yaml
from mcp import Client, StdioServerParameters, stdio_client

from fastapi_architect.__main__ import main
from fastapi_architect.persona.clients import json_with_comments, marked_block
from fastapi_architect.persona.clients.definitions import guide
from fastapi_architect.persona.clients.installing import CLIENTS
from fastapi_architect.persona.clients.target import LAUNCHERS, JsonMember, Launch, Scope, TomlTable
from fastapi_architect.persona.definition.render import instructions
from fastapi_architect.persona.definition.variants import SERVER, variants

CASES = [
    pytest.param(client, scope, id=f"{client}-{scope}")
    for client in CLIENTS
    for scope in ("project", "user")
    if (client, scope) != ("generic", "user")
]

#: What people have in the files that we add to, in each of the forms that clients read.
THEIRS = {
    ".mcp.json": '{"mcpServers":{"mine":{"command":"x"}}}',
    ".claude.json": '{\n\t"numStartups": 7,\n\t"projects": {"/p": {"mcpServers": {}}},\n\t"é": "\\ud83d\\ude00"\n}\n',
    ".cursor/mcp.json": '{\r\n    "mcpServers": {\r\n        "mine": { "url": "http://127.0.0.1:1/mcp" }\r\n    }\r\n}\r\n',
    ".vscode/mcp.json": '// ours\n{\n    "inputs": [ /* none */ ],\n    "servers": { // see the wiki\n'
    '        "mine": {"command": "x",}, // "fastapi-architect": {}\n    },\n}\n',
    ".config/Code/User/mcp.json": '{\n  "servers": {}\n}',
    ".codex/config.toml": '# mine\r\nmodel = "m"  # fast\r\n\r\n[mcp_servers.mine]\r\ncommand = "x"',
    "AGENTS.md": "# Ours\n\nUse tabs.\n\n<!-- a comment -->\n   ",
    ".codex/AGENTS.md": "\ufeffBe brief.",
}  # fmt: skip


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder of its own; nothing of the machine's is near."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("USERPROFILE", str(folder))
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


def root_of(scope: str, home: Path, project: Path) -> Path:
    return home if scope == "user" else project


def agent(command: str, scope: str, project: Path, *more: str) -> int:
    where = ["--user"] if scope == "user" else ["--project", "--path", str(project)]
    return main(["agent", command, *where, "--yes", *more])


def tree(root: Path) -> dict[str, bytes | None]:
    """Every file's bytes, and every folder."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes() if path.is_file() else None
        for path in sorted(root.rglob("*"))
    }


def put(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())


def entry_of(root: Path, client: str, scope: str) -> dict[str, object]:
    """The server's entry as the client reads it."""
    [target] = [
        each
        for each in CLIENTS[client][1](Scope(scope, root), LAUNCHERS["architect"])  # type: ignore[arg-type]
        if isinstance(each, JsonMember | TomlTable)
    ]
    text = (root / target.path).read_bytes().decode()
    if isinstance(target, TomlTable):
        return dict(tomllib.loads(text)["mcp_servers"][SERVER])
    return dict(json_with_comments.value_at(json_with_comments.parse(text, ""), target.keys))


@pytest.mark.parametrize(("client", "scope"), CASES)
def test_twice_makes_no_difference_and_uninstalling_leaves_no_trace(
    client: str, scope: str, home: Path, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = root_of(scope, home, project)
    assert agent("install", scope, project, "--for", client) == 0
    once = tree(root)
    assert once
    capsys.readouterr()
    assert agent("install", scope, project, "--for", client) == 0
    assert tree(root) == once
    assert capsys.readouterr().out == "Nothing to do.\n"
    assert agent("uninstall", scope, project) == 0
    assert capsys.readouterr().out.endswith(f"Uninstalled for {CLIENTS[client][0]}.\n")
    assert tree(root) == {}


@pytest.mark.parametrize(("client", "scope"), CASES)
def test_what_people_have_there_stays_byte_for_byte(
    client: str, scope: str, home: Path, project: Path
) -> None:
    root = root_of(scope, home, project)
    put(root, THEIRS)
    before = tree(root)
    assert agent("install", scope, project, "--for", client) == 0
    after = tree(root)
    changed = {path for path, data in before.items() if after[path] != data}
    assert changed
    for path in changed:
        old, new = before[path], after[path]
        assert old is not None
        assert new is not None
        # Ours is one piece: what stands before it and behind it is theirs.
        start = next((n for n, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), len(old))
        assert new.endswith(old[start:]), path
    once = after
    assert agent("install", scope, project, "--for", client) == 0
    assert tree(root) == once
    assert agent("uninstall", scope, project) == 0
    assert tree(root) == before


def test_files_that_were_there_and_empty_stay(project: Path) -> None:
    put(
        project,
        dict.fromkeys(
            ("AGENTS.md", ".mcp.json", ".cursor/mcp.json", ".vscode/mcp.json", ".codex/config.toml"), ""
        ),
    )
    before = tree(project)
    assert agent("install", "project", project, "--for", "all") == 0
    assert agent("uninstall", "project", project) == 0
    assert tree(project) == before


def test_all_clients_share_a_file_and_leave_one_by_one(project: Path) -> None:
    put(project, THEIRS)
    before = tree(project)
    assert agent("install", "project", project, "--for", "all") == 0
    assert (project / "AGENTS.md").read_text().count(marked_block.BEGIN) == 1
    for client in ("codex", "claude", "vscode"):
        assert agent("uninstall", "project", project, "--for", client) == 0
    assert guide().strip() in (project / "AGENTS.md").read_text()  # any other agent still reads it
    assert agent("uninstall", "project", project, "--for", "generic", "--for", "cursor") == 0
    assert tree(project) == before


# ── each client's own format ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("client", "scope"),
    [*((client, "project") for client in CLIENTS if client != "generic"), ("claude", "user")],
)
def test_the_entry_starts_a_server_that_answers(client: str, scope: str, home: Path, project: Path) -> None:
    """A real client starts what the file says, with the variables of the client filled in."""
    root = root_of(scope, home, project)
    assert agent("install", scope, project, "--for", client) == 0
    entry = entry_of(root, client, scope)
    assert entry["command"] == "architect"
    args = [str(each).replace("${workspaceFolder}", str(project)) for each in list(entry["args"])]  # type: ignore[call-overload]
    parameters = StdioServerParameters(
        command=sys.executable, args=["-m", "fastapi_architect", *args], env=dict(os.environ), cwd=project
    )

    async def ask() -> set[str]:
        async with Client(stdio_client(parameters)) as session:
            return {tool.name for tool in (await session.list_tools()).tools}

    assert {"review", "map_backend", "explain_rule", "fix"} <= anyio.run(ask)


@pytest.mark.parametrize("folder", [".claude/agents", ".cursor/agents", ".github/agents"])
def test_markdown_definitions_have_a_head_and_the_instructions(project: Path, folder: str) -> None:
    assert agent("install", "project", project, "--for", "all") == 0
    files = sorted((project / folder).iterdir())
    assert [file.name.partition(".")[0] for file in files] == sorted(each.name for each in variants())
    assert all(file.name.endswith(".agent.md" if folder == ".github/agents" else ".md") for file in files)
    by_name = {each.name: each for each in variants()}
    for file in files:
        _, head, body = file.read_text().split("---\n", 2)
        data = yaml.safe_load(head)
        assert data["description"]
        assert body.strip() == instructions(by_name[data["name"]]).strip()


def test_codex_reads_its_definitions_as_toml(project: Path) -> None:
    assert agent("install", "project", project, "--for", "codex") == 0
    for each in variants():
        data = tomllib.loads((project / f".codex/agents/{each.name}.toml").read_text())
        assert (data["name"], data["developer_instructions"]) == (each.name, instructions(each))
        assert ("sandbox_mode" in data) == each.readonly


def test_the_reviewer_is_read_only_in_each_client(project: Path) -> None:
    assert agent("install", "project", project, "--for", "all") == 0
    heads = {
        name: yaml.safe_load((project / name).read_text().split("---\n")[1])
        for name in (".claude/agents/fastapi-backend-reviewer.md", ".cursor/agents/fastapi-backend-reviewer.md",
                     ".github/agents/fastapi-backend-reviewer.agent.md")
    }  # fmt: skip
    claude, cursor, vscode = heads.values()
    assert "Edit" in claude["disallowedTools"]
    assert cursor["readonly"] is True
    assert "edit" not in vscode["tools"]
    assert f"{SERVER}/*" in vscode["tools"]


def test_cursor_gets_a_rule_that_names_every_agent(project: Path) -> None:
    assert agent("install", "project", project, "--for", "cursor") == 0
    _, head, body = (project / f".cursor/rules/{SERVER}.mdc").read_text().split("---\n", 2)
    assert yaml.safe_load(head)["alwaysApply"] is False
    assert all(each.name in body for each in variants())


def test_another_launcher_is_written_and_replaces_the_first(project: Path) -> None:
    put(project, {".mcp.json": THEIRS[".mcp.json"]})
    assert agent("install", "project", project, "--for", "claude") == 0
    assert agent("install", "project", project, "--for", "claude", "--launcher", "uvx") == 0
    entry = entry_of(project, "claude", "project")
    assert entry["command"] == "uvx"
    assert list(json.loads((project / ".mcp.json").read_text())["mcpServers"]) == [SERVER, "mine"]
    assert agent("uninstall", "project", project) == 0
    assert (project / ".mcp.json").read_text() == THEIRS[".mcp.json"]


# ── what others changed ──────────────────────────────────────────────────────────────────────────────────────────


def test_an_edited_definition_is_kept_and_the_new_one_shown(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert agent("install", "project", project, "--for", "claude") == 0
    file = project / ".claude/agents/fastapi-backend-dev.md"
    file.write_text(file.read_text().replace("You are Nexus", "You are Max"))
    edited = tree(project)
    capsys.readouterr()
    assert agent("install", "project", project, "--for", "claude") == 0
    said = capsys.readouterr().out
    assert tree(project) == edited
    assert "keep    .claude/agents/fastapi-backend-dev.md was edited" in said
    assert "-You are Max" in said
    assert "+You are Nexus" in said
    assert agent("uninstall", "project", project) == 0
    assert [path for path, data in tree(project).items() if data] == [".claude/agents/fastapi-backend-dev.md"]


def test_an_older_definition_of_ours_is_replaced(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from fastapi_architect.persona.clients import claude, codex

    old = {module: module.for_claude if module is claude else module.guide for module in (claude, codex)}
    monkeypatch.setattr(claude, "for_claude", lambda each: f"an older {each.name}\n")
    monkeypatch.setattr(codex, "guide", lambda: "an older guide")
    put(project, {"AGENTS.md": THEIRS["AGENTS.md"]})
    before = tree(project)
    assert agent("install", "project", project, "--for", "claude", "--for", "codex") == 0
    assert "an older guide" in (project / "AGENTS.md").read_text()
    monkeypatch.setattr(claude, "for_claude", old[claude])
    monkeypatch.setattr(codex, "guide", old[codex])
    assert agent("install", "project", project, "--for", "claude", "--for", "codex") == 0
    assert (
        "an older"
        not in (project / "AGENTS.md").read_text()
        + (project / ".claude/agents/fastapi-backend-dev.md").read_text()
    )
    assert agent("uninstall", "project", project) == 0
    assert tree(project) == before


def test_somebody_s_own_definition_of_that_name_is_never_overwritten(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(project, {".claude/agents/fastapi-backend-dev.md": "mine", ".claude/commands/sp.adr.md": "mine, too"})
    assert agent("install", "project", project, "--for", "claude") == 0
    assert (
        "keep    .claude/agents/fastapi-backend-dev.md is there and not of this tool"
        in capsys.readouterr().out
    )
    assert (project / ".claude/agents/fastapi-backend-dev.md").read_text() == "mine"
    assert (project / ".claude/agents/fastapi-backend-reviewer.md").exists()
    assert agent("uninstall", "project", project) == 0
    assert {p: d for p, d in tree(project).items() if d} == {
        ".claude/agents/fastapi-backend-dev.md": b"mine",
        ".claude/commands/sp.adr.md": b"mine, too",
    }


@pytest.mark.parametrize("client", ["claude", "cursor", "vscode", "codex"])
def test_an_entry_that_somebody_configured_is_kept(
    project: Path, client: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert agent("install", "project", project, "--for", client) == 0
    for file in (".mcp.json", ".cursor/mcp.json", ".vscode/mcp.json", ".codex/config.toml"):
        if (project / file).exists():
            path = project / file
            path.write_text(path.read_text().replace('"architect"', '"/opt/own/architect"'))
    capsys.readouterr()
    assert agent("install", "project", project, "--for", client) == 0
    assert "keep    " in capsys.readouterr().out
    assert entry_of(project, client, "project")["command"] == "/opt/own/architect"
    assert agent("uninstall", "project", project) == 0
    assert "by hand" in capsys.readouterr().out
    assert entry_of(project, client, "project")["command"] == "/opt/own/architect"


def test_a_key_written_below_our_table_does_not_fall_to_another_one(project: Path) -> None:
    put(project, {".codex/config.toml": "[mcp_servers.mine]\ncommand = 'x'\n"})
    assert agent("install", "project", project, "--for", "codex") == 0
    file = project / ".codex/config.toml"
    file.write_text(file.read_text() + "startup_timeout_sec = 20\n")
    assert agent("uninstall", "project", project) == 0
    assert tomllib.loads(file.read_text())["mcp_servers"]["mine"] == {"command": "x"}


def test_a_file_that_the_client_wrote_anew_loses_our_entry_only(home: Path, project: Path) -> None:
    put(home, {".claude.json": '{"numStartups": 7}'})
    assert agent("install", "user", project, "--for", "claude") == 0
    data = json.loads((home / ".claude.json").read_text())
    (home / ".claude.json").write_text(json.dumps({**data, "numStartups": 8}, indent=1))
    assert agent("uninstall", "user", project) == 0
    assert json.loads((home / ".claude.json").read_text()) == {"numStartups": 8}


def test_a_file_that_came_with_us_goes_although_the_client_wrote_it_anew(project: Path) -> None:
    assert agent("install", "project", project, "--for", "claude") == 0
    file = project / ".mcp.json"
    file.write_text(json.dumps(json.loads(file.read_text()), indent=1))
    assert agent("uninstall", "project", project) == 0
    assert tree(project) == {}


def test_a_file_that_came_with_us_stays_with_what_others_put_into_it(project: Path) -> None:
    assert agent("install", "project", project, "--for", "vscode") == 0
    file = project / ".vscode/mcp.json"
    file.write_text(file.read_text().replace("{", "{ // ours from now on", 1))
    assert agent("uninstall", "project", project) == 0
    assert "// ours from now on" in file.read_text()


def test_an_edited_block_is_kept(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert agent("install", "project", project, "--for", "generic") == 0
    file = project / "AGENTS.md"
    file.write_text("# Before\n\n" + file.read_text().replace("### Method", "### Our method") + "\nBehind.\n")
    edited = file.read_text()
    capsys.readouterr()
    assert agent("install", "project", project, "--for", "generic") == 0
    assert "-### Our method" in capsys.readouterr().out
    assert agent("uninstall", "project", project) == 0
    assert file.read_text() == edited


def test_text_written_around_the_block_stays_when_it_goes(project: Path) -> None:
    assert agent("install", "project", project, "--for", "generic") == 0
    file = project / "AGENTS.md"
    file.write_text("# Before\n\n" + file.read_text() + "\nBehind.\n")
    assert agent("uninstall", "project", project) == 0
    assert file.read_text() == "# Before\n\n\nBehind.\n"


# ── what is refused ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("file", "text", "place"),
    [
        (".mcp.json", '{\n  "mcpServers": {"a": 1,,}\n}', ".mcp.json:2:25: "),
        (".mcp.json", "[]", ".mcp.json:1:1: this has to be an object"),
        (".mcp.json", '{"mcpServers": []}', ".mcp.json:1:16: this has to be an object"),
        (".mcp.json", '{"mcpServers": {}, "mcpServers": {}}', "is there twice"),
        (".mcp.json", '{"a": 1} x', ".mcp.json:1:10: "),
        (".mcp.json", '{"a": "\\q"}', "wrong escape"),
        (".mcp.json", '{"a" 1}', "a colon is missing"),
        (".mcp.json", '{"a": /* never closed', "comment has no end"),
        (".mcp.json", '{"a": ', "the document ends here"),
        (".mcp.json", "[" * 100_000, "nested too deeply"),
        (".cursor/mcp.json", "{a: 1}", ".cursor/mcp.json:1:2: "),
        (".vscode/mcp.json", "{'a': 1}", ".vscode/mcp.json:1:2: "),
        (".codex/config.toml", "a = 1\nb = = 2\n", "at line 2, column 5"),
        (".codex/config.toml", "mcp_servers = {}\n", "add it by hand"),
        (".codex/config.toml", "mcp_servers = 1\n", "add it by hand"),
        ("AGENTS.md", f"x\n{marked_block.BEGIN}\n", "AGENTS.md:2: the marks"),
        ("AGENTS.md", f"{marked_block.END}\n{marked_block.BEGIN}\n", "AGENTS.md:1: the marks"),
        (".architect/agents.json", "{", ".architect/agents.json cannot be read"),
        (".architect/agents.json", '{"version": 9}', "upgrade"),
        (".architect/agents.json", '{"folders": ["../.."]}', "lies outside"),
    ],
)  # fmt: skip
def test_what_is_malformed_is_named_with_its_place_and_nothing_is_written(
    project: Path, file: str, text: str, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    put(project, {file: text})
    before = tree(project)
    assert agent("install", "project", project, "--for", "all") == 2
    assert place in capsys.readouterr().err
    assert tree(project) == before


@pytest.mark.parametrize("data", [b"\xff\xfe{}", "# \udcff".encode("utf-8", "surrogateescape")])
def test_what_is_no_text_is_refused(project: Path, data: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "AGENTS.md").write_bytes(data)
    assert agent("install", "project", project, "--for", "generic") == 2
    assert "UTF-8" in capsys.readouterr().err


@pytest.mark.parametrize(
    "link", [".claude", ".claude/agents", ".mcp.json", ".claude/agents/fastapi-backend-dev.md", ".architect"]
)
def test_no_link_leads_outside(
    project: Path, tmp_path: Path, link: str, capsys: pytest.CaptureFixture[str]
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("{}")
    (project / link).parent.mkdir(parents=True, exist_ok=True)
    (project / link).symlink_to(outside / "file" if "." in Path(link).name[1:] else outside)
    assert agent("install", "project", project, "--for", "claude") == 2
    assert "behind a symbolic link" in capsys.readouterr().err
    assert tree(outside) == {"file": b"{}"}
    assert not [path for path, data in tree(project).items() if data and not (project / path).is_symlink()]


def test_a_link_inside_is_followed_to_the_file_that_people_edit(project: Path) -> None:
    put(project, {"CLAUDE.md": "# Ours\n"})
    (project / "AGENTS.md").symlink_to("CLAUDE.md")
    assert agent("install", "project", project, "--for", "generic") == 0
    assert (project / "AGENTS.md").is_symlink()
    assert (project / "CLAUDE.md").read_text().startswith("# Ours\n\n<!--")
    assert agent("uninstall", "project", project) == 0
    assert (project / "CLAUDE.md").read_text() == "# Ours\n"


def test_a_folder_in_a_file_s_place_is_named(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / ".mcp.json").mkdir()
    assert agent("install", "project", project, "--for", "claude") == 2
    assert ".mcp.json: cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize("after", [5, 24])
def test_a_full_disk_changes_nothing(project: Path, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    """New files come first, then the edits of what is there."""
    put(project, THEIRS)
    before, replace = tree(project), Path.replace
    left = [after]

    def full(self: Path, target: Path) -> Path:
        left[0] -= 1
        if left[0] == 0:
            raise OSError(28, "No space left on device")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", full)
    assert agent("install", "project", project, "--for", "all") == 2
    assert tree(project) == before


# ── the command ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_diff_is_shown_and_a_dry_run_writes_nothing(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(project, {".mcp.json": THEIRS[".mcp.json"]})
    before = tree(project)
    assert main(["agent", "install", "--for", "claude", "--dry-run", "--path", str(project)]) == 0
    said = capsys.readouterr().out
    assert "+++ b/.mcp.json" in said
    assert "new     .claude/agents/fastapi-backend-reviewer.md" in said
    assert tree(project) == before
    assert main(["agent", "install", "--for", "claude", "--dry-run", "--diff", "--path", str(project)]) == 0
    assert "+name: fastapi-backend-reviewer" in capsys.readouterr().out


def test_where_nobody_can_be_asked_nothing_is_written(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["agent", "install", "--for", "claude", "--path", str(project)]) == 2
    assert "--yes" in capsys.readouterr().err
    assert tree(project) == {}


@pytest.mark.parametrize(("answer", "code"), [("n", 1), ("", 1), ("y", 0)])
def test_somebody_at_a_terminal_is_asked(
    project: Path, monkeypatch: pytest.MonkeyPatch, answer: str, code: int
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _: answer)
    assert main(["agent", "install", "--for", "claude", "--path", str(project)]) == code
    assert (tree(project) == {}) == bool(code)


@pytest.mark.skipif(os.name == "nt", reason="modes")
def test_files_in_a_home_folder_are_for_their_owner_alone(project: Path, home: Path) -> None:
    put(home, {".codex/config.toml": ""})
    (home / ".codex/config.toml").chmod(0o640)
    assert agent("install", "user", project, "--for", "claude", "--for", "codex") == 0
    assert (home / ".claude.json").stat().st_mode & 0o777 == 0o600
    assert (home / ".codex/config.toml").stat().st_mode & 0o777 == 0o640


def test_the_clients_in_use_are_found(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert agent("install", "project", project) == 2
    assert "--for claude" in capsys.readouterr().err
    put(project, {".cursor/x": "", ".vscode/settings.json": "{}"})
    assert agent("install", "project", project) == 0
    assert "Installed for Cursor, Visual Studio Code." in capsys.readouterr().out
    assert not (project / ".claude").exists()


def test_a_missing_command_is_said_with_the_way_round_it(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(project))
    assert agent("install", "project", project, "--for", "claude") == 0
    assert "--launcher uvx" in capsys.readouterr().out


def test_there_is_no_agents_file_for_a_user(
    project: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert agent("install", "user", project, "--for", "generic") == 2
    assert "--project" in capsys.readouterr().err
    assert agent("install", "user", project, "--for", "all") == 0
    assert not (home / "AGENTS.md").exists()


def test_agents_are_listed_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["agent", "list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [
        each.name for each in variants()
    ]
    assert main(["agent", "show", "reviewer"]) == 0
    assert re.match(r"---\nname: fastapi-backend-reviewer\n", capsys.readouterr().out)
    assert main(["agent", "show", "reviewr"]) == 2
    assert "did you mean" in capsys.readouterr().err


def test_a_lost_lock_makes_no_difference_while_nobody_edited_anything(project: Path) -> None:
    assert agent("install", "project", project, "--for", "claude") == 0
    once = tree(project)
    (project / ".architect/agents.json").unlink()
    assert agent("install", "project", project, "--for", "claude") == 0
    assert {p: d for p, d in tree(project).items() if p != ".architect/agents.json"} == {
        p: d for p, d in once.items() if p != ".architect/agents.json"
    }


def test_another_machine_s_line_ends_are_no_edit(project: Path) -> None:
    assert agent("install", "project", project, "--for", "claude", "--for", "generic") == 0
    for file in (project / ".claude/agents/fastapi-backend-dev.md", project / "AGENTS.md"):
        file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert agent("uninstall", "project", project) == 0
    assert tree(project) == {}


def test_each_launch_is_a_command_line_that_exists() -> None:
    from fastapi_architect.mcp.serve import parser

    for launch in LAUNCHERS.values():
        args = launch.entry(".")["args"]
        assert isinstance(args, list)
        parser().parse_args(args[args.index("mcp") + 1 :])
    assert Launch("x", ("y",), ("--a",)).entry("z") == {
        "command": "x",
        "args": ["y", "mcp", "--root", "z", "--a"],
    }


@pytest.mark.parametrize("allowed", [(), ("writes",), ("tests",), ("writes", "tests")])
def test_the_server_may_do_what_was_allowed_and_no_more(project: Path, allowed: tuple[str, ...]) -> None:
    from fastapi_architect.mcp.serve import parser

    options = [f"--allow-{each}" for each in allowed]
    assert agent("install", "project", project, "--for", "claude", *options) == 0
    args = list(entry_of(project, "claude", "project")["args"])  # type: ignore[call-overload]
    given = parser().parse_args(args[1:])
    assert {name for name in ("writes", "tests") if getattr(given, f"allow_{name}")} == set(allowed)
