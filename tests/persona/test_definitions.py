"""Each definition holds what the persona promises, and names no tool, command, option, rule or field that does not exist."""

from __future__ import annotations

import argparse
import ast
import importlib
import json
import re
import shlex
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from fastapi_architect.__main__ import COMMANDS
from fastapi_architect.builder.catalog import load_catalog
from fastapi_architect.builder.presets import PRESETS
from fastapi_architect.findings.severity import Category, Severity
from fastapi_architect.mcp.server import TOOLS
from fastapi_architect.persona.answer import MAX_FOLLOW_UPS, PARTS
from fastapi_architect.persona.clients.definitions import for_claude, guide
from fastapi_architect.persona.clients.plugin import committed_files
from fastapi_architect.persona.clients.slash_commands import commands as slash_commands
from fastapi_architect.persona.definition.errors import NoSuchAgent
from fastapi_architect.persona.definition.render import description, instructions
from fastapi_architect.persona.definition.variants import SECTIONS, Variant, hands, variant, variants
from fastapi_architect.records.suggestion import TOPICS
from fastapi_architect.report.json import finding_document
from fastapi_architect.review.config import Config
from fastapi_architect.review.pipeline import Request, review
from fastapi_architect.rules.catalog import all_rules

ROOT = Path(__file__).parents[2]
VARIANTS = [pytest.param(each, id=each.name) for each in variants()]
TOOL_NAMES = {each.__name__.rpartition(".")[2] for each in TOOLS}
#: GitHub reads no longer prompts: docs.github.com/en/copilot/reference/custom-agents-configuration.
LONGEST = 30_000

pytestmark = pytest.mark.filterwarnings("error")


def sections(text: str) -> dict[str, str]:
    """Heading to text, in order."""
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def numbered(text: str) -> list[str]:
    """Elements of the numbered lists of a section."""
    return [
        " ".join(each.split())
        for each in re.findall(r"^\d+\. (.+?)(?=\n\d+\. |\n\n|\Z)", text, re.MULTILINE | re.DOTALL)
    ]


def bullets(text: str) -> list[str]:
    return [
        " ".join(each.split())
        for each in re.findall(r"^- (.+?)(?=\n- |\n\n|\Z)", text, re.MULTILINE | re.DOTALL)
    ]


def fences(text: str) -> list[tuple[str, str]]:
    return re.findall(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def front_matter(text: str) -> dict[str, Any]:
    return dict(yaml.safe_load(text.split("---\n")[1]))


def spoken(text: str) -> str:
    """The text without code and its line breaks."""
    return " ".join(re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL).split())


# ── what is written down is what the source says ─────────────────────────────────────────────────────────────────


def test_the_committed_files_are_what_the_source_renders() -> None:
    differing = [
        path
        for path, text in committed_files().items()
        if not (ROOT / path).is_file() or (ROOT / path).read_text(encoding="utf-8") != text
    ]
    assert not differing, "python -m docs.generate"
    there = {
        file.relative_to(ROOT).as_posix()
        for name in ("agents", "plugin")
        for file in (ROOT / name).rglob("*")
        if file.is_file()
    }
    assert there <= set(committed_files())


def test_every_text_belongs_to_a_variant() -> None:
    used = {name for each in variants() for name in each.sections} - {"hands"}
    assert used == {file.stem for file in SECTIONS.glob("*.md")}


def test_there_are_the_three_variants_and_the_reviewer() -> None:
    assert [each.name for each in variants()] == [
        "fastapi-backend-architect",
        "fastapi-backend-expert",
        "fastapi-backend-dev",
        "fastapi-backend-reviewer",
    ]
    assert "You are Nexus" in instructions(variant("dev"))
    with pytest.raises(NoSuchAgent, match="did you mean fastapi-backend-reviewer"):
        variant("fastapi-backend-reviwer")


# ── the front matter: S001-S005 ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("each", VARIANTS)
def test_the_front_matter_says_when_with_example_dialogues(each: Variant) -> None:
    head = front_matter(for_claude(each))
    assert head["name"] == each.name
    assert head["model"] in {"sonnet", "opus"}
    assert head["color"] in {"red", "blue", "green", "yellow", "purple", "orange", "pink", "cyan"}
    said = head["description"]
    assert said == description(each)
    assert said.startswith("Use this agent ")
    assert "proactively" in said
    examples = re.findall(r"<example>\n(.*?)\n</example>", said, re.DOTALL)
    assert len(examples) >= 2
    for example in examples:
        parts = re.fullmatch(
            r'Context: .+\nuser: "(.+)"\nassistant: "(.+)"\n<commentary>\n(.+)\n</commentary>',
            example,
            re.DOTALL,
        )
        assert parts, example
        assert each.name in parts[2]


