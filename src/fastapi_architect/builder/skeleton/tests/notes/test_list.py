"""The list of notes: pages, orders, filters, and what it costs."""

import pytest
from fastapi.testclient import TestClient

from tests.conftest import CountStatements, Headers, SignIn

NOTES = "/api/v1/notes"


@pytest.fixture
def anna(client: TestClient, sign_in: SignIn) -> Headers:
    """Somebody with five notes, two of which have the same title."""
    headers = sign_in("notes:read", "notes:write")
    for title in ("bread", "apples", "Coffee", "bread", "100%"):
        body = {"title": title, "is_pinned": title == "bread"}
        assert client.post(NOTES, json=body, headers=headers).status_code == 201
    return headers


def titles(client: TestClient, headers: Headers, **query: str | int) -> list[str]:
    """Return the titles of all pages."""
    found = []
    while True:
        answer = client.get(NOTES, params=query, headers=headers)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += [note["title"] for note in page["items"]]
        if page["next_cursor"] is None:
            return found
        query["cursor"] = page["next_cursor"]


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("newest", ["100%", "bread", "Coffee", "apples", "bread"]),
        ("oldest", ["bread", "apples", "Coffee", "bread", "100%"]),
    ],
)
def test_pages_hold_everything_once(
    client: TestClient, anna: Headers, sort: str, expected: list[str], limit: int
) -> None:
    assert titles(client, anna, sort=sort, limit=limit) == expected


def test_equal_values_are_on_no_two_pages(client: TestClient, anna: Headers) -> None:
    assert sorted(titles(client, anna, sort="title", limit=1)) == sorted(titles(client, anna))


def test_what_is_written_meanwhile_moves_no_page(client: TestClient, anna: Headers) -> None:
    first = client.get(NOTES, params={"limit": 2}, headers=anna).json()
    client.post(NOTES, json={"title": "new"}, headers=anna)

    second = client.get(NOTES, params={"limit": 2, "cursor": first["next_cursor"]}, headers=anna).json()

    assert [note["title"] for note in first["items"] + second["items"]] == [
        "100%",
        "bread",
        "Coffee",
        "apples",
    ]


def test_filters_leave_out_the_others(client: TestClient, anna: Headers) -> None:
    assert titles(client, anna, is_pinned="true") == ["bread", "bread"]
    assert titles(client, anna, title="COFF") == ["Coffee"]
    assert titles(client, anna, title="%") == ["100%"]


@pytest.mark.parametrize(
    "query",
    [
        {"sort": "owner_id"},
        {"sort": "-newest"},
        {"limit": 0},
        {"limit": -1},
        {"limit": 101},
        {"limit": 2**70},
        {"cursor": "made up"},
        {"cursor": "bWFkZSB1cA"},
        {"owner_id": "018f0000-0000-7000-8000-000000000000"},
        {"title": "nul\0"},
    ],
)
def test_what_the_list_does_not_offer_is_refused(
    client: TestClient, anna: Headers, query: dict[str, str | int]
) -> None:
    answer = client.get(NOTES, params=query, headers=anna)

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_longer_list_costs_no_more_statements(
    client: TestClient, anna: Headers, count_statements: CountStatements
) -> None:
    with count_statements() as of_one:
        client.get(NOTES, params={"limit": 1}, headers=anna)
    with count_statements() as of_all:
        client.get(NOTES, params={"limit": 100}, headers=anna)

    assert len(of_all) == len(of_one) > 0
