"""Clients as they should be: they repeat what got no answer, under the same key, until they are told."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import httpx
from uuid_utils.compat import uuid7

from chaos.archives import POISON, VANISHING, Sample, choose
from chaos.installation import Installation
from chaos.ledger import Accepted, Ledger, Promise

API = "/api/v1"
#: Seconds for which a client repeats itself: longer than any fault lasts.
PERSISTENCE = 120.0
#: Those of one organisation that submit at the same time.
CLIENTS = 2
#: Answers after which a client comes back.
_BUSY = (429, 503, 504)


class Refused(Exception):
    """The service gave an answer that a well-behaved client should not get, or none at all in time."""


class Client:
    """Somebody of an organisation, over HTTP.

    Args:
        installation: where.
        email: of the account.
        ledger: takes what is promised.
        chance: of this client alone.
    """

    def __init__(self, installation: Installation, email: str, ledger: Ledger, chance: random.Random) -> None:
        self._installation = installation
        self._email = email
        self._ledger = ledger
        self.chance = chance
        self.organisation = email.partition("@")[0]
        # Keep-alive connections break whenever the API is killed, which is what is repeated here.
        self._http = httpx.Client(base_url=installation.url, timeout=15.0)
        self._token = ""

    def call(self, method: str, path: str, *, expected: tuple[int, ...], **request: Any) -> httpx.Response:
        """Send a request until it is answered.

        Raises:
            Refused: with another status than the expected ones, or never.
        """
        deadline = time.monotonic() + PERSISTENCE
        headers = request.pop("headers", {})
        last = "no answer"
        while time.monotonic() < deadline:
            if not self._token and not self._sign_in():
                continue
            try:
                answer = self._http.request(
                    method, path, headers={"Authorization": f"Bearer {self._token}", **headers}, **request
                )
            except httpx.TransportError as error:
                last = type(error).__name__
                self._ledger.count(last)
                time.sleep(0.1 + 0.4 * self.chance.random())
                continue
            self._ledger.count(str(answer.status_code))
            if answer.status_code in expected:
                return answer
            last = f"{answer.status_code} {answer.text[:300]}"
            if answer.status_code == 401:
                self._token = ""
            elif answer.status_code == 503 and "retry-after" not in answer.headers:
                raise Refused(f"{method} {path}: 503 without Retry-After")
            elif answer.status_code not in _BUSY and not _is_in_flight(answer):
                raise Refused(f"{method} {path}: {last}")
            time.sleep(min(1.0, float(answer.headers.get("retry-after", 0.2))))
        raise Refused(f"{method} {path}: nothing but {last} in {PERSISTENCE:g} s")

    def submit(self, project: str, sample: Sample) -> str:
        """Upload an archive and submit it, sometimes several times over; return the scan."""
        upload = self._upload(sample)
        if sample is VANISHING:
            self._let_vanish(upload)
        key = str(uuid7())
        submission = {"upload_id": upload, "branch": sample.branch}
        with ThreadPoolExecutor(2) as twins:
            if self.chance.random() < 0.2:  # a client that lost patience, and one that repeats it beside
                answers = list(
                    twins.map(lambda _: self._submit_once(project, submission, key, sample), range(2))
                )
            else:
                answers = [self._submit_once(project, submission, key, sample)]
        if self.chance.random() < 0.15:  # much later, as a proxy does
            answers.append(self._submit_once(project, submission, key, sample))
        if self.chance.random() < 0.15:
            self._submit_under_another_key(project, submission)
        return answers[0]

    def submit_at_once_under_two_keys(self, project: str, sample: Sample) -> None:
        """Submit one upload twice at the same time: one of them is a scan, the other a conflict."""
        submission = {"upload_id": self._upload(sample), "branch": sample.branch}
        keys = [str(uuid7()), str(uuid7())]

        def post(key: str) -> int:
            answer = self.call(
                "POST", f"{API}/projects/{project}/scans", expected=(202, 409), json=submission,
                headers={"Idempotency-Key": f'"{key}"'},
            )  # fmt: skip
            if answer.status_code == 202:
                scan = str(answer.json()["id"])
                self._ledger.accept(Accepted(scan, sample.name, self.organisation, key))
            return answer.status_code

        with ThreadPoolExecutor(2) as twins:
            statuses = sorted(twins.map(post, keys))
        if statuses != [202, 409]:
            self._ledger.object(f"one upload under two keys was answered with {statuses}")

    def cancel(self, scan_id: str) -> None:
        """Cancel a scan that may have ended already."""
        answer = self.call("POST", f"{API}/scans/{scan_id}/cancel", expected=(200, 409))
        if answer.status_code == 200:
            self._ledger.accepted[scan_id].cancelled = True

    def triage(self, project: str, branch: str) -> None:
        """Decide about a finding, and say something about it."""
        found = self.call(
            "GET", f"{API}/projects/{project}/findings", expected=(200,),
            params={"branch": branch, "presence": "all", "limit": 50},
        ).json()["items"]  # fmt: skip
        if not found:
            return
        finding = self.chance.choice(found)["id"]
        text = f"said {uuid7()}"
        if self.chance.random() < 0.4:
            self._comment(finding, text)
            return
        path = f"{API}/findings/{finding}"
        seen = self.call("GET", path, expected=(200,), params={"branch": branch}).headers["etag"]
        triage = self.chance.choice(["confirmed", "false_positive", "open"])
        answer = self.call(
            "PATCH", path, expected=(200, 412), params={"branch": branch},
            json={"triage": triage, "reason": text}, headers={"If-Match": seen},
        )  # fmt: skip
        # 412: somebody else was faster, or this one is a repetition whose first answer was lost: nothing was promised.
        if answer.status_code == 200:
            version = int(answer.json()["version"])
            self._ledger.promise(Promise(finding, self.organisation, "triaged", text, triage, version))

    def choose_password(self) -> None:
        """Put a password of its own in the place of the one that was printed, as everybody has to."""
        present = self._installation.passwords[self._email]
        body = {"present_password": present, "password": f"{present} of its own"}
        self.call("PUT", f"{API}/me/password", expected=(204,), json=body)
        self._installation.passwords[self._email] = body["password"]
        self._token = ""

    def project(self, name: str) -> str:
        """Make a project."""
        # What died is tried again: its archive has to stay.
        body = {"name": name, "keep_failed_archives_hours": 24}
        answer = self.call("POST", f"{API}/projects", expected=(201,), json=body)
        return str(answer.json()["id"])

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def _comment(self, finding: str, text: str) -> None:
        # Not repeated blindly: it has no key, and two comments are two.
        with suppress(httpx.TransportError):
            answer = self._http.post(
                f"{API}/findings/{finding}/comments",
                json={"text": text},
                headers={"Authorization": f"Bearer {self._token}"},
            )
            self._ledger.count(str(answer.status_code))
            if answer.status_code == 201:
                self._ledger.promise(Promise(finding, self.organisation, "commented", text))

    def _upload(self, sample: Sample) -> str:
        upload = str(uuid7())
        content = sample.packed(upload)
        # 409: the first time arrived, and its answer was lost.
        self.call(
            "PUT", f"{API}/uploads/{upload}", expected=(201, 409), params={"name": "backend.zip"}, content=content,
            headers={"Content-Type": "application/zip"},
        )  # fmt: skip
        return upload

    def _submit_once(self, project: str, submission: dict[str, str], key: str, sample: Sample) -> str:
        answer = self.call(
            "POST", f"{API}/projects/{project}/scans", expected=(202,), json=submission,
            headers={"Idempotency-Key": f'"{key}"'},
        )  # fmt: skip
        scan = str(answer.json()["id"])
        self._ledger.accept(Accepted(scan, sample.name, self.organisation, key))
        return scan

    def _submit_under_another_key(self, project: str, submission: dict[str, str]) -> None:
        answer = self.call(
            "POST", f"{API}/projects/{project}/scans", expected=(404, 409, 202), json=submission,
            headers={"Idempotency-Key": f'"{uuid7()}"'},
        )  # fmt: skip
        if answer.status_code == 202:
            self._ledger.object(f"an upload was scanned twice: {answer.json()['id']}")

    def _let_vanish(self, upload: str) -> None:
        while True:
            with suppress(Exception), self._installation.connect() as connection:
                connection.execute(
                    "DELETE FROM stored_files WHERE key = (SELECT storage_key FROM uploads WHERE id = %s)",
                    [upload],
                )
                return
            time.sleep(0.2)

    def _sign_in(self) -> bool:
        body = {"email": self._email, "password": self._installation.passwords[self._email]}
        with suppress(httpx.TransportError):
            answer = self._http.post(f"{API}/auth/login", json=body)
            self._ledger.count(str(answer.status_code))
            if answer.status_code == 200:
                self._token = str(answer.json()["access_token"])
                return True
        time.sleep(0.3)
        return False


def _is_in_flight(answer: httpx.Response) -> bool:
    """Tell whether the same request is just being processed, which is not what else 409 says."""
    return answer.status_code == 409 and "retry-after" in answer.headers


class Load:
    """All clients at once, until enough scans were accepted.

    Args:
        installation: where.
        ledger: of everything.
        seed: of what is submitted.
        begin_with: what the first client of each organisation submits first.
    """

    def __init__(
        self, installation: Installation, ledger: Ledger, seed: int, begin_with: Sequence[Sample] = ()
    ) -> None:
        self._installation = installation
        self._ledger = ledger
        self._seed = seed
        self._begin_with = begin_with
        #: For each account, a project for each layout of archives, and one more.
        self._projects: dict[str, dict[str, list[str]]] = {}
        self.errors: list[str] = []

    def prepare(self) -> None:
        """Sign in, and make projects for each organisation."""
        for email in self._installation.passwords:
            client = self.client(email, "projects")
            client.choose_password()
            names = {"single": ("Shop", "Library"), "several": ("Monorepo",)}
            self._projects[email] = {
                layout: [client.project(name) for name in each] for layout, each in names.items()
            }
            client.close()

    def client(self, email: str, purpose: str) -> Client:
        """Return a client with a chance of its own."""
        chance = random.Random(f"{self._seed} {email} {purpose}")
        return Client(self._installation, email, self._ledger, chance)

    def run(self, scans: int, stop: threading.Event, *, pause: float = 0.0) -> None:
        """Submit so many scans, and triage until the last one is accepted.

        Args:
            scans: of all clients together.
            stop: ends it before.
            pause: seconds between two scans of a client.
        """
        emails = list(self._installation.passwords)
        done = threading.Event()
        places = [(email, number) for number in range(CLIENTS) for email in emails]
        share = [scans // len(places) + (number < scans % len(places)) for number in range(len(places))]
        submitters = [
            threading.Thread(
                target=self._guarded, args=(self._submit, *place, count, stop, pause), daemon=True
            )
            for place, count in zip(places, share, strict=True)
        ]
        triagers = [
            threading.Thread(target=self._guarded, args=(self._triage, email, done, stop), daemon=True)
            for email in emails
        ]
        for thread in (*submitters, *triagers):
            thread.start()
        for thread in submitters:
            thread.join()
        done.set()
        for thread in triagers:
            thread.join()

    def _guarded(self, work: Any, *arguments: Any) -> None:
        try:
            work(*arguments)
        except Refused as refusal:
            self._ledger.object(str(refusal))
        except Exception as error:  # a client that fails is not a client that was satisfied
            self.errors.append(f"{type(error).__name__}: {error}")

    def _submit(self, email: str, number: int, count: int, stop: threading.Event, pause: float) -> None:
        client = self.client(email, f"submits {number}")
        first = list(self._begin_with) if number == 0 else []
        for _ in range(count):
            if stop.is_set():
                break
            sample = first.pop(0) if first else choose(client.chance)
            project = client.chance.choice(self._projects[email][sample.layout])
            try:
                if sample not in (POISON, VANISHING) and client.chance.random() < 0.06:
                    client.submit_at_once_under_two_keys(project, sample)
                    continue
                scan = client.submit(project, sample)
                if client.chance.random() < 0.05:
                    client.cancel(scan)
            except Refused as refusal:
                self._ledger.object(str(refusal))
            stop.wait(pause * (0.5 + client.chance.random()))
        client.close()

    def _triage(self, email: str, done: threading.Event, stop: threading.Event) -> None:
        client = self.client(email, "triages")
        while not done.wait(0.2 + 0.4 * client.chance.random()) and not stop.is_set():
            project = client.chance.choice(
                [each for group in self._projects[email].values() for each in group]
            )
            try:
                client.triage(project, client.chance.choice(["main", "main", "hostile"]))
            except Refused as refusal:
                if "404" not in str(refusal):  # a branch that nobody has scanned yet
                    self._ledger.object(str(refusal))
        client.close()
