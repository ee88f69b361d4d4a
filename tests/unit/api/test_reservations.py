"""`/reservations` as callers meet it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from shared.api.models import Page
from shared.api.reservation_models import CapacityHour, Reservation
from shared.services.capacity import with_settled_capacity
from shared.stores.sql.capacity import SqlCapacity
from tests.unit.api.rows import Client, Ledger

_URL = "/api/v1/reservations"
_ADMIN = {"X-Local-User": "ada", "X-Local-Roles": "Audit.Admin"}
_READER = {"X-Local-User": "bob", "X-Local-Roles": "Usage.Read"}
_ONE = {
    "deployment": "Chat", "model": "gpt-4o", "units": 15, "amount": "1", "per": "hour", "currency": "USD",
    "validFrom": "2026-03-02T09:00Z", "source": "order 7",
}  # fmt: skip


def test_capacity_is_said_listed_and_ended(client: Client) -> None:
    added = client.post(_URL, json={"entries": [_ONE]}, headers=_ADMIN).json()
    listed = client.get(_URL, headers=_READER).json()
    (one,) = listed["items"]
    ended = client.post(f"{_URL}/{one['id']}/end", json={"validTo": "2026-03-02T11:00Z"}, headers=_ADMIN).json()

    Page[Reservation].model_validate(listed)
    assert (added["added"], ended["ended"]) == (1, 1)
    assert (one["deployment"], one["host"], one["kind"], one["amount"]) == ("chat", None, "provisioned", 1)
    assert client.get(_URL).json()["items"][0]["validTo"] == "2026-03-02T11:00:00.000Z"


def test_hours_are_listed_page_by_page(ledger: Ledger, client: Client) -> None:
    client.post(_URL, json={"entries": [_ONE]}, headers=_ADMIN)
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    with_settled_capacity(SqlCapacity(ledger.engine), lambda: 0, now=lambda: noon)

    first = client.get(f"{_URL}/hours?from=2026-03-02T10:00Z&limit=1", headers=_READER).json()
    rest = client.get(f"{_URL}/hours?from=2026-03-02T10:00Z&limit=1&cursor={first['nextCursor']}").json()

    Page[CapacityHour].model_validate(first)
    assert [one["items"][0]["hour"] for one in (first, rest)] == [
        "2026-03-02T10:00:00.000Z",
        "2026-03-02T11:00:00.000Z",
    ]
    assert rest["nextCursor"] is None
    (hour,) = first["items"]
    assert (hour["cost"], hour["amount"], hour["line"], hour["capacity"]) == (15, 15, "idle", 2_250_000)


@pytest.mark.parametrize("path", [_URL, f"{_URL}/x/end"])
def test_only_an_administrator_says_what_capacity_is_paid_for(client: Client, path: str) -> None:
    response = client.post(path, json={}, headers=_READER)

    assert (response.status_code, response.json()["role"]) == (403, "Audit.Admin")


@pytest.mark.parametrize(
    "changes",
    [
        {"units": 0}, {"units": 1.5}, {"per": "year"}, {"kind": "other"}, {"validFrom": "2026-03-02T09:30Z"},
        {"validFrom": "1999-01-01"}, {"validTo": "2026-03-02T09:00Z"}, {"amount": "much"}, {"currency": "usd"},
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_reservation_is_named(client: Client, changes: dict[str, Any]) -> None:
    response = client.post(_URL, json={"entries": [_ONE | changes]})

    assert (response.status_code, response.json()["parameter"]) == (400, "entries")


def test_capacity_ends_with_an_hour(client: Client) -> None:
    client.post(_URL, json={"entries": [_ONE]})
    (one,) = client.get(_URL).json()["items"]

    response = client.post(f"{_URL}/{one['id']}/end", json={"validTo": "2026-03-02T11:30Z"})

    assert (response.status_code, response.json()["parameter"]) == (400, "validTo")
