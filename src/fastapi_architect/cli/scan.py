"""`architect scan PATH --server URL`: the scanning service's verdict, for CI."""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from msgspec.structs import replace

from fastapi_architect.cli.arguments import ArgumentParser, given_path
from fastapi_architect.cli.errors import FAULT, UsageError
from fastapi_architect.cli.options import add_project_options, configuration
from fastapi_architect.cli.output import write_output
from fastapi_architect.cli.verdict import FORMATS, Outcome, render
from fastapi_architect.client.answers import Event, Gate, Project, Scan
from fastapi_architect.client.errors import ScanFailed, ServerFailed
from fastapi_architect.client.packing import Packed, packed
from fastapi_architect.client.results import compressed
from fastapi_architect.client.revision import Revision, revision_of
from fastapi_architect.client.secapi import SecApi, Submission, Upload, again, credentials
from fastapi_architect.client.transport import Transport, server_address
from fastapi_architect.client.waiting import ended
from fastapi_architect.report.wording import counted, printable
from fastapi_architect.review.changes import head
from fastapi_architect.source.tree import SourceTree, readable_size

GATE_FAILED = 1
_SERVER, _TOKEN, _ORGANISATION = "ARCHITECT_SERVER", "ARCHITECT_TOKEN", "ARCHITECT_ORGANISATION"
_MOST_TOKEN_BYTES = 8192


def parser() -> argparse.ArgumentParser:
    """Options of the command."""
    made = ArgumentParser(
        prog="architect scan",
        description="Send a backend to SecAPI, wait until it is scanned, and print the verdict of the gate. The same content of the "
        "same commit is scanned once, however often a CI job repeats this. With --sarif or --report no source is sent, but what a "
        "tool found in it.",
        epilog=f"The token is read from {_TOKEN} or --token-file, never from an argument, which other users of the machine could "
        "read. Exit codes: 0 the gate is passed, 1 it is not, 2 usage (also: the token is refused), 3 the server or the scan failed.",
    )
    add_project_options(made)
    made.add_argument(
        "--server",
        metavar="URL",
        help=f"where SecAPI answers, such as https://secapi.example.com (default: {_SERVER})",
    )
    made.add_argument(
        "--token-file", type=given_path, metavar="FILE", help=f"read the token from FILE (default: {_TOKEN})"
    )
    made.add_argument(
        "--project",
        metavar="NAME",
        help="name or identifier of the project, which is begun if there is none (default: the folder's name)",
    )
    made.add_argument(
        "--default-branch", metavar="NAME", default="main", help="of a project that is begun (default: main)"
    )
    made.add_argument(
        "--branch", metavar="NAME", help="branch that the findings belong to (default: what CI or git says)"
    )
    made.add_argument("--commit", metavar="ID", help="commit that is scanned (default: what CI or git says)")
    made.add_argument(
        "--organisation",
        metavar="ID",
        help=f"for which organisation, if the token's owner belongs to several (default: {_ORGANISATION})",
    )
    made.add_argument(
        "--priority",
        choices=("high", "normal", "low"),
        default="normal",
        help="what it overtakes (default: normal)",
    )
    made.add_argument(
        "--wait",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="wait for the verdict (default), or end once the scan is accepted",
    )
    made.add_argument(
        "--timeout", type=_seconds, default=1800.0, metavar="SECONDS", help="how long to wait (default: 1800)"
    )
    results = made.add_mutually_exclusive_group()
    results.add_argument(
        "--sarif",
        type=given_path,
        metavar="FILE",
        help="send what another tool found, in place of PATH: PATH says whose findings they are, and where its paths begin",
    )
    results.add_argument(
        "--report",
        type=given_path,
        metavar="FILE",
        help="send what `architect review --format json` wrote, in place of PATH",
    )
    made.add_argument(
        "--root",
        metavar="FOLDER",
        default="",
        help="with --sarif or --report: folder of the repository in which their paths begin (default: its top)",
    )
    made.add_argument("--again", action="store_true", help="scan also what was scanned before")
    made.add_argument("--format", choices=FORMATS, default="text", help="text (default), json or github")
    made.add_argument(
        "--output", "-o", type=given_path, metavar="FILE", help="write to FILE instead of standard output"
    )
    made.add_argument(
        "--findings",
        type=_findings,
        default=20,
        metavar="N",
        help="how many of the findings that close the gate to show, 1 to 100 (default: 20)",
    )
    made.add_argument(
        "--allow-http", action="store_true", help="let the token travel unencrypted to another machine"
    )
    return made


