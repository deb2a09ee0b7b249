"""A variant as the texts that clients read: its instructions, and when to call it."""

from __future__ import annotations

from fastapi_architect.persona.definition.variants import SECTIONS, SERVER, Variant, hands


def instructions(variant: Variant) -> str:
    """What the agent is told about itself: Markdown that begins with its name."""
    parts = [_hands() if name == "hands" else _section(name) for name in variant.sections]
    return "\n\n".join([f"# {variant.title}", *parts]) + "\n"


def description(variant: Variant) -> str:
    """When to call the agent, with examples, for whoever decides that."""
    return "\n\n".join([variant.use, *(_example(variant, number) for number in range(len(variant.example)))])


def _section(name: str) -> str:
    return (SECTIONS / f"{name}.md").read_text(encoding="utf-8").strip()


def _example(variant: Variant, number: int) -> str:
    each = variant.example[number]
    return (
        f'<example>\nContext: {each.context}\nuser: "{each.user}"\nassistant: "{each.assistant}"\n'
        f"<commentary>\n{each.commentary}\n</commentary>\n</example>"
    )


def _hands() -> str:
    rows = [f"| {each.question} | {_code(each.tool)} | {_code(each.command)} |" for each in hands()]
    return "\n".join(
        [
            "## Your tools",
            "",
            f"The MCP server `{SERVER}` where the client has it, else the command line. Both give the same answers; the reviewed code is",
            "read, never run or imported. Answers come in pages: ask for the `next` one until there is none. Show a plan or a patch before",
            "you write; `add_component` takes the `plan` that the user has seen. The server refuses to write and to run tests unless its",
            "user allowed that (`--allow-writes`, `--allow-tests`): say which one is missing, or use the command after a yes.",
            "",
            "| question | MCP tool | command |",
            "|---|---|---|",
            *rows,
        ]
    )


def _code(text: str) -> str:
    return f"`{text}`" if text else "-"
