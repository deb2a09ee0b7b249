"""What has happened is told to the endpoints of its owner, signed, until they accept it; nobody is led inside."""

import json
import socket
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr, ValidationError
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import ProgrammingError
from standardwebhooks import Webhook, WebhookVerificationError

from fastapi_architect.components.database import Database, bind_worker_setting
from fastapi_architect.components.outbox import Outcome, add_event, dead_letters
from fastapi_architect.components.service import Environment
from fastapi_architect.components.webhooks import (
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookMessage,
    WebhookSettings,
    secret_of,
)
from fastapi_architect.components.webhooks.deliveries import delete_old
from fastapi_architect.components.webhooks.row_level_security import CLEANING
from fastapi_architect.components.webhooks.tasks import RETRIES
from fastapi_architect.components.webhooks.tests.conftest import KEY, Answering, Receiver, Service
from fastapi_architect.components.webhooks.tests.example import ORGANISATION, PEOPLE, member_of_named

ENDPOINTS = "/api/v1/webhook-endpoints"


def test_an_order_reaches_the_endpoint_of_its_organisation(service: Service, receiver: Receiver) -> None:
    endpoint = service.create(event_types=["order.placed"])
    order_id = service.place_order()
    assert receiver.received == [], "nothing is called in a request"

    service.work()

    [call] = receiver.received
    message = Webhook(endpoint["secret"]).verify(call.body, call.headers)
    assert message["type"] == "order.placed"
    assert message["data"] == {"order_id": order_id}
    assert datetime.fromisoformat(message["timestamp"]).tzinfo is not None
    delivery = service.delivery(endpoint["id"])
    assert (delivery["state"], delivery["attempts"], delivery["data"]) == ("delivered", 1, message["data"])
    assert [(attempt["status"], attempt["error"]) for attempt in delivery["log"]] == [(204, None)]


def test_an_endpoint_gets_what_it_asked_for(service: Service, receiver: Receiver) -> None:
    service.create(url=receiver.url("/paid"), event_types=["order.paid"])
    service.create(url=receiver.url("/all"))
    service.create("mallory", url=receiver.url("/mallory"))
    service.create("loner", url=receiver.url("/loner"))
    service.place_order()
    service.place_order("loner")
    service.work()

    assert sorted(call.path for call in receiver.received) == ["/all", "/loner"]


def test_a_signature_is_worth_nothing_for_another_body_time_or_endpoint(
    service: Service, receiver: Receiver
) -> None:
    endpoint, other = service.create(), service.create(url=receiver.url("/other"))
    service.place_order()
    service.work()
    call = next(call for call in receiver.received if call.path == "/hook")
    verifier = Webhook(endpoint["secret"])
    verifier.verify(call.body, call.headers)

    forgeries: list[tuple[Webhook, bytes, dict[str, str]]] = [
        (verifier, call.body.replace(b"order", b"0rder"), call.headers),
        (verifier, call.body, call.headers | {"webhook-id": "msg_other"}),
        (verifier, call.body, call.headers | {"webhook-timestamp": str(int(time.time()) - 1)}),
        (Webhook(other["secret"]), call.body, call.headers),
    ]
    for webhook, body, headers in forgeries:
        with pytest.raises(WebhookVerificationError):
            webhook.verify(body, headers)


def test_a_secret_is_shown_once_and_lies_nowhere(service: Service, database: Database) -> None:
    endpoint = service.create()
    secret = endpoint["secret"].removeprefix("whsec_")

    assert "secret" not in service.endpoint(endpoint["id"])
    with database.sync_sessions() as session:
        for table in ("webhook_endpoints", "outbox_events"):
            rows = session.execute(text(f"SELECT * FROM {table}")).all()
            assert secret not in str(rows)


