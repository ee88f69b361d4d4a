"""`/quarantine` and `/completeness` as callers meet them."""

import base64
from typing import Any

import pytest

from shared.api.bodies import LARGEST_BODY
from shared.api.models import Discarded, FoundAmiss, Page, QuarantinedBody, ReplayResult
from shared.services.ingest import ingest
from shared.stores.sql import tables
from shared.stores.sql.content import SqlContentStore
from shared.stores.sql.ledger import SqlLedger
from tests.builders import events
from tests.unit.api.rows import Client, Ledger

_QUARANTINE = "/api/v1/quarantine"
_AUDITOR = {"X-Local-User": "ada", "X-Local-Roles": "Audit.Read"}
_ADMIN = {"X-Local-User": "ada", "X-Local-Roles": "Audit.Admin"}
_READER = {"X-Local-User": "ada", "X-Local-Roles": "Content.Read"}


def quarantined(ledger: Ledger, client: Client, *bodies: bytes) -> list[str]:
    """Return the ids of events that cannot be understood, after they came."""
    ingest(events.deliveries(*bodies), ledger=SqlLedger(ledger.engine), content=SqlContentStore(ledger.engine))
    return [item["id"] for item in client.get(_QUARANTINE).json()["items"]]


def test_the_bytes_of_an_event_need_the_content_role_and_their_reading_is_recorded(
    ledger: Ledger, client: Client
) -> None:
    (event_id,) = quarantined(ledger, client, events.poison())
    url = f"{_QUARANTINE}/{event_id}/body"

    refused = client.get(url, headers=_ADMIN)
    body = client.get(url, headers=_READER).json()

    assert (refused.status_code, refused.json()["role"]) == (403, "Content.Read")
    QuarantinedBody.model_validate(body)
    assert (body["body"], body["bodyBase64"]) == (events.poison().decode(), None)
    assert (body["hub"], body["partition"], body["sequence"]) == ("gateway", "0", 0)
    assert ledger.reads()[1:] == [("ada", "/api/v1/quarantine/{id}/body", event_id)]


def test_bytes_that_are_no_text_come_in_base64(ledger: Ledger, client: Client) -> None:
    (event_id,) = quarantined(ledger, client, b"\xff\x00\xfe")

    body = client.get(f"{_QUARANTINE}/{event_id}/body").json()

    assert (body["body"], base64.b64decode(body["bodyBase64"])) == (None, b"\xff\x00\xfe")


def test_a_replay_tells_what_became_of_the_events(ledger: Ledger, client: Client) -> None:
    ids = quarantined(ledger, client, events.poison(), events.poison() + b"!")

    by_id = client.post(f"{_QUARANTINE}/replay", json={"ids": [*ids, "nothing"]}, headers=_ADMIN).json()
    by_range = client.post(f"{_QUARANTINE}/replay", json={"from": "2026-03-02", "limit": 1}).json()
    rest = client.post(f"{_QUARANTINE}/replay", json={"from": "2026-03-02", "cursor": by_range["nextCursor"]}).json()

    for answer in (by_id, by_range, rest):
        ReplayResult.model_validate(answer)
    assert (by_id["received"], by_id["quarantined"], by_id["unknown"]) == (2, 2, ["nothing"])
    assert (by_range["received"], rest["received"], rest["nextCursor"]) == (1, 1, None)


def test_a_discarded_event_is_not_there_any_more(ledger: Ledger, client: Client) -> None:
    (event_id,) = quarantined(ledger, client, events.poison())
    url = f"{_QUARANTINE}/{event_id}/discard"

    discarded = client.post(url, json={"reason": " a test of the firewall "}, headers=_ADMIN).json()
    again = client.post(url, json={"reason": "again"}, headers=_ADMIN).json()
    other = client.post(f"{_QUARANTINE}/other/discard", json={"reason": "nothing"}, headers=_ADMIN)

    Discarded.model_validate(discarded)
    assert again == discarded
    assert other.status_code == 404
    assert client.get(_QUARANTINE).json()["items"] == []
    assert client.get(f"{_QUARANTINE}/{event_id}/body").status_code == 404
    assert client.get("/api/v1/balance").json()["total"]["skipped"] == 1


@pytest.mark.parametrize("path", ["/replay", "/some/discard"])
def test_only_an_administrator_acts_on_quarantine(client: Client, path: str) -> None:
    response = client.post(f"{_QUARANTINE}{path}", json={}, headers=_AUDITOR)

    assert (response.status_code, response.json()["role"]) == (403, "Audit.Admin")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "body", "parameter"),
    [
        ("/replay", {}, "body"),
        ("/replay", {"ids": ["a"], "from": "2026-03-02"}, "body"),
        ("/replay", {"ids": []}, "ids"),
        ("/replay", {"ids": ["a"] * 101}, "ids"),
        ("/replay", {"from": "yesterday"}, "from"),
        ("/replay", {"from": "2026-03-02", "to": "2026-03-01"}, "to"),
        ("/replay", {"from": "2026-03-02", "limit": 101}, "limit"),
        ("/replay", {"from": "2026-03-02", "cursor": "rubbish"}, "cursor"),
        ("/replay", {"ids": ["a"], "all": True}, "all"),
        ("/replay", ["a"], "body"),
        ("/some/discard", {}, "reason"),
        ("/some/discard", {"reason": "  "}, "reason"),
        ("/some/discard", {"reason": "x" * 513}, "reason"),
    ],
)
def test_what_is_wrong_with_a_body_is_named(client: Client, path: str, body: Any, parameter: str) -> None:
    response = client.post(f"{_QUARANTINE}{path}", json=body)

    assert (response.status_code, response.json()["parameter"]) == (400, parameter)
    assert response.headers["content-type"] == "application/problem+json"


