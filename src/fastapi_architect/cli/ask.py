"""`architect ask "..."`: a request in plain English, answered in six parts that are checked; without a model or with one."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from fastapi_architect.cli.arguments import ArgumentParser, given_path
from fastapi_architect.cli.errors import UsageError
from fastapi_architect.cli.output import write_output
from fastapi_architect.persona.answer import PARTS, Answer, render
from fastapi_architect.persona.hands import Hands
from fastapi_architect.persona.judged import Wrong
from fastapi_architect.persona.pending import Change, carry_out
from fastapi_architect.records.errors import RecordError
from fastapi_architect.records.place import prompts_folder
from fastapi_architect.records.prompt import PromptRecord, write
from fastapi_architect.report.wording import printable
from fastapi_architect.source.replace_files import CannotReplace
from fastapi_architect.workbench.errors import WorkbenchError
from fastapi_architect.workbench.workspace import Workspace

FORMATS = ("markdown", "json")
#: A promise was broken; the answer says which.
BROKEN = 1
_LONGEST = 4_000


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """What is told, whichever way the answer came.

    Attributes:
        request: as it was asked.
        model: its name, "" for none.
        kind: what the words were taken for; "" with a model.
        answer: the six parts, None where the model gave none.
        text: Markdown.
        wrong: promises that it breaks.
        changes: planned, none of them made.
        usage: tools, requests and tokens of a model.
    """

    request: str
    model: str
    kind: str
    answer: Answer | None
    text: str
    wrong: tuple[Wrong, ...]
    changes: tuple[Change, ...]
    usage: dict[str, Any]


def parser() -> argparse.ArgumentParser:
    """Options of the command."""
    made = ArgumentParser(
        prog="architect ask",
        description="Answer a request in plain English from the project: context, approach, implementation, validation, "
        "considerations, follow-ups. Every claim is checked against what the tools reported. Without --model or --base-url nothing "
        "leaves this machine, and everyday requests are understood by their words.",
        epilog='examples: architect ask "review my authentication middleware"; architect ask "my order listing is slow"; architect ask '
        '"add a registration endpoint with e-mail verification and rate limits". Exit codes: 0 answered and checked, 1 the answer breaks '
        "a promise (it says which), 2 usage, configuration, or the model did not answer, 3 a fault of the tool.",
    )
    made.add_argument(
        "request", nargs="+", metavar="REQUEST", help='in plain English; "-" reads it from standard input'
    )
    made.add_argument(
        "--path", type=given_path, default=Path(), metavar="DIR", help="folder of the project (default: here)"
    )
    made.add_argument(
        "--model",
        metavar="PROVIDER:NAME",
        help="ask this model, such as anthropic:NAME or openai:NAME (extra [ask])",
    )
    made.add_argument(
        "--base-url",
        metavar="URL",
        help="ask a server that speaks the OpenAI protocol, such as http://localhost:11434/v1",
    )
    made.add_argument(
        "--dry-run",
        action="store_true",
        help="print what the first request to the model would be, byte for byte, and send nothing",
    )
    made.add_argument("--format", choices=FORMATS, default="markdown", help="markdown (default) or json")
    made.add_argument(
        "--output", "-o", type=given_path, metavar="FILE", help="write to FILE instead of standard output"
    )
    made.add_argument("--yes", "-y", action="store_true", help="make the planned changes without asking")
    made.add_argument(
        "--allow-contract-change",
        action="store_true",
        help="with --yes: also changes after which clients see another interface",
    )
    made.add_argument(
        "--allow-schema-change", action="store_true", help="with --yes: also changes with migrations"
    )
    made.add_argument(
        "--allow-dirty", action="store_true", help="write although git has changes that are not committed"
    )
    made.add_argument(
        "--timeout", type=seconds, default=300.0, metavar="SECONDS", help="for all of it (default: 300)"
    )
    made.add_argument(
        "--max-tool-calls", type=whole_number, default=30, metavar="N", help="calls of tools (default: 30)"
    )
    made.add_argument(
        "--max-tokens",
        type=whole_number,
        default=400_000,
        metavar="N",
        help="of requests and answers together (default: 400000)",
    )
    return made


def run(arguments: list[str]) -> int:
    """Answer."""
    given = parser().parse_args(arguments)
    request = _request(given.request)
    if not given.path.is_dir():
        message = f"--path: {given.path} is no folder; name the folder of the project"
        raise UsageError(message)
    workspace = Workspace(given.path)
    try:
        if given.dry_run:
            return _dry_run(given, workspace, request)
        shown = (
            _asked(given, workspace, request)
            if given.model or given.base_url
            else _routed(workspace, request)
        )
        files = _changes(given, workspace, shown)
        _record(given, workspace, shown, files)
    except (WorkbenchError, CannotReplace) as error:
        raise UsageError(str(error)) from error
    return BROKEN if shown.wrong else 0


def _request(words: Sequence[str]) -> str:
    """The request.

    Raises:
        UsageError: it is empty, or longer than one is.
    """
    text = " ".join(words)
    if text == "-":
        text = sys.stdin.read(_LONGEST + 1)
    text = text.strip()
    if not text:
        message = (
            'the request is empty; ask in plain English: architect ask "review my authentication middleware"'
        )
        raise UsageError(message)
    if len(text) > _LONGEST:
        message = f"the request has more than {_LONGEST} characters; say what you want, and let the tools read the code"
        raise UsageError(message)
    return text


# ── answers ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _routed(workspace: Workspace, request: str) -> Shown:
    from fastapi_architect.persona.routing import reply

    found = reply(workspace, request)
    return Shown(
        request=request,
        model="",
        kind=found.understood.kind,
        answer=found.answer,
        text=render(found.answer),
        wrong=found.wrong,
        changes=found.changes,
        usage={},
    )


def _asked(given: argparse.Namespace, workspace: Workspace, request: str) -> Shown:
    from fastapi_architect.persona.asking import AskError, Limits, ask_model, client_for

    hands = Hands(workspace)
    limits = Limits(tool_calls=given.max_tool_calls, tokens=given.max_tokens, seconds=given.timeout)
    try:
        client = client_for(
            hands, model=given.model or "", address=given.base_url or "", seconds=given.timeout
        )
        asked = ask_model(workspace, request, _model(given, client), hands=hands, limits=limits)
    except AskError as error:
        raise UsageError(str(error)) from error
    return Shown(
        request=request,
        model=given.model or given.base_url,
        kind="",
        answer=asked.answer,
        text=render(asked.answer) if asked.answer is not None else asked.text,
        wrong=asked.wrong,
        changes=asked.changes,
        usage={"tools": list(asked.tools), "requests": asked.requests, "tokens": asked.tokens},
    )


def _model(given: argparse.Namespace, client: Any) -> Any:
    from fastapi_architect.persona.asking import model_at, model_named

    if not given.base_url:
        return model_named(given.model, client)
    if not given.model:
        message = "--base-url: name the model that the server has, too: --model NAME"
        raise UsageError(message)
    return model_at(given.base_url, given.model, client)


def _dry_run(given: argparse.Namespace, workspace: Workspace, request: str) -> int:
    """Print the first request's head to standard error and its body, as it would leave, to standard output."""
    if not (given.model or given.base_url):
        print("Without --model or --base-url nothing leaves this machine.", file=sys.stderr)
        return 0
    from fastapi_architect.persona.asking import AskError, Limits, ask_model, client_for
    from fastapi_architect.persona.wire import head

    hands = Hands(workspace)
    try:
        client = client_for(hands, model=given.model or "", address=given.base_url or "", dry=True)
        try:
            ask_model(workspace, request, _model(given, client), hands=hands, limits=Limits(requests=1))
        except AskError:
            if not client.requests:
                raise
    except AskError as error:
        raise UsageError(str(error)) from error
    first = client.requests[0]
    print(head(first), file=sys.stderr)
    sys.stdout.buffer.write(first.content)
    sys.stdout.flush()
    print("\n\nNothing was sent.", file=sys.stderr)
    return 0