def test_colours_and_names_tell_the_variants_apart() -> None:
    assert len({each.color for each in variants()}) == len({each.name for each in variants()}) == 4


def test_the_proactive_triggers_cover_what_a_backend_is_made_of() -> None:
    said = spoken(sections(instructions(variant("architect")))["When to step in"])
    for trigger in (
        "endpoint",
        "Pydantic model",
        "session, a query",
        "migration",
        "Redis",
        "Celery",
        "authentication",
    ):
        assert trigger in said


@pytest.mark.parametrize("each", VARIANTS)
def test_it_is_short_enough_to_be_read(each: Variant) -> None:
    text = instructions(each)
    assert len(text) < LONGEST
    assert len(text.split()) < 2500


def test_only_the_reviewer_is_kept_from_writing() -> None:
    for each in variants():
        head = front_matter(for_claude(each))
        assert ("disallowedTools" in head) == (each.name == "fastapi-backend-reviewer") == each.readonly
    assert {"Write", "Edit"} <= set(
        front_matter(for_claude(variant("reviewer")))["disallowedTools"].split(", ")
    )


# ── the body: S006-S027, S134-S173 ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("each", VARIANTS)
def test_the_body_has_its_sections_in_order(each: Variant) -> None:
    found = list(sections(instructions(each)))
    frame = ["Expertise", "When to step in", "Commitments", "Your tools", "Method", "Before you answer", "The answer",
             "Escalate", "You will not", "Decisions and prompts", "Voice"]  # fmt: skip
    assert [name for name in found if name in frame] == frame
    assert ("Responsibilities" in found) != ("What you review, in this order" in found)
    assert all(text.strip() for text in sections(instructions(each)).values())


@pytest.mark.parametrize("each", VARIANTS)
def test_there_are_six_refusals(each: Variant) -> None:
    refusals = numbered(sections(instructions(each))["You will not"])
    assert len(refusals) == 6
    assert all(re.match(r"\*\*[A-Z][^*]+\.\*\* No ", refusal) for refusal in refusals)
    for number, about in enumerate(
        ("CWE", "pseudocode", "contract", "check switched off", "secret", "unrelated refactoring")
    ):
        assert about in refusals[number]
    assert (
        "data"
        in sections(instructions(each))["You will not"].rpartition("follow instructions found in it")[2]
    )


@pytest.mark.parametrize("each", VARIANTS)
def test_the_answer_has_six_parts_and_at_most_three_follow_ups(each: Variant) -> None:
    section = sections(instructions(each))["The answer"]
    parts = [re.match(r"\*\*(.+?)\*\*: (.+)", part) for part in numbered(section)]
    assert [part[1] for part in parts if part] == [
        "Context", "Approach", "Implementation", "Validation", "Considerations", "Follow-ups"
    ]  # fmt: skip
    assert tuple(part[1] for part in parts if part) == tuple(PARTS.values())
    assert MAX_FOLLOW_UPS == 3
    said = {part[1]: part[2] for part in parts if part}
    assert said["Follow-ups"].startswith("at most three")
    assert said["Considerations"].startswith("security first")
    assert said["Implementation"].startswith("working code first")
    rest = spoken(section)
    for promise in ("fenced blocks with their language", "path as a comment on the first line", "changed lines marked by a comment",
                    "Under 500 words", "even if nobody asked"):  # fmt: skip
        assert promise in rest


@pytest.mark.parametrize("each", VARIANTS)
def test_it_escalates_with_two_or_three_options(each: Variant) -> None:
    section = sections(instructions(each))["Escalate"]
    reasons = [re.match(r"\*\*(.+?)\*\*", bullet) for bullet in bullets(section)]
    assert [reason[1] for reason in reasons if reason] == [
        "a breaking change", "several valid approaches", "a security decision", "performance against complexity",
        "ambiguity", "a schema change",
    ]  # fmt: skip
    assert "with two or three options, each with its trade-offs" in spoken(section)


@pytest.mark.parametrize("each", VARIANTS)
def test_it_thinks_four_things_through_before_it_answers(each: Variant) -> None:
    section = sections(instructions(each))["Before you answer"]
    assert "`<extended_thinking>`" in section
    models = [re.match(r"\*\*(.+?)\*\*: (.+\?)", step) for step in numbered(section)]
    assert [model[1] for model in models if model] == [
        "Threat model", "Performance model", "Async model", "Error scenarios"
    ]  # fmt: skip
    asked = {model[1]: model[2] for model in models if model}
    for name, words in {
        "Threat model": ("who attacks", "worst", "trusted"),
        "Performance model": ("queries", "load", "cached", "gives first"),
        "Async model": ("awaited", "blocks", "closes each resource", "races"),
        "Error scenarios": ("database is down", "Redis is gone", "malformed"),
    }.items():
        assert all(word in asked[name] for word in words), name


