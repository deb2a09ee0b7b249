"""Attacks on the guard: each is a way to a service inside."""

import logging
from pathlib import Path

import httpx2
import pytest
from fastapi.testclient import TestClient

from fastapi_architect.components.outgoing_http import (
    AddressRefused,
    AnswerRefused,
    GuardedClient,
    GuardedTransport,
    HostUnreachable,
    OutgoingHttp,
    UrlRefused,
)
from fastapi_architect.components.outgoing_http.tests.conftest import Names, calling, settings_for
from fastapi_architect.components.outgoing_http.tests.example import create_app
from fastapi_architect.components.outgoing_http.tests.hosts import (
    Partner,
    issue_certificate,
    raw_server,
    serving,
)

pytestmark = pytest.mark.anyio


async def test_an_answer_comes_from_the_host_that_was_named(outgoing: OutgoingHttp, partner: Partner) -> None:
    answer = await outgoing.get(f"{partner.base}/greeting", params={"a": "b c"})

    assert answer.text == "hello"
    assert partner.requests[0].headers["host"] == partner.base.removeprefix("http://")
    assert partner.requests[0].url.query == "a=b+c"


async def test_a_name_that_leads_inside_is_refused(
    outgoing: OutgoingHttp, partner: Partner, names: Names
) -> None:
    names.answers["partner.example"] = [["10.0.0.7"]]

    with pytest.raises(AddressRefused) as refusal:
        await outgoing.get(f"{partner.base}/")
    assert "10.0" not in refusal.value.detail
    assert partner.requests == []


async def test_one_address_inside_among_others_is_refused(
    outgoing: OutgoingHttp, partner: Partner, names: Names
) -> None:
    names.answers["partner.example"] = [["127.0.0.1", "::1"]]

    with pytest.raises(AddressRefused):
        await outgoing.get(f"{partner.base}/")
    assert partner.requests == []


async def test_a_resolver_that_changes_its_mind_does_not_move_the_connection(
    outgoing: OutgoingHttp, partner: Partner, names: Names
) -> None:
    # DNS rebinding: the first answer is for the check, the second one for whoever resolves again to connect.
    names.answers["partner.example"] = [["127.0.0.1"], ["10.0.0.7"]]

    answer = await outgoing.get(f"{partner.base}/?connection=close")

    assert answer.status_code == 200
    assert names.asked == ["partner.example"]
    with pytest.raises(AddressRefused):  # a new connection is a new question
        await outgoing.get(f"{partner.base}/")


async def test_a_worker_is_guarded_alike(client: GuardedClient, partner: Partner, names: Names) -> None:
    names.answers["partner.example"] = [["127.0.0.1"], ["169.254.169.254"]]

    assert client.get(f"{partner.base}/?connection=close").text == "hello"
    assert names.asked == ["partner.example"]
    with pytest.raises(AddressRefused):
        client.get(f"{partner.base}/")


@pytest.mark.parametrize(
    "target", ["http://169.254.169.254/latest/", "http://inside.example/", "file:///etc/passwd"]
)
async def test_a_redirect_is_held_to_the_same_rules(
    outgoing: OutgoingHttp, partner: Partner, names: Names, target: str
) -> None:
    names.answers["inside.example"] = [["127.0.0.2"]]
    target = target.replace("example/", f"example:{partner.base.rpartition(':')[2]}/")

    with pytest.raises(UrlRefused):
        await outgoing.get(f"{partner.base}/redirect", params={"to": target}, redirects=3)
    assert partner.paths == ["/redirect"]


async def test_redirects_are_not_followed_unasked(outgoing: OutgoingHttp, partner: Partner) -> None:
    answer = await outgoing.get(f"{partner.base}/redirect", params={"to": "/greeting"})

    assert answer.status_code == 302
    assert partner.paths == ["/redirect"]


async def test_redirects_come_to_an_end(outgoing: OutgoingHttp, partner: Partner) -> None:
    with pytest.raises(AnswerRefused):
        await outgoing.get(f"{partner.base}/circle", redirects=3)
    assert len(partner.requests) == 4