# ── changes ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _changes(given: argparse.Namespace, workspace: Workspace, shown: Shown) -> list[str]:
    """Print the answer, then make those planned changes that are confirmed."""
    asks = sys.stdin.isatty() and sys.stdout.isatty() and given.format != "json" and given.output is None
    may = not shown.wrong and (given.yes or asks)
    if given.format != "json":
        _print(given, shown)
    files: list[str] = []
    made: list[Change] = []
    for change in shown.changes if may else ():
        lacking = _lacking(given, change) if given.yes else ()
        if lacking:
            print(f"Not done: {change.command}; it needs {' and '.join(lacking)}, too.", file=sys.stderr)
        elif given.yes or _agreed(change):
            files += carry_out(workspace, change, allow_dirty=given.allow_dirty)
            made.append(change)
            print(f"Done: {change.command}", file=sys.stderr)
    if given.format == "json":
        write_output(json.dumps(_document(shown, made), indent=2, ensure_ascii=False) + "\n", given.output)
    elif shown.changes and not may and not shown.wrong:
        for line in _offered(shown.changes):
            print(line, file=sys.stderr)
    return sorted(set(files))


def _lacking(given: argparse.Namespace, change: Change) -> tuple[str, ...]:
    allowed = {
        "--allow-contract-change": given.allow_contract_change,
        "--allow-schema-change": given.allow_schema_change,
    }
    return tuple(option for option in change.needs if not allowed[option])