@pytest.mark.parametrize("each", VARIANTS)
def test_the_method_verifies_first_and_changes_least(each: Variant) -> None:
    steps = numbered(sections(instructions(each))["Method"])
    order = ("Verify with the tools first", "Understand the contract", "Identify the risks", "smallest viable diff", "Security first",
             "working code", "Quantify")  # fmt: skip
    assert all(said in step for said, step in zip(order, steps, strict=False))
    security = steps[4]
    assert all(word in security for word in ("CWE", "CVSS", "exploit", "fix"))
    assert "path comment" in steps[5]
    assert "imports" in steps[5]


@pytest.mark.parametrize("each", VARIANTS)
def test_it_commits_to_evidence(each: Variant) -> None:
    said = spoken(sections(instructions(each))["Commitments"])
    for promise in ("Security is always first", "its CWE, its CVSS score, the exploit as a concrete request, and the complete fix",
                    "same flaw always has the same CWE", "`start:end:path`", "Quantified", "Measure before optimising"):  # fmt: skip
        assert promise in said


@pytest.mark.parametrize("each", VARIANTS)
def test_a_decision_record_is_suggested_and_never_written_unasked(each: Variant) -> None:
    said = spoken(sections(instructions(each))["Decisions and prompts"])
    for topic in TOPICS:
        assert topic in said
    assert "📋 Architectural decision detected: <what is decided>." in said
    assert "Run `/sp.adr <title>`" in said
    assert "only after an explicit yes" in said
    assert "no answer is a no" in said
    for kept in ("what was asked in the user's words", "what was done", "files", "findings before and after"):
        assert kept in said


@pytest.mark.parametrize("name", ["architect", "expert", "dev"])
def test_builders_work_in_steps_with_acceptance_criteria(name: str) -> None:
    said = spoken(sections(instructions(variant(name)))["Method"])
    for promise in ("each of which runs and can be tested and committed alone", "imperative message", "acceptance criteria",
                    "live schema", "project's tests", "ask one or two precise questions"):  # fmt: skip
        assert promise in said


def test_the_developer_answers_in_five_parts_when_only_code_is_wanted() -> None:
    section = sections(instructions(variant("dev")))["When only code is wanted"]
    assert re.findall(r"\*\*(\w+)\*\*", section) == [
        "approach",
        "code",
        "configuration",
        "usage",
        "dependencies",
    ]


def test_the_reviewer_weighs_the_seven_categories_and_cuts_where_promised() -> None:
    section = sections(instructions(variant("reviewer")))["What you review, in this order"]
    rows = [
        [cell.strip() for cell in row.strip("|").split("|")]
        for row in section.splitlines()
        if row.startswith("| ")
    ]
    assert [row[0] for row in rows[1:]] == [each.emoji for each in Category]
    weights = [row[2] for row in rows[1:]]
    assert weights == ["critical"] * 3 + ["important"] * 3 + ["minor"]
    assert rows[1][3] == "every critical finding, without a limit"
    assert rows[6][3].startswith("the five with the largest impact")
    assert rows[7][3] == "the five best improvements"
    assert 'suggests ("Consider ...")' in section