async def test_no_secret_follows_a_redirect_to_another_host(
    outgoing: OutgoingHttp, partner: Partner, names: Names
) -> None:
    names.answers["other.example"] = [["127.0.0.1"]]
    other = partner.base.replace("partner", "other")
    secrets = {"Authorization": "Bearer s", "X-Api-Key": "s", "Cookie": "s=s", "Accept": "text/plain"}

    await outgoing.get(f"{partner.base}/redirect", params={"to": "/here"}, headers=secrets, redirects=1)
    await outgoing.get(
        f"{partner.base}/redirect", params={"to": f"{other}/there"}, headers=secrets, redirects=1
    )

    _, here, _, there = partner.requests
    assert here.headers["x-api-key"] == "s"
    assert there.headers["host"].startswith("other.example")
    assert there.headers["accept"] == "text/plain"
    assert {"authorization", "x-api-key", "cookie"}.isdisjoint(there.headers)


async def test_a_body_is_not_redirected(outgoing: OutgoingHttp, partner: Partner) -> None:
    with pytest.raises(AnswerRefused):
        await outgoing.post(f"{partner.base}/redirect?to=/elsewhere", json={"secret": 1}, redirects=3)
    assert partner.paths == ["/redirect"]


async def test_a_header_cannot_name_another_host(outgoing: OutgoingHttp, partner: Partner) -> None:
    with pytest.raises(ValueError, match="names the host"):
        await outgoing.get(f"{partner.base}/", headers={"Host": "inside.example"})


async def test_a_proxy_of_the_environment_is_not_used(
    outgoing: OutgoingHttp, partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A proxy resolves by itself, so that the guard would check nothing.
    seen: list[bytes] = []
    with raw_server(lambda connection: seen.append(connection.recv(100))) as port:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{port}")
        assert (await outgoing.get(f"{partner.base}/")).text == "hello"
    assert seen == []


async def test_a_cookie_of_one_call_is_not_sent_with_the_next(
    outgoing: OutgoingHttp, partner: Partner
) -> None:
    await outgoing.get(f"{partner.base}/cookie")
    await outgoing.get(f"{partner.base}/")

    assert "cookie" not in partner.requests[1].headers


async def test_a_library_s_client_is_guarded_through_the_transport(partner: Partner, names: Names) -> None:
    names.answers["partner.example"] = [["10.0.0.7"]]
    transport = GuardedTransport(resolver=names.ask_later)

    async with httpx2.AsyncClient(transport=transport, trust_env=False) as library:
        with pytest.raises(AddressRefused):
            await library.get("https://partner.example/")
        with pytest.raises(UrlRefused):
            await library.get(f"{partner.base}/")
    assert names.asked == ["partner.example"]  # the second one was refused by how it is written


async def test_the_certificate_is_that_of_the_name_and_not_of_the_address(
    tmp_path: Path, names: Names
) -> None:
    certificate, trust = issue_certificate("partner.example", tmp_path)
    names.answers["other.example"] = [["127.0.0.1"]]
    with serving(Partner(), certificate) as partner:
        settings = settings_for(partner.base, attempts=1)
        async with calling(OutgoingHttp(settings, resolver=names.ask_later, ssl_context=trust)) as outgoing:
            assert (await outgoing.get(f"{partner.base}/")).text == "hello"
            # The same address, where a connection is open already: it was made for another name.
            with pytest.raises(HostUnreachable):
                await outgoing.get(f"{partner.base}/".replace("partner", "other"))
        with GuardedClient(settings, resolver=names.ask, ssl_context=trust) as client:
            assert client.get(f"{partner.base}/").text == "hello"
            with pytest.raises(HostUnreachable):
                client.get(f"{partner.base}/".replace("partner", "other"))
        assert len(partner.requests) == 2


async def test_no_path_no_query_and_no_header_is_logged(
    outgoing: OutgoingHttp, partner: Partner, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    await outgoing.get(
        f"{partner.base}/path-token?key=query-token", headers={"Authorization": "header-token"}
    )

    logged = "".join(str(vars(record)) for record in caplog.records)
    assert "outgoing call" in logged
    assert "token" not in logged


def test_a_caller_learns_nothing_about_what_is_inside(partner: Partner, names: Names) -> None:
    names.answers |= {"open.example": [["127.0.0.2"]], "closed.example": [["10.255.255.1"]]}
    port = partner.base.rpartition(":")[2]
    outgoing = OutgoingHttp(settings_for(partner.base), resolver=names.ask_later)

    with TestClient(create_app(outgoing)) as client:
        answers = [
            client.post("/visits", json={"url": f"http://{name}.example:{port}/"})
            for name in ("open", "closed")
        ]
        seen = client.post("/visits", json={"url": f"{partner.base}/"})

    assert [answer.status_code for answer in answers] == [422, 422]
    first, second = (answer.json() | {"request_id": ""} for answer in answers)
    assert first == second
    assert seen.json() == {"status": 200, "length": 5}