def _agreed(change: Change) -> bool:
    note = " (changes the contract)" if change.breaking else ""
    note += " (changes the schema)" if change.schema else ""
    try:
        return input(f"Run `{printable(change.command)}`{note}? [y/N] ").strip().lower() in {"y", "yes"}
    except EOFError:
        return False


def _offered(changes: Sequence[Change]) -> Iterator[str]:
    yield "Nothing was changed. What was planned is made by --yes, or by:"
    for change in changes:
        options = f"  (with --yes: {' '.join(change.needs)})" if change.needs else ""
        yield f"  {printable(change.command)}{options}"


# ── output ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _print(given: argparse.Namespace, shown: Shown) -> None:
    text = _marked(shown)
    if given.output is None and sys.stdout.isatty():
        from rich.console import Console
        from rich.markdown import Markdown

        Console().print(Markdown(text))
        return
    write_output(text, given.output)


def _marked(shown: Shown) -> str:
    """The answer; what breaks a promise is marked as such before the first word of it."""
    text = printable(shown.text.rstrip("\n")) + "\n"
    if not shown.wrong:
        return text
    listed = "\n".join(f"> * {printable(' '.join(str(each).split()))}" for each in shown.wrong)
    return (
        f"> **NOT CHECKED.** This answer breaks {len(shown.wrong)} of the promises that every answer has to keep. Do not rely on it:\n"
        f">\n{listed}\n\n{text}"
    )


def _document(shown: Shown, made: Sequence[Change]) -> dict[str, Any]:
    parts = None
    if shown.answer is not None:
        parts = {name: getattr(shown.answer, name) for name in PARTS}
        parts["follow_ups"] = list(shown.answer.follow_ups)
    return {
        "request": shown.request,
        "model": shown.model or None,
        "understood": shown.kind or None,
        "checked": not shown.wrong,
        "wrong": [{"promise": w.promise, "what": w.what, "next_step": w.next_step} for w in shown.wrong],
        "answer": parts,
        "markdown": shown.text,
        "changes": [
            {"command": each.command, "needs": list(each.needs), "made": each in made}
            for each in shown.changes
        ],
        "usage": shown.usage or None,
    }


def _record(given: argparse.Namespace, workspace: Workspace, shown: Shown, files: Sequence[str]) -> None:
    """Write the prompt record where the project wants one; that it cannot be written costs nobody the answer."""
    with workspace.reading():
        settings = workspace.config(workspace.root).records
    if not settings.automatic:
        return
    done = [f"Answered: {shown.kind}."] if shown.kind else [f"Answered by {shown.model}."]
    if shown.wrong:
        done.append(f"The answer broke {len(shown.wrong)} promises and was marked so.")
    record = PromptRecord(
        asked=shown.request,
        at=datetime.now().astimezone(),
        command="ask",
        done=tuple(done),
        files=tuple(files),
    )
    try:
        folder = prompts_folder(given.path, settings.prompts)
        written = write(folder, record)
        print(f"Recorded in {folder.shown}/{written.name}.", file=sys.stderr)
    except RecordError as error:
        print(f"architect: no prompt record was written: {error}", file=sys.stderr)


def seconds(text: str) -> float:
    """A time span of at most a day."""
    value = float(text)
    if not 0 < value <= 24 * 3600:
        message = f"{text} is no number of seconds"
        raise argparse.ArgumentTypeError(message)
    return value


def whole_number(text: str) -> int:
    """A number from 1 on."""
    value = int(text)
    if value < 1:
        message = f"{text} is not at least 1"
        raise argparse.ArgumentTypeError(message)
    return value
