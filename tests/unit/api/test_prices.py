"""`/prices` and `/deployments` as callers meet them."""

from decimal import Decimal
from typing import Any

import pytest

from shared.api.models import Page
from shared.api.price_models import BookChange, BookVersion, DeploymentEntry, Price, Restated, Restatement
from shared.services.prices import load_shipped_prices
from shared.stores.sql.prices import SqlPrices
from tests.unit.api.rows import Client, Ledger, a_usage_row

_PRICES = "/api/v1/prices"
_DEPLOYMENTS = "/api/v1/deployments"
_ADMIN = {"X-Local-User": "ada", "X-Local-Roles": "Audit.Admin"}
_READER = {"X-Local-User": "bob", "X-Local-Roles": "Usage.Read"}
_PRICE = {
    "model": "gpt-4o", "scope": "global", "unit": "input", "amount": "2.25", "currency": "EUR",
    "validFrom": "2026-01-01", "source": "contract 7", "dated": "2026-01-02",
}  # fmt: skip
_DEPLOYMENT = {"name": "chat", "host": "AOAI.example.org", "model": "gpt-4o", "sku": "GlobalStandard"}


def add(client: Client, url: str, *entries: dict[str, Any]) -> Any:
    response = client.post(url, json={"entries": entries}, headers=_ADMIN)
    assert response.status_code == 200, response.text
    return response.json()


def test_a_price_is_added_listed_and_ended_and_each_change_is_recorded(client: Client) -> None:
    added = add(client, _PRICES, _PRICE, _PRICE | {"unit": "output", "amount": "9"})
    again = add(client, _PRICES, _PRICE, _PRICE | {"unit": "output", "amount": "9"})
    (price, _) = client.get(_PRICES, headers=_READER).json()["items"]
    ended = client.post(f"{_PRICES}/{price['id']}/end", json={"validTo": "2026-06-01"}, headers=_ADMIN).json()
    followed = add(client, _PRICES, _PRICE | {"amount": "2", "validFrom": "2026-06-01"})
    listed = client.get(f"{_PRICES}?unit=input&own=true").json()
    versions = client.get(f"{_PRICES}/versions").json()

    BookChange.model_validate(added)
    Page[Price].model_validate(listed)
    Page[BookVersion].model_validate(versions)
    assert added == {"priceVersion": "1", "added": 2, "ended": 0}
    assert again == {"priceVersion": "1", "added": 0, "ended": 0}
    assert (ended, followed["added"]) == ({"priceVersion": "2", "added": 0, "ended": 1}, 1)
    assert [(one["amount"], one["validFrom"], one["validTo"]) for one in listed["items"]] == [
        (2.25, "2026-01-01T00:00:00.000Z", "2026-06-01T00:00:00.000Z"),
        (2, "2026-06-01T00:00:00.000Z", None),
    ]
    first = listed["items"][0]
    assert (first["own"], first["region"], first["tier"]) == (True, None, "standard")
    assert (first["priceVersion"], first["endedVersion"]) == ("1", "2")
    assert [(one["priceVersion"], one["origin"], one["actor"]) for one in versions["items"]] == [
        ("3", "own", "ada"),
        ("2", "own", "ada"),
        ("1", "own", "ada"),
    ]


def test_what_deployments_are_is_said_listed_and_ended(client: Client) -> None:
    added = add(client, _DEPLOYMENTS, _DEPLOYMENT)
    listed = client.get(f"{_DEPLOYMENTS}?name=chat", headers=_READER).json()
    (entry,) = listed["items"]
    ended = client.post(f"{_DEPLOYMENTS}/{entry['id']}/end", json={"validTo": "2026-06-01T12:00Z"}, headers=_ADMIN)
    after = client.get(f"{_DEPLOYMENTS}?at=2026-07-01").json()["items"]

    Page[DeploymentEntry].model_validate(listed)
    assert (added["added"], ended.json()["ended"], after) == (1, 1, [])
    assert (entry["host"], entry["region"], entry["validFrom"]) == ("aoai.example.org", None, None)


def test_prices_come_page_by_page_and_each_once(ledger: Ledger, client: Client) -> None:
    load_shipped_prices(SqlPrices(ledger.engine))
    add(client, _PRICES, _PRICE)
    everything = [one["id"] for one in client.get(f"{_PRICES}?model=gpt-4o&limit=1000").json()["items"]]

    seen: list[str] = []
    cursor = ""
    while True:
        page = client.get(f"{_PRICES}?model=gpt-4o&limit=7{cursor}").json()
        seen += [one["id"] for one in page["items"]]
        if page["nextCursor"] is None:
            break
        cursor = f"&cursor={page['nextCursor']}"

    assert len(everything) > 20
    assert seen == everything
    assert len(set(seen)) == len(seen)


@pytest.mark.parametrize(
    "path", [_PRICES, _DEPLOYMENTS, f"{_PRICES}/x/end", f"{_DEPLOYMENTS}/x/end", f"{_PRICES}/restatements"]
)
def test_only_an_administrator_changes_the_price_book(client: Client, path: str) -> None:
    response = client.post(path, json={}, headers=_READER)

    assert (response.status_code, response.json()["role"]) == (403, "Audit.Admin")


@pytest.mark.parametrize("url", [_PRICES, _DEPLOYMENTS])
def test_what_is_not_the_organisations_own_is_not_ended(ledger: Ledger, client: Client, url: str) -> None:
    load_shipped_prices(SqlPrices(ledger.engine))
    listed = client.get(f"{_PRICES}?limit=1").json()["items"][0]["id"]

    response = client.post(f"{url}/{listed}/end", json={"validTo": "2026-06-01"})

    assert response.status_code == 404