def test_after_a_rotation_both_secrets_are_good_for_a_while(
    service: Service, receiver: Receiver, database: Database
) -> None:
    endpoint = service.create()
    rotated = service.call("POST", f"{ENDPOINTS}/{endpoint['id']}/secret-rotations").json()
    service.place_order()
    service.work()
    call = receiver.received[-1]
    Webhook(endpoint["secret"]).verify(call.body, call.headers)
    Webhook(rotated["secret"]).verify(call.body, call.headers)

    with database.sync_sessions.begin() as session:
        past = datetime.now(UTC) - timedelta(seconds=1)
        session.execute(update(WebhookEndpoint).values(previous_secret_until=past))
    service.place_order()
    service.work()
    call = receiver.received[-1]
    Webhook(rotated["secret"]).verify(call.body, call.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(endpoint["secret"]).verify(call.body, call.headers)


def test_while_the_key_of_the_service_is_replaced_old_secrets_are_good(
    database: Database, receiver: Receiver
) -> None:
    before = Service(database, receiver)
    with before.client:
        endpoint = before.create()
        before.place_order()
    after = Service(database, receiver, signing_key=SecretStr("n" * 40), previous_signing_key=KEY)
    after.work()
    database.sync_engine.dispose()

    [call] = receiver.received
    Webhook(endpoint["secret"]).verify(call.body, call.headers)
    renewed = Webhook(secret_of(SecretStr("n" * 40), UUID(endpoint["id"]), 1))
    renewed.verify(call.body, call.headers)


@pytest.mark.parametrize("who", ["mallory", "loner"])
def test_endpoints_of_others_do_not_exist(service: Service, receiver: Receiver, who: str) -> None:
    endpoint = service.create()
    service.place_order()
    service.work()
    own = service.create(who, url=receiver.url("/own"))
    delivery = service.deliveries(endpoint["id"])[0]
    path = f"{ENDPOINTS}/{endpoint['id']}"

    attacks = [
        ("GET", path, None),
        ("PATCH", path, {"url": receiver.url("/stolen")}),
        ("DELETE", path, None),
        ("POST", f"{path}/secret-rotations", None),
        ("POST", f"{path}/tests", None),
        ("GET", f"{path}/deliveries", None),
        ("GET", f"{path}/deliveries/{delivery['id']}", None),
        ("POST", f"{path}/deliveries/{delivery['id']}/redeliveries", None),
        # Through an endpoint of one's own.
        ("GET", f"{ENDPOINTS}/{own['id']}/deliveries/{delivery['id']}", None),
        ("POST", f"{ENDPOINTS}/{own['id']}/deliveries/{delivery['id']}/redeliveries", None),
    ]
    for method, attacked, body in attacks:
        answer = service.call(method, attacked, who, json=body)
        assert answer.status_code == 404, (method, attacked)
    assert [one["id"] for one in service.call("GET", ENDPOINTS, who).json()["items"]] == [own["id"]]
    assert service.endpoint(endpoint["id"], "her-colleague")["url"] == receiver.url()


def test_strangers_get_nothing(service: Service) -> None:
    for method, path in [("GET", ENDPOINTS), ("POST", ENDPOINTS), ("GET", "/api/v1/webhook-event-types")]:
        assert service.client.request(method, path).status_code == 401


def test_a_permission_can_be_asked_for(database: Database, receiver: Receiver) -> None:
    service = Service(database, receiver, {"permission": "webhooks:manage"})
    with service.client:
        assert service.call("GET", ENDPOINTS).status_code == 403
    database.sync_engine.dispose()


def test_a_permission_beside_a_guard_is_refused(database: Database, receiver: Receiver) -> None:
    with pytest.raises(ValueError, match="leave `permission` out"):
        Service(database, receiver, {"permission": "webhooks:manage", "guard": member_of_named})


def test_a_guard_of_ones_own_says_for_which_organisation_somebody_acts(
    walled_service: Service, receiver: Receiver
) -> None:
    created = walled_service.create("loner")
    walled_service.place_order()
    walled_service.work()

    assert walled_service.endpoint(created["id"], "ann")["url"] == receiver.url()
    assert walled_service.call("GET", f"{ENDPOINTS}/{created['id']}", "mallory").status_code == 404
    refused = walled_service.client.get(ENDPOINTS, headers={"X-Name": "ann", "X-Role": "viewer"})
    assert refused.status_code == 403
    assert len(receiver.received) == 1


def test_behind_the_second_wall_everything_is_delivered_logged_repeated_and_deleted(
    walled_service: Service, receiver: Receiver, database: Database
) -> None:
    created = walled_service.create()
    receiver.answering = Answering(status=500)
    walled_service.place_order()
    walled_service.work()
    failed = walled_service.delivery(created["id"])
    receiver.answering = Answering()
    walled_service.let_time_pass()
    walled_service.work()
    delivered = walled_service.delivery(created["id"])
    again = f"{ENDPOINTS}/{created['id']}/deliveries/{delivered['id']}/redeliveries"
    assert walled_service.call("POST", again).status_code == 202
    assert walled_service.call("POST", f"{ENDPOINTS}/{created['id']}/tests").status_code == 202
    walled_service.work()
    with database.sync_sessions.begin() as session:
        bind_worker_setting(session, "app.tenant_id", ORGANISATION)
        session.execute(update(WebhookMessage).values(created_at=datetime.now(UTC) - timedelta(days=40)))
    with database.sync_sessions.begin() as session:
        add_event(session, "webhooks.clean", {})
    walled_service.work()

    assert (failed["state"], failed["attempts"]) == ("pending", 1)
    assert walled_service.endpoint(created["id"])["failing_since"] is None
    assert (delivered["state"], len(delivered["log"])) == ("delivered", 2)
    assert len(receiver.received) == 4
    assert walled_service.deliveries(created["id"]) == []


def test_postgresql_itself_hides_the_rows_of_others(walled_service: Service, database: Database) -> None:
    walled_service.create()
    walled_service.place_order()
    walled_service.work()
    models = (WebhookEndpoint, WebhookMessage, WebhookDelivery, WebhookAttempt)

    def seen(owner: object, cleaning: str | None = None) -> list[int]:
        with database.sync_sessions() as session:
            bind_worker_setting(session, "app.tenant_id", owner)
            bind_worker_setting(session, CLEANING, cleaning)
            return [session.scalar(select(func.count()).select_from(model)) or 0 for model in models]

    assert seen(ORGANISATION) == [1, 1, 1, 1]
    assert seen(PEOPLE["mallory"].tenant_id) == seen(None) == [0, 0, 0, 0]
    # What deletes old messages sees none that are young.
    assert seen(None, "on") == [0, 0, 0, 0]


def test_nobody_writes_an_endpoint_of_another_owner(walled_service: Service, database: Database) -> None:
    ann = PEOPLE["ann"]
    with database.sync_sessions() as session:
        bind_worker_setting(session, "app.tenant_id", PEOPLE["mallory"].tenant_id)
        session.add(
            WebhookEndpoint(
                owner_id=ORGANISATION, created_by=ann.id, url="https://x.example/", description=""
            )
        )
        with pytest.raises(ProgrammingError, match="row-level security"):
            session.flush()


def test_every_change_of_an_endpoint_is_told_to_witnesses_without_secrets(service: Service) -> None:
    created = service.create(url=service.receiver.url("/services/T0/token-in-the-path"))
    endpoint = f"{ENDPOINTS}/{created['id']}"
    service.call("PATCH", endpoint, json={"description": "accounting"})
    rotated = service.call("POST", f"{endpoint}/secret-rotations").json()["secret"]
    service.call("POST", f"{endpoint}/tests")
    service.call("DELETE", endpoint)

    told = [act.action.removeprefix("webhook_endpoint.") for act in service.diary.acts]
    assert told == ["created", "changed", "rotated", "tested", "deleted"]
    assert {act.subject_id for act in service.diary.acts} == {UUID(created["id"])}
    assert {act.actor for act in service.diary.acts} == {PEOPLE["ann"]}
    text = str([act.details for act in service.diary.acts])
    assert not any(secret in text for secret in (created["secret"], rotated, "token-in-the-path"))


@pytest.mark.parametrize(
    "url",
    [
        "https://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://0x7f.1/",
        "https://2130706433/",
        "https://user:password@hooks.example/",
        "https://hooks.example:22/",
        "https://localhost.:22/",
        "ftp://hooks.example/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "//hooks.example/",
        "https://hooks.example/\r\nX-Header: 1",
        "https://hooks.example\\@10.0.0.1/",
        "",
        "https://" + "a" * 3000,
    ],
)
def test_a_url_that_leads_inside_or_nowhere_is_refused(service: Service, url: str) -> None:
    answer = service.call("POST", ENDPOINTS, json={"url": url})

    assert answer.status_code == 422
    endpoint = service.create()
    assert service.call("PATCH", f"{ENDPOINTS}/{endpoint['id']}", json={"url": url}).status_code == 422


def test_production_calls_https_only() -> None:
    with pytest.raises(ValidationError):
        WebhookSettings(signing_key=SecretStr("secret"), environment=Environment.PRODUCTION)
    settings = WebhookSettings(
        signing_key=SecretStr("0a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6q"), environment=Environment.PRODUCTION
    )
    assert (settings.allow_plain_http, set(settings.ports)) == (False, {443})


def test_a_name_that_leads_inside_is_not_called(database: Database, receiver: Receiver) -> None:
    """What a name means is found out at each delivery; an answer of long ago is worth nothing."""
    service = Service(database, receiver, allowed_networks=())
    with service.client:
        endpoint = service.create(url=receiver.url(host="localhost"))
        service.place_order()
        assert Outcome.RETRYING in service.work()
        delivery = service.delivery(endpoint["id"])
    database.sync_engine.dispose()

    assert receiver.received == []
    assert delivery["state"] == "pending"
    assert delivery["log"][0]["status"] is None
    assert "127.0.0.1" not in json.dumps(delivery), "nobody learns what a name means inside"


def test_a_redirect_is_not_followed(service: Service, receiver: Receiver) -> None:
    endpoint = service.create()
    receiver.answering = Answering(307, {"Location": receiver.url("/inside")})
    service.place_order()
    service.work()

    assert [call.path for call in receiver.received] == ["/hook"]
    assert service.delivery(endpoint["id"])["reason"] == "the endpoint answered 307"


def test_an_endless_answer_is_not_read(service: Service, receiver: Receiver) -> None:
    endpoint = service.create()
    receiver.answering = Answering(200, body=b"x" * 3_000_000)
    service.place_order()
    service.work()

    attempt = service.delivery(endpoint["id"])["log"][0]
    assert attempt["error"] is not None
    assert attempt["answer"] is None


def test_only_the_beginning_of_an_answer_is_kept(service: Service, receiver: Receiver) -> None:
    endpoint = service.create()
    receiver.answering = Answering(500, body=b"\x00\xff" + b"x" * 10_000)
    service.place_order()
    service.work()

    attempt = service.delivery(endpoint["id"])["log"][0]
    assert (len(attempt["answer"]), attempt["answer"][:2]) == (500, "\ufffdx")


@pytest.mark.parametrize("answering", [Answering(delay=4), Answering(200, body=b"x" * 40, drip=0.1)])
def test_an_endpoint_that_does_not_answer_costs_its_timeout(
    database: Database, receiver: Receiver, answering: Answering
) -> None:
    service = Service(database, receiver, timeout=0.5)
    receiver.answering = answering
    with service.client:
        service.create()
        service.place_order()
        began = time.monotonic()
        assert Outcome.RETRYING in service.work()
        assert time.monotonic() - began < 3
    database.sync_engine.dispose()


def test_no_transaction_is_open_while_an_endpoint_answers(
    service: Service, receiver: Receiver, database: Database
) -> None:
    import threading

    service.create()
    receiver.answering = Answering(delay=1)
    service.place_order()
    worker = threading.Thread(target=service.work)
    worker.start()
    while not receiver.received:
        time.sleep(0.02)
    with database.sync_engine.connect() as connection:
        open_for = connection.execute(
            text(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                "AND state = 'idle in transaction' AND pid <> pg_backend_pid()"
            )
        ).scalar_one()
    worker.join()

    assert open_for == 0


def test_a_failure_is_tried_again_with_the_same_message_and_a_new_time(
    service: Service, receiver: Receiver
) -> None:
    endpoint = service.create()
    receiver.answering = Answering(500)
    service.place_order()
    service.work()
    assert service.endpoint(endpoint["id"])["failing_since"] is not None
    receiver.answering = Answering(200)
    service.let_time_pass()
    service.work()

    first, second = receiver.received
    assert (first.headers["webhook-id"], first.body) == (second.headers["webhook-id"], second.body)
    Webhook(endpoint["secret"]).verify(second.body, second.headers)
    delivery = service.delivery(endpoint["id"])
    assert (delivery["state"], [one["status"] for one in delivery["log"]]) == ("delivered", [500, 200])
    assert service.endpoint(endpoint["id"])["failing_since"] is None


def test_an_endpoint_may_ask_for_a_pause_but_not_for_ever(service: Service, receiver: Receiver) -> None:
    service.create()
    receiver.answering = Answering(429, {"Retry-After": "999999999"})
    service.place_order()
    service.work()

    service.let_time_pass(hours=5.5)
    service.work()
    assert len(receiver.received) == 1
    service.let_time_pass(hours=1)
    service.work()
    assert len(receiver.received) == 2


def test_a_delivery_is_given_up_and_can_be_delivered_again(
    service: Service, receiver: Receiver, database: Database
) -> None:
    endpoint = service.create()
    receiver.answering = Answering(500)
    service.place_order()
    for _ in range(RETRIES.attempts + 2):
        service.work()
        service.let_time_pass()

    delivery = service.delivery(endpoint["id"])
    assert (delivery["state"], delivery["attempts"]) == ("failed", RETRIES.attempts)
    assert delivery["reason"] == "the endpoint answered 500"
    assert len(receiver.received) == RETRIES.attempts
    with database.sync_sessions() as session:
        assert dead_letters(session) == [], "a stranger's server is no trouble of the operator"

    receiver.answering = Answering(200)
    path = f"{ENDPOINTS}/{endpoint['id']}/deliveries/{delivery['id']}/redeliveries"
    assert service.call("POST", path).status_code == 202
    assert service.call("POST", path).status_code == 409, "it is on its way"
    service.work()
    assert service.delivery(endpoint["id"])["state"] == "delivered"
    assert receiver.received[-1].headers["webhook-id"] == receiver.received[0].headers["webhook-id"]


def test_an_endpoint_that_fails_for_days_is_disabled_until_its_owner_enables_it(
    service: Service, receiver: Receiver, database: Database
) -> None:
    endpoint = service.create()
    receiver.answering = Answering(500)
    service.place_order()
    service.work()
    with database.sync_sessions.begin() as session:
        session.execute(update(WebhookEndpoint).values(failing_since=datetime.now(UTC) - timedelta(days=6)))
    service.let_time_pass()
    service.work()

    found = service.endpoint(endpoint["id"])
    assert (found["enabled"], found["disabled_reason"]) == (False, "nothing but failures for 5 days")
    assert service.delivery(endpoint["id"])["state"] == "failed"
    calls = len(receiver.received)
    service.place_order()
    service.work()
    assert len(receiver.received) == calls, "a disabled endpoint is not called"
    assert service.call("POST", f"{ENDPOINTS}/{endpoint['id']}/tests").status_code == 409

    receiver.answering = Answering(200)
    service.call("PATCH", f"{ENDPOINTS}/{endpoint['id']}", json={"enabled": True})
    service.place_order()
    service.work()
    assert len(receiver.received) == calls + 1


def test_what_is_on_its_way_to_an_endpoint_that_its_owner_disabled_is_not_sent(
    service: Service, receiver: Receiver
) -> None:
    endpoint = service.create()
    receiver.answering = Answering(500)
    service.place_order()
    service.work()
    service.call("PATCH", f"{ENDPOINTS}/{endpoint['id']}", json={"enabled": False})
    service.let_time_pass()
    service.work()

    assert len(receiver.received) == 1
    delivery = service.delivery(endpoint["id"])
    assert (delivery["state"], delivery["reason"]) == ("failed", "the endpoint is disabled")


def test_an_endpoint_that_is_gone_is_disabled_at_once(service: Service, receiver: Receiver) -> None:
    endpoint = service.create()
    receiver.answering = Answering(410)
    service.place_order()
    service.work()

    assert service.endpoint(endpoint["id"])["enabled"] is False
    assert service.delivery(endpoint["id"])["state"] == "failed"


def test_what_is_on_its_way_to_a_deleted_endpoint_is_dropped(service: Service, receiver: Receiver) -> None:
    endpoint = service.create()
    receiver.answering = Answering(500)
    service.place_order()
    service.work()
    assert service.call("DELETE", f"{ENDPOINTS}/{endpoint['id']}").status_code == 204
    service.let_time_pass()

    assert service.work() == [Outcome.DONE]
    assert len(receiver.received) == 1


def test_a_test_message_reaches_one_endpoint(service: Service, receiver: Receiver) -> None:
    endpoint = service.create()
    service.create(url=receiver.url("/other"))
    assert service.call("POST", f"{ENDPOINTS}/{endpoint['id']}/tests").status_code == 202
    service.work()

    [call] = receiver.received
    assert json.loads(call.body)["type"] == "webhook.test"


def test_there_are_only_so_many_endpoints_also_when_asked_for_at_once(
    database: Database, receiver: Receiver
) -> None:
    from concurrent.futures import ThreadPoolExecutor

    service = Service(database, receiver, endpoints_per_owner=3)
    with service.client, ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(
                lambda number: service.call("POST", ENDPOINTS, json={"url": receiver.url(f"/{number}")}),
                range(8),
            )
        )
    database.sync_engine.dispose()

    assert sorted(answer.status_code for answer in answers) == [201] * 3 + [409] * 5