def test_a_body_that_is_not_said_to_be_json_is_told_so(client: Client) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}

    response = client.send("POST", f"{_QUARANTINE}/replay", headers=form, content=b'{"ids": ["a"]}')

    assert (response.status_code, response.json()["parameter"]) == (400, "body")
    assert "Content-Type: application/json" in response.json()["detail"]


def test_a_get_changes_nothing(client: Client) -> None:
    response = client.get(f"{_QUARANTINE}/replay")

    assert response.status_code in (404, 405)


def a_finding(kind: str = "gap", hour: str = "2026-03-02T09:00:00.000Z", **changes: Any) -> dict[str, Any]:
    return {
        "id": f"{hour[:13]} {kind} gateway",
        "hub": "gateway",
        "hour": hour,
        "kind": kind,
        "number": 3,
        "detail": '{"gaps":[]}',
        "found_at": "2026-03-02T11:10:00.000Z",
        "resolved_at": None,
    } | changes


def test_findings_are_listed_newest_hour_first_and_paged(ledger: Ledger, client: Client) -> None:
    hours = [f"2026-03-02T{hour:02d}:00:00.000Z" for hour in (9, 10, 11)]
    ledger.insert(tables.finding, *(a_finding(hour=hour) for hour in hours), a_finding("bypass", hours[2], hub=""))

    first = client.get("/api/v1/completeness?limit=3", headers=_AUDITOR).json()
    second = client.get(f"/api/v1/completeness?limit=3&cursor={first['nextCursor']}", headers=_AUDITOR).json()

    Page[FoundAmiss].model_validate(first)
    told = [(item["hour"][11:13], item["kind"], item["hub"]) for item in first["items"] + second["items"]]
    assert told == [
        ("11", "gap", "gateway"),
        ("11", "bypass", None),
        ("10", "gap", "gateway"),
        ("09", "gap", "gateway"),
    ]
    assert first["items"][0]["detail"] == {"gaps": []}
    assert second["nextCursor"] is None


def test_findings_can_be_narrowed(ledger: Ledger, client: Client) -> None:
    resolved = a_finding("bypass", "2026-03-02T08:00:00.000Z", resolved_at="2026-03-02T12:10:00.000Z")
    ledger.insert(tables.finding, a_finding(), resolved)

    def kinds(query: str) -> list[str]:
        return [item["kind"] for item in client.get(f"/api/v1/completeness?{query}").json()["items"]]

    assert kinds("resolved=false") == kinds("from=2026-03-02T09:00:00Z") == kinds("kind=gap") == ["gap"]
    assert kinds("resolved=true") == kinds("to=2026-03-02T09:00:00Z") == ["bypass"]
    assert kinds("hub=gateway") == ["gap", "bypass"]
    assert kinds("hub=monitor") == []


def test_findings_need_the_auditors_role_and_a_kind_that_exists(client: Client) -> None:
    refused = client.get("/api/v1/completeness", headers=_ADMIN)
    unknown = client.get("/api/v1/completeness?kind=nothing")

    assert (refused.status_code, refused.json()["role"]) == (403, "Audit.Read")
    assert (unknown.status_code, unknown.json()["parameter"]) == (400, "kind")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param(_AUDITOR, 403, id="without the role"),
        pytest.param(_ADMIN | {"X-Forwarded-For": "203.0.113.7"}, 403, id="from elsewhere"),
        pytest.param(_ADMIN, 413, id="too long"),
    ],
)
@pytest.mark.parametrize("path", ["/replay", "/0123/discard"])
def test_a_long_body_is_refused_and_not_read_where_nobody_may_send_one(
    client: Client, headers: dict[str, str], status: int, path: str
) -> None:
    body = b" " * (LARGEST_BODY + 1)

    response = client.post(f"{_QUARANTINE}{path}", headers=headers | {"Content-Type": "application/json"}, content=body)

    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")


def test_a_body_that_says_that_it_is_too_long_is_refused_unread(client: Client) -> None:
    headers = _ADMIN | {"Content-Type": "application/json", "Content-Length": str(LARGEST_BODY + 1)}

    response = client.post(f"{_QUARANTINE}/replay", headers=headers, content=b"{}")

    assert (response.status_code, response.json()["type"]) == (413, "urn:promptledger:problem:too-large")


def test_a_body_that_is_no_json_is_no_reason_to_tell_a_stranger_so(client: Client) -> None:
    response = client.post(f"{_QUARANTINE}/replay", headers=_AUDITOR, content=b"{")

    assert (response.status_code, response.json()["role"]) == (403, "Audit.Admin")


@pytest.mark.slow
def test_a_replay_of_more_than_a_slice_ends_as_one_of_a_slice(ledger: Ledger, client: Client) -> None:
    bodies = [f"no JSON {number} {'x' * 400_000}".encode() for number in range(12)]
    ids = quarantined(ledger, client, *bodies)

    replayed = client.post(f"{_QUARANTINE}/replay", headers=_ADMIN, json={"ids": [*ids, "unknown"]}).json()

    assert len(ids) == 12
    assert (replayed["unknown"], replayed["quarantined"]) == (["unknown"], 12)