def run(arguments: list[str]) -> int:
    """Pack, submit, wait, and print the verdict."""
    given = parser().parse_args(arguments)
    if given.root and given.sarif is None and given.report is None:
        message = (
            "--root belongs to --sarif and --report; of source code name the folder itself, or its repository"
        )
        raise UsageError(message)
    token = _token(given.token_file)
    organisation = given.organisation or os.environ.get(_ORGANISATION) or None
    address = server_address(_server(given.server), allow_http=given.allow_http)
    transport = Transport(address, credentials(token, organisation))
    revision = _revision(given)
    try:
        with closing(SecApi(transport, token)) as server, _content(given) as content:
            outcome = _scanned(given, server, content, revision)
    except (ServerFailed, ScanFailed) as error:
        print(f"architect: {printable(str(error))}", file=sys.stderr)
        return FAULT
    write_output(render(outcome, given.format, _prefix(given.path)), given.output)
    return 0 if outcome.gate is None or outcome.gate.passed else GATE_FAILED


class _Content(NamedTuple):
    """What is submitted: what kind, the digest of it, how it is sent, and where SARIF's repository was."""

    kind: str
    digest: str
    upload: Upload
    checkout: str = ""


@contextmanager
def _content(given: argparse.Namespace) -> Iterator[_Content]:
    """Give what is submitted: the source, or what was found in it."""
    file = given.sarif or given.report
    if file is None:
        tree = SourceTree.open(given.path, configuration(given).exclude, ignored_settings=False)
        with packed(tree) as archive:
            _tell_packed(archive)
            yield _Content("archive", archive.digest, Upload(lambda: archive.file))
        return
    folder = given.path if given.path.is_dir() else given.path.parent
    with compressed(file) as results:
        _say(f"compressed {printable(str(file))}, {readable_size(results.size)}")
        upload = Upload(lambda: results.file, "results.json.gz", "application/gzip")
        if given.sarif is None:
            yield _Content("report", results.digest, upload)
        else:
            yield _Content("sarif", results.digest, upload, folder.resolve().as_uri())


def _scanned(given: argparse.Namespace, server: SecApi, content: _Content, revision: Revision) -> Outcome:
    """Submit what there is, and wait for the verdict where it is wanted."""
    project = _project(given, server)
    wanted = Submission(
        project,
        content.digest,
        revision.branch,
        revision.commit,
        given.priority,
        again() if given.again else "",
        content.kind,
        given.root.strip("/"),
        content.checkout,
    )
    scan, known = server.submit(wanted, content.upload)
    _say(
        f"scan {scan.id} {'is there already: the same content was submitted before' if known else 'is accepted'}"
    )
    where = server.address.geturl()
    if not given.wait:
        return Outcome(where, project, scan, None)
    scan, gate = _verdict(given, server, scan)
    if gate.scan_id != scan.id and known and revision.commit is None:
        # Without a commit the same content may be what the branch has again: its findings shall be those of now.
        scan, _ = server.submit(replace(wanted, again=gate.scan_id), content.upload)
        scan, gate = _verdict(given, server, scan)
    newer = gate.scan_id if gate.scan_id != scan.id else None
    if newer is not None and scan.gate is not None:
        said = scan.gate
        gate = Gate(
            said.passed, scan.branch, said.severity, said.counts, scan.id, said.compared_with, scan.score
        )
    return Outcome(where, project, scan, gate, newer)


def _verdict(given: argparse.Namespace, server: SecApi, scan: Scan) -> tuple[Scan, Gate]:
    """Wait for a scan, and return it with the verdict on its branch.

    Raises:
        ScanFailed: it came to no result.
    """
    scan = ended(server, scan, given.timeout, _tell)
    if scan.state != "done":
        raise ScanFailed(_why(scan))
    return scan, server.gate(scan.project_id, scan.branch, given.findings)


def _project(given: argparse.Namespace, server: SecApi) -> Project:
    """The project that is named, begun if there is none."""
    folder = given.path.resolve()
    name = given.project if given.project is not None else (folder if folder.is_dir() else folder.parent).name
    name = " ".join(name.split())
    if not name or len(name) > 100 or printable(name) != name:
        message = f"{printable(name)!r} cannot be the name of a project; name one of at most 100 characters with --project"
        raise UsageError(message)
    project, begun = server.project(name, given.default_branch)
    if begun:
        _say(f"began the project {project.name}, whose default branch is {project.default_branch}")
    return project