@pytest.mark.parametrize(
    "body",
    [
        {"url": "https://hooks.example/", "event_types": ["order.invented"]},
        {"url": "https://hooks.example/", "event_types": []},
        {"url": "https://hooks.example/", "event_types": ["order\x00placed"]},
        {"url": "https://hooks.example/", "description": "a\x00b"},
        {"url": "https://hooks.example/", "description": "x" * 201},
        {"url": "https://hooks.example/", "owner_id": str(PEOPLE["mallory"].id)},
        {"url": None},
        {},
    ],
)
def test_input_that_makes_no_sense_is_refused(service: Service, body: dict[str, Any]) -> None:
    assert service.call("POST", ENDPOINTS, json=body).status_code == 422


def test_the_types_of_all_components_can_be_subscribed_to(service: Service) -> None:
    found = service.call("GET", "/api/v1/webhook-event-types").json()

    assert [one["name"] for one in found] == ["order.paid", "order.placed", "webhook.test"]


def test_a_message_that_is_told_twice_to_the_worker_is_delivered_once(
    service: Service, receiver: Receiver, database: Database
) -> None:
    from fastapi_architect.components.outbox import add_event

    service.create()
    service.place_order()
    with database.sync_sessions.begin() as session:
        message_id = session.query(WebhookMessage).one().id
        add_event(session, "webhooks.fan_out", {"message_id": str(message_id)})
    assert service.work() == [Outcome.DONE] * 3

    assert len(receiver.received) == 1


def test_old_messages_are_deleted_with_their_log(service: Service, database: Database) -> None:
    endpoint = service.create()
    service.place_order()
    service.work()
    with database.sync_sessions.begin() as session:
        assert delete_old(session, timedelta(days=1), 100) == 0
        session.execute(update(WebhookMessage).values(created_at=datetime.now(UTC) - timedelta(days=2)))
        assert delete_old(session, timedelta(days=1), 100) == 1

    assert service.deliveries(endpoint["id"]) == []


def test_an_endpoint_that_is_down_is_a_failure_like_any_other(service: Service) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    service.webhooks.settings = service.webhooks.settings.model_copy(update={"ports": frozenset({port})})
    service.webhooks.rules = type(service.webhooks.rules)(
        service.webhooks.settings, service.webhooks.rules.event_types
    )
    service.create(url=f"http://127.0.0.1:{port}/")
    service.place_order()

    assert service.work() == [Outcome.DONE, Outcome.RETRYING]