def test_an_entry_is_never_edited(client: Client) -> None:
    add(client, _PRICES, _PRICE)
    (price,) = client.get(_PRICES).json()["items"]
    end = f"{_PRICES}/{price['id']}/end"

    edited = client.post(_PRICES, json={"entries": [_PRICE | {"amount": "3"}]})
    early = client.post(end, json={"validTo": "2026-01-01"})
    client.post(end, json={"validTo": "2026-06-01"})
    moved = client.post(end, json={"validTo": "2026-07-01"})
    client.post(_PRICES, json={"entries": [_PRICE | {"unit": "output"}]})
    (other,) = client.get(f"{_PRICES}?unit=output").json()["items"]
    noon = client.post(f"{_PRICES}/{other['id']}/end", json={"validTo": "2026-07-01T12:00Z"})

    assert (edited.status_code, edited.json()["parameter"]) == (400, "entries")
    assert "says something else" in edited.json()["detail"]
    assert [(one.status_code, one.json()["parameter"]) for one in (early, moved, noon)] == [(400, "validTo")] * 3
    assert client.get(f"{_PRICES}?unit=input").json()["items"][0]["validTo"] == "2026-06-01T00:00:00.000Z"


@pytest.mark.parametrize(
    ("url", "body", "parameter"),
    [
        (_PRICES, {}, "entries"),
        (_PRICES, {"entries": []}, "entries"),
        (_PRICES, {"entries": [_PRICE] * 501}, "entries"),
        (_PRICES, {"entries": [_PRICE, _PRICE]}, "entries"),
        (_PRICES, {"entries": [_PRICE | {"amount": 2.5}]}, "entries"),
        (_PRICES, {"entries": [_PRICE | {"amount": "-1"}]}, "entries"),
        (_PRICES, {"entries": [_PRICE | {"unit": "tokens"}]}, "entries"),
        (_PRICES, {"entries": [_PRICE | {"validTo": "2025-01-01"}]}, "entries"),
        (_PRICES, {"entries": [_PRICE | {"validFrom": "2026-02-30"}]}, "entries"),
        (_PRICES, {"entries": [_PRICE | {"colour": "red"}]}, "entries"),
        (_PRICES, {"entries": [_PRICE | {"model": " gpt-4o"}]}, "entries"),
        (_DEPLOYMENTS, {"entries": [_DEPLOYMENT | {"sku": "globalstandard"}]}, "entries"),
        (f"{_PRICES}/x/end", {"validTo": "soon"}, "validTo"),
    ],
)
def test_what_is_wrong_with_a_change_is_named_and_nothing_is_changed(
    client: Client, url: str, body: Any, parameter: str
) -> None:
    response = client.post(url, json=body)

    assert (response.status_code, response.json()["parameter"]) == (400, parameter)
    assert client.get(f"{_PRICES}/versions").json()["items"] == []


@pytest.mark.parametrize("path", [f"{_PRICES}?", f"{_PRICES}?own=true&", f"{_PRICES}/versions?", f"{_DEPLOYMENTS}?"])
@pytest.mark.parametrize("cursor", ["x", "WyJhIl0", "eyJ9"])
def test_a_cursor_of_another_question_is_refused(client: Client, path: str, cursor: str) -> None:
    response = client.get(f"{path}cursor={cursor}")

    assert (response.status_code, response.json()["parameter"]) == (400, "cursor")


def test_a_period_is_restated_and_listed_with_what_it_came_to(ledger: Ledger, client: Client) -> None:
    add(client, _PRICES, _PRICE)
    ledger.used(a_usage_row("2026-03-02T09:00:00.000Z", currency="EUR", amount=Decimal("0.000075")))
    body = {"from": "2026-03-02T09:00Z", "to": "2026-03-02T10:00Z", "priceVersion": "1", "reason": "it was agreed"}

    answer = client.post(f"{_PRICES}/restatements", json=body, headers=_ADMIN).json()
    listed = client.get(f"{_PRICES}/restatements", headers=_READER).json()

    Restated.model_validate(answer)
    Page[Restatement].model_validate(listed)
    (one,) = listed["items"]
    assert (answer, one["restatement"], one["actor"]) == ({"restatement": "2"}, "2", "ada")
    assert (one["from"], one["to"], one["priceVersion"]) == (
        "2026-03-02T09:00:00.000Z",
        "2026-03-02T10:00:00.000Z",
        "1",
    )
    assert one["before"] == [{"currency": "EUR", "amount": 0.000075, "requests": 1, "unpricedRequests": 0}]
    assert (one["finishedAt"], one["after"]) == (None, [])


@pytest.mark.parametrize(
    ("changes", "parameter"),
    [
        ({"from": "2026-03-02T09:30Z"}, "from"),
        ({"to": "2026-03-02T08:00Z"}, "to"),
        ({"priceVersion": "7"}, "priceVersion"),
        ({"priceVersion": "new"}, "priceVersion"),
        ({"reason": " "}, "reason"),
    ],
)
def test_what_cannot_be_restated_is_named(client: Client, changes: dict[str, str], parameter: str) -> None:
    body = {"from": "2026-03-02T09:00Z", "to": "2026-03-02T10:00Z", "priceVersion": None, "reason": "x"}

    response = client.post(f"{_PRICES}/restatements", json=body | changes)

    assert (response.status_code, response.json()["parameter"]) == (400, parameter)