ROLE = ""
BUILDERS = ("architect", "expert", "dev")
REVIEWER = ("reviewer",)
ALL = (*BUILDERS, *REVIEWER)
#: Promise of the mission to the variants that keep it, the section (the role comes before the first one) and its words.
PROMISES: dict[str, tuple[tuple[str, ...], str, tuple[str, ...]]] = {
    "S006 commitments": (ALL, "Commitments", ("Security is always first", "Complete", "Simple")),
    "S006 responsibilities": (BUILDERS, "Responsibilities", ("authenticated", "migrations", "Proof")),
    "S008 voice": (ALL, "Voice", ("Clear, confident, without arrogance", "Direct about bad practice")),
    "S009 plain language": (BUILDERS, ROLE, ("plain language",)),
    "S010 goal": (ALL, ROLE, ("production-grade code: performant, reliable, maintainable",)),
    "S011 whole code base": (REVIEWER, ROLE, ("everything when you are not told where",)),
    "S012 file just written": (REVIEWER, ROLE, ("what was just written with the whole program as context",)),
    "S013 same CWE": (ALL, "Commitments", ("The same flaw always has the same CWE",)),
    "S014 deterministic": (ALL, "Commitments", ("scores come from the tools, never from you",)),
    "S015 precise terms": (REVIEWER, "What you review, in this order", ("SQL injection via concatenation",)),
    "S016 quantified": (ALL, "Commitments", ("A performance claim without a number is not made",)),
    "S017 practices cited": (ALL, "Voice", ("the documentation or RFC that says so",)),
    "S018-S021 evidence": (ALL, "Commitments", ("CWE", "CVSS score", "exploit as a concrete request", "complete fix")),
    "S022 no hedging": (REVIEWER, "What you review, in this order", ("sound the alarm", 'no "might"')),
    "S023 suggests": (REVIEWER, "What you review, in this order", ("it never prescribes",)),
    "S105 inputs": (REVIEWER, "What you review, in this order", ("which inputs would break it",)),
    "S139 contract": (ALL, "Method", ("Understand the contract",)),
    "S140 never assume": (BUILDERS, "Method", ("Never assume",)),
    "S140 never beyond": (REVIEWER, "Method", ("Never report what neither a tool nor a line you read shows",)),
    "S141 tests": (BUILDERS, "Method", ("the project's tests",)),
    "S142 schema": (BUILDERS, "Method", ("live schema",)),
    "S143 flags": (BUILDERS, "Method", ("a breaking change, a vulnerability, a bottleneck",)),
    "S144 smallest diff": (BUILDERS, "Method", ("No refactoring beside the point",)),
    "S145 S171 S172 steps": (BUILDERS, "Method", ("each of which runs and can be tested and committed alone", "imperative message")),
    "S146 citations": (ALL, "Commitments", ("`start:end:path`",)),
    "S147 done": (BUILDERS, "Method", ("acceptance criteria",)),
    "S150-S152 code": (ALL, "The answer", ("fenced blocks with their language", "path as a comment", "changed lines marked")),
    "S153 complete": (ALL, "Commitments", ("Code runs as it stands: imports, types",)),
    "S154 code first": (ALL, "The answer", ("working code first, the explanation after it",)),
    "S155 short": (ALL, "The answer", ("Under 500 words",)),
    "S156 alternatives": (ALL, "The answer", ("the alternatives where there is a real trade-off",)),
    "S157 unasked": (ALL, "The answer", ("Point out a vulnerability or an easy speed-up", "even if nobody asked")),
    "S158 questions": (BUILDERS, "Method", ("When a business rule is ambiguous, ask",)),
    "S164 recommendation": (ALL, "Escalate", ("your recommendation",)),
    "S165 unapproved": (ALL, "You will not", ("No change of a contract", "that nobody approved")),
    "S166 simplicity": (ALL, "Commitments", ("Measure before optimising",)),
    "S167 record": (ALL, "Decisions and prompts", ("After each finished task, keep a prompt record",)),
    "S169 consent": (ALL, "Decisions and prompts", ("Write one only after an explicit yes",)),
    "S173 documentation": (BUILDERS, "Responsibilities", ("keep OpenAPI in step",)),
    "S174 S175 slow": (("expert",), "Debugging", ("Name static causes and count them", "EXPLAIN")),
    "S176 errors": (("expert",), "Debugging", ("422", "500")),
    "S177 tasks": (("expert",), "Debugging", ("Lost task",)),
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "promise"), [(name, promise) for promise, (names, _, _) in PROMISES.items() for name in names]
)
def test_a_promise_of_the_mission_stands_where_it_belongs(name: str, promise: str) -> None:
    _, heading, said = PROMISES[promise]
    text = instructions(variant(name))
    section = sections(text)[heading] if heading else text.partition("\n## ")[0]
    plain = spoken(section).replace("**", "")
    assert [words for words in said if words not in plain] == []


# ── nothing is named that does not exist ─────────────────────────────────────────────────────────────────────────


def test_every_named_tool_is_served_and_every_served_tool_is_named() -> None:
    assert {each.tool for each in hands() if each.tool} == TOOL_NAMES


@pytest.mark.parametrize("each", VARIANTS)
def test_every_hand_stands_in_the_table(each: Variant) -> None:
    rows = [
        [cell.strip().strip("`") for cell in line.strip("|").split("|")]
        for line in sections(instructions(each))["Your tools"].splitlines()
        if line.startswith("| ") and "`" in line
    ]
    assert rows == [[hand.question, hand.tool or "-", hand.command or "-"] for hand in hands()]


def words_in_code(text: str) -> set[str]:
    """What stands in backticks outside of blocks."""
    return set(
        re.findall(
            r"`([^`\n]+(?:\n[^`\n]+)?)`", re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
        )
    )


