"""What this client asks of SecAPI, as a caller with a token sees it."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Callable
from typing import IO, Any, TypeVar
from urllib.parse import SplitResult

import msgspec

from fastapi_architect import __version__
from fastapi_architect.client.answers import Event, Gate, Project, Projects, Scan
from fastapi_architect.client.errors import ScanRefused, ServerFailed
from fastapi_architect.client.transport import Answer, Problem, Transport

_API = "/api/v1"
_TOKEN = re.compile(r"[\x21-\x7e]{8,4096}")
_ACCESS_TOKEN = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+")
#: Submissions of the same content that came to nothing and are followed by another.
_MOST_AGAIN = 20
_T = TypeVar("_T")


class Submission(msgspec.Struct, frozen=True):
    """What shall be scanned.

    Attributes:
        project: of the server.
        digest: of the content.
        branch: its name; None: the project's default one.
        commit: its identifier, where one is known.
        priority: high, normal or low.
        again: scan the content even if it was scanned before; otherwise "".
        kind: archive, sarif or report.
        root: of results: the folder of the repository in which their paths begin; "" for its top.
        checkout: of SARIF: where the repository was when the tool ran.
    """

    project: Project
    digest: str
    branch: str | None
    commit: str | None
    priority: str
    again: str = ""
    kind: str = "archive"
    root: str = ""
    checkout: str = ""


class Upload(msgspec.Struct, frozen=True):
    """How a file is sent.

    Attributes:
        open: gives the file.
        name: with the ending of its kind.
        media_type: of the kind.
    """

    open: Callable[[], IO[bytes]]
    name: str = "tree.zip"
    media_type: str = "application/zip"


def credentials(token: str, organisation: str | None) -> dict[str, str]:
    """Return the headers that say who is asking.

    Args:
        token: an API key, or the access token of a login.
        organisation: for which one, if the caller belongs to several.

    Raises:
        ScanRefused: it cannot be a token.
    """
    token = token.strip()
    if not _TOKEN.fullmatch(token):
        raise ScanRefused(
            "the token is no API key: printable characters alone, eight or more; did its variable or file stay empty?"
        )
    headers = {"Authorization": f"Bearer {token}"} if _ACCESS_TOKEN.fullmatch(token) else {"X-API-Key": token}
    return headers if organisation is None else headers | {"X-Organisation-ID": organisation}


class SecApi:
    """One server, for one caller.

    Args:
        transport: to the server.
        token: of the caller: what is submitted under it is known again, what somebody else submits is not.
    """

    def __init__(self, transport: Transport, token: str) -> None:
        self._transport = transport
        self._secret = hashlib.sha256(token.strip().encode()).hexdigest()

    @property
    def address(self) -> SplitResult:
        """Where the server answers."""
        return self._transport.address

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()

    def project(self, name: str, default_branch: str) -> tuple[Project, bool]:
        """Return a project, begun if there is none of this name, and whether it was begun.

        Args:
            name: of the project, or its identifier.
            default_branch: of a project that is begun.

        Raises:
            ScanRefused: the caller may not read projects, or not begin one.
            ServerFailed: the server cannot be asked.
        """
        if _is_identifier(name):
            answer = self._call("GET", f"/projects/{name}", "read the project", allowed=(404,))
            if answer.status == 404:
                raise ScanRefused(f"there is no project {name} in your organisation; name one that is there")
            return self._read(answer, Project), False
        found = self._find(name)
        if found is not None:
            return found, False
        body = {"name": name, "default_branch": default_branch}
        answer = self._call(
            "POST", "/projects", f"begin the project {name!r}", document=body, allowed=(403, 409)
        )
        if answer.status == 403:
            raise ScanRefused(
                f"there is no project {name!r}, and this token may not begin one: let a maintainer begin it, give the token the "
                "scope projects:write, or name another with --project"
            )
        if answer.status == 409:
            # Another job was faster, or this very request got there the first time.
            found = self._find(name)
            if found is None:
                raise ServerFailed(
                    f"the project {name!r} is there and is not shown: {Problem.of(answer).sentence()}"
                )
            return found, False
        return self._read(answer, Project), True

    def submit(self, wanted: Submission, file: Upload) -> tuple[Scan, bool]:
        """Submit content once: whoever submits the same again gets the scan that there is, unless it came to nothing.

        Args:
            wanted: what shall be scanned.
            file: is sent only if the server has not scanned it.

        Returns:
            The scan, and whether it was there before.

        Raises:
            ScanRefused: the caller may not, or the archive is refused.
            ServerFailed: the server cannot be asked.
        """
        former = wanted.again
        for _ in range(_MOST_AGAIN):
            scan, replayed = self._submit(wanted, former, file)
            if not replayed:
                return scan, False
            scan = self.scan(scan.id)
            if scan.state == "dead":
                return self._retry(scan), True
            if scan.state not in ("failed", "cancelled"):
                return scan, True
            former = scan.id
        message = f"the same content came to nothing {_MOST_AGAIN} times within a day; look at the scan {former} on the server"
        raise ScanRefused(message)

    def scan(self, scan_id: str) -> Scan:
        """Return a scan as it stands."""
        return self._read(self._call("GET", f"/scans/{scan_id}", "read the scan"), Scan)

    def events(self, scan_id: str, after: int) -> list[Event]:
        """Return what happened to a scan after a cursor."""
        answer = self._call(
            "GET", f"/scans/{scan_id}/events", "read the scan", query={"after": str(after), "limit": "100"}
        )
        return self._read(answer, list[Event])

    def gate(self, project_id: str, branch: str, limit: int) -> Gate:
        """Return the verdict on a branch, with so many of the findings that close its gate."""
        query = {"branch": branch, "limit": str(limit)}
        return self._read(
            self._call("GET", f"/projects/{project_id}/gate", "read the gate", query=query), Gate
        )

    def _find(self, name: str) -> Project | None:
        query = {"name": name, "sort": "name", "limit": "100"}
        while True:
            answer = self._call("GET", "/projects", "list projects", query=query)
            page = self._read(answer, Projects)
            for each in page.items:
                if each.name.lower() == name.lower():
                    return each
            if page.next_cursor is None:
                return None
            query = query | {"cursor": page.next_cursor}

    def _submit(self, wanted: Submission, former: str, file: Upload) -> tuple[Scan, bool]:
        parts: tuple[str, ...] = ("submit 1", self._secret, wanted.project.id, wanted.digest, wanted.branch or "",
                 wanted.commit or "", wanted.priority, former)  # fmt: skip
        if wanted.kind != "archive":
            parts += (wanted.kind, wanted.root, wanted.checkout)
        key = hashlib.sha256("\n".join(parts).encode()).digest()
        upload_id = str(uuid.UUID(bytes=key[:16], version=5))
        body = {"upload_id": upload_id, "priority": wanted.priority}
        body |= {"branch": wanted.branch} if wanted.branch is not None else {}
        body |= {"commit": wanted.commit} if wanted.commit is not None else {}
        # A server that takes archives alone refuses what it does not know; of archives it need not be told.
        body |= {"kind": wanted.kind} if wanted.kind != "archive" else {}
        body |= {"root": wanted.root} if wanted.root else {}
        body |= {"checkout_uri": wanted.checkout} if wanted.checkout else {}
        path = f"/projects/{wanted.project.id}/scans"
        headers = {"Idempotency-Key": f'"{key.hex()}"'}

        def ask(*allowed: int) -> Answer:
            return self._call("POST", path, "submit scans", document=body, headers=headers, allowed=allowed)

        # The server is asked before anything is sent: what it has scanned already, it does not need again.
        answer = ask(404)
        if answer.status == 404:
            self._upload(upload_id, file)
            answer = ask()
        return self._read(answer, Scan), answer.headers.get("idempotency-replayed") == "true"

    def _upload(self, upload_id: str, file: Upload) -> None:
        # 409: a former attempt sent it, and its answer was lost.
        self._call(
            "PUT",
            f"/uploads/{upload_id}",
            "upload files",
            query={"name": file.name},
            file=file.open(),
            content_type=file.media_type,
            allowed=(409,),
        )

    def _retry(self, scan: Scan) -> Scan:
        # 409: it was begun anew already.
        answer = self._call("POST", f"/scans/{scan.id}/retry", "retry scans", allowed=(409,))
        return self.scan(scan.id) if answer.status == 409 else self._read(answer, Scan)

    def _call(
        self,
        method: str,
        path: str,
        purpose: str,
        *,
        allowed: tuple[int, ...] = (),
        **what: Any,
    ) -> Answer:
        """Send a request; an answer that is neither a success nor allowed is an error that says what to do."""
        while True:
            answer = self._transport.send(method, _API + path, **what)
            # The same request is under way, from another job: its answer is ours, too.
            if answer.status == 409 and "retry-after" in answer.headers:
                self._transport.pause(answer)
                continue
            if 200 <= answer.status < 300 or answer.status in allowed:
                return answer
            raise self._refusal(answer, purpose)

    def _refusal(self, answer: Answer, purpose: str) -> ScanRefused | ServerFailed:
        problem = Problem.of(answer)
        words = problem.sentence() or f"status {answer.status}"
        if answer.status == 401:
            return ScanRefused(
                f"{self.address.netloc} refuses the token: {words}; make a new API key (POST {_API}/api-keys) and give it in "
                "ARCHITECT_TOKEN or --token-file"
            )
        if answer.status == 403:
            return ScanRefused(
                f"the token may not {purpose}: {words}; it needs the scopes projects:read, scans:read, scans:submit and findings:read, "
                "and its owner a role that has them (developer)"
            )
        if answer.status == 404 and not problem.request_id:
            return ServerFailed(
                f"{self.address.geturl()} knows nothing of {_API}; is it the address of SecAPI?"
            )
        if answer.status == 404:
            return ScanRefused(f"{words}; check --project and --organisation")
        if answer.status in (413, 415, 507):
            return ScanRefused(
                f"the file is refused: {words}; leave out what is no source code with --exclude, or have the tool report less"
            )
        if answer.status in (400, 409, 422):
            return ScanRefused(f"{self.address.netloc} refuses to {purpose}: {words}")
        return ServerFailed(
            f"{self.address.geturl()} answers {answer.status} when asked to {purpose}: {words}"
        )

    def _read(self, answer: Answer, kind: type[_T]) -> _T:
        try:
            return msgspec.json.decode(answer.body, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            what = "JSON of another shape" if _is_json(answer) else "no JSON"
            raise ServerFailed(
                f"{self.address.geturl()} answers {what} ({error}): either it is not SecAPI, or SecAPI of another version than "
                f"this client ({__version__}); install the version that the server has"
            ) from error


def _is_json(answer: Answer) -> bool:
    return "json" in answer.headers.get("content-type", "")


def _is_identifier(name: str) -> bool:
    try:
        return str(uuid.UUID(name)) == name.lower()
    except ValueError:
        return False


def again() -> str:
    """Return a word that makes a submission another one than any before."""
    return uuid.uuid4().hex