def _revision(given: argparse.Namespace) -> Revision:
    """Which branch and commit is scanned.

    Raises:
        UsageError: a repository has no branch checked out, and nobody says which it is: taken for the project's default
            branch, its findings would replace those.
    """
    found = revision_of(given.path, os.environ)
    revision = Revision(given.branch or found.branch, given.commit or found.commit)
    if revision.branch is None and head(given.path).is_repository:
        message = "git has no branch checked out here, so whose findings these are is not known; name the branch with --branch"
        raise UsageError(message)
    return revision


def _server(given: str | None) -> str:
    address = given or os.environ.get(_SERVER, "")
    if not address:
        message = f"which server? Name it with --server or in {_SERVER}, such as https://secapi.example.com"
        raise UsageError(message)
    return address


def _token(file: Path | None) -> str:
    """The token, from a file or from the environment."""
    if file is None:
        token = os.environ.get(_TOKEN, "")
        if not token.strip():
            message = f"no token: make an API key on the server (POST /api/v1/api-keys), and give it in {_TOKEN} or --token-file"
            raise UsageError(message)
        return token
    try:
        with file.open("rb") as opened:
            return opened.read(_MOST_TOKEN_BYTES).decode("ascii")
    except OSError as error:
        message = f"{file} cannot be read: {(error.strerror or str(error)).lower()}; name the file that holds the token"
        raise UsageError(message) from error
    except UnicodeDecodeError as error:
        message = f"{file} holds no token; name the file whose only content is the API key"
        raise UsageError(message) from error


def _prefix(path: Path) -> str:
    """The folder as the repository names it, where it is one below the working directory."""
    folder = path if path.is_dir() else path.parent
    if folder.is_absolute() or ".." in folder.parts:
        return ""
    return "" if folder == Path() else folder.as_posix()


def _why(scan: Scan) -> str:
    """Why there is no verdict, and what to do."""
    said = f": {scan.error}" if scan.error else ""
    code = f" ({scan.error_code})" if scan.error_code else ""
    following = {
        "failed": "change what it names, or leave it out with --exclude or from the tool's run",
        "dead": "let an operator look into it; run the same command again to try it once more",
        "cancelled": "somebody cancelled it; run the same command again for another",
    }.get(scan.state, "look at it on the server")
    return f"the scan {scan.id} is {scan.state}{code}{said.rstrip('.')}; {following}"


def _tell_packed(archive: Packed) -> None:
    _say(f"packed {counted(archive.files, 'file')}, {readable_size(archive.size)}")
    for each in archive.left_out[:10]:
        _say(f"left out {printable(each.path)}: {each.reason}")
    if len(archive.left_out) > 10:
        _say(f"left out {len(archive.left_out) - 10} more")


def _tell(event: Event) -> None:
    """Say what happened to the scan. The server repeats names out of the archive: they are no more than text."""
    details = event.details
    root = printable(str(details.get("root") or "."))
    lines = {
        "started": f"a worker has it (attempt {details.get('attempt', 1)})",
        "unpacked": f"unpacked: {counted(len(details.get('roots') or ()), 'application root')}",
        "root": f"{root}: {printable(str(details.get('stage', '')))} {details.get('done', '')}/{details.get('of', '')}",
        "root-done": f"{root}: reviewed",
        "imported": f"read {counted(int(details.get('findings') or 0), 'finding')} of {_sources(details)}",
        "retrying": "the attempt failed; another follows",
        "finished": f"finished: {printable(str(details.get('state', '')))}",
    }
    if event.kind == "root" and not sys.stderr.isatty():
        return  # a log needs no such detail
    _say(lines.get(event.kind, printable(event.kind)))


def _sources(details: dict[str, Any]) -> str:
    """Who found something, as the server says it."""
    return printable(", ".join(str(each) for each in details.get("sources") or ()))


def _say(text: str) -> None:
    print(f"architect: {text}", file=sys.stderr, flush=True)


def _seconds(text: str) -> float:
    """A time to wait."""
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not 1 <= found <= 86_400:
        message = f"{text!r} is no number of seconds from 1 to 86400"
        raise argparse.ArgumentTypeError(message)
    return found


def _findings(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 100:
        message = f"{text!r} is no number from 1 to 100"
        raise argparse.ArgumentTypeError(message)
    return int(text)