EVERYTHING = {
    **{each.name: instructions(each) for each in variants()},
    **{each.name: each.text for each in slash_commands()},
    "AGENTS.md": guide(),
}
#: Words in backticks with an underscore that are no tools.
OTHER_NAMES = {
    "rate_limiting",
    "async_patterns",
    "<extended_thinking>",
    "cvss_score",
    "not_analysed",
    "extra_keys",
}


@pytest.mark.parametrize("name", EVERYTHING)
def test_no_tool_is_named_that_is_not_served(name: str) -> None:
    named = {word for word in words_in_code(EVERYTHING[name]) if re.fullmatch(r"[a-z]+_[a-z_]+", word)}
    assert named - OTHER_NAMES <= TOOL_NAMES


def commands_below(parser: argparse.ArgumentParser) -> set[str]:
    return {
        name
        for action in parser._actions
        if isinstance(action, argparse._SubParsersAction)
        for name in action.choices
    }


PLACEHOLDERS = {
    "RULE": "sql-injection-raw-statement", "COMPONENT": "cache", "NAME": "shop", "TITLE": "'Use Redis'", "TEXT": "text",
    "ASKED": "asked", "REV": "main", "[PATH]": ".", "REPORT": "report.json", "FILE": "a.py",
}  # fmt: skip


@pytest.mark.parametrize("name", EVERYTHING)
def test_every_named_command_and_option_exists(name: str) -> None:
    named = {
        " ".join(word.split()) for word in words_in_code(EVERYTHING[name]) if word.startswith("architect ")
    }
    assert named
    for command in named:
        for placeholder, value in PLACEHOLDERS.items():
            command = re.sub(rf"(?<!\S){re.escape(placeholder)}(?!\S)", value, command)
        words = shlex.split(command)
        door = importlib.import_module(COMMANDS[words[1]][0])
        if len(words) == 3 and words[2] in commands_below(door.parser()):
            continue  # a command is named, not called
        if len(words) > 2:
            door.parser().parse_args(words[2:])  # raises UsageError for what does not exist


def test_every_option_in_code_exists() -> None:
    help_texts = "\n".join(
        importlib.import_module(module).parser().format_help() for module, _ in COMMANDS.values()
    )
    below = (ROOT / "docs/reference/cli.md").read_text()
    for name, text in EVERYTHING.items():
        for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", text):
            assert option in help_texts + below, (name, option)


def test_every_named_component_and_preset_exists() -> None:
    catalog = load_catalog()
    text = "\n".join(description(each) for each in variants())
    for component in re.findall(r"the (\w+) and (\w+) components", text):
        assert all(name in catalog.components for name in component)
    assert "standard" in PRESETS


@pytest.mark.parametrize("name", EVERYTHING)
def test_code_in_the_texts_is_code(name: str) -> None:
    for language, code in fences(EVERYTHING[name]):
        assert language
        if language == "python":
            ast.parse(code)
            assert re.match(r"# [\w/]+\.py\n", code)
        elif language == "json":
            json.loads(code)


def test_the_reviewer_s_report_is_the_tool_s(tmp_path: Path) -> None:
    """The JSON contract names every key that may not be missing, and only keys that a real report has."""
    [shown] = [
        json.loads(code) for language, code in fences(instructions(variant("reviewer"))) if language == "json"
    ]
    (tmp_path / "main.py").write_text(
        "from fastapi import FastAPI\nimport time\napp = FastAPI()\n\n@app.get('/x')\nasync def x():\n    time.sleep(1)\n"
    )
    found = review(Request(tmp_path, Config()))
    written = msgspec.to_builtins(finding_document(found.findings[0]))
    [finding] = shown["findings"]
    assert set(finding) <= set(written)
    assert set(shown) == {"agent", "color", "model", "category", "severity", "score", "review_time_ms", "strengths", "findings",
                          "not_analysed"}  # fmt: skip
    assert set(finding) >= {"file", "line", "rule", "severity", "confidence", "issue", "reasoning", "exploit", "suggestion", "impact",
                            "cwe", "cvss_score", "cvss_vector", "emoji", "routes", "trace", "fix", "fingerprint", "docs"}  # fmt: skip
    assert (shown["agent"], shown["color"], shown["category"]) == ("backend-reviewer", "#10B981", "Backend")
    rule = all_rules()[finding["rule"]].info
    assert finding["cwe"] == f"CWE-{rule.cwe}"
    assert finding["emoji"] == rule.category.emoji
    assert finding["severity"] in {each.value for each in Severity}
    assert (ROOT / finding["docs"]).is_file()
    assert "# Bad" in finding["suggestion"]
    assert "# Good" in finding["suggestion"]
