"""Who reads the record is on record: what they got, why, and before they got it."""

import hashlib
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from shared.api.access_models import AccessRecord
from shared.domain.access_log import AccessEntry
from shared.errors import StoreUnavailableError
from shared.services.audit import AuditService
from shared.stores.sql import tables
from shared.stores.sql.audit import SqlAuditStore
from shared.stores.sql.content import SqlContentStore
from tests.unit.api.rows import SETTINGS, Client, Ledger, an_interaction, client_of

_LOG = "/api/v1/access-log"
_READER = {"X-Local-User": "ada", "X-Local-Roles": "Audit.Read,Content.Read"}
_ADMIN = {"X-Local-User": "eve", "X-Local-Roles": "Audit.Admin"}
_SAYS = {"Q:1": b'{"prompt": "hello"}'}


def a_text(interaction_id: str = "call-1", **changes: Any) -> dict[str, Any]:
    return an_interaction(interaction_id, prompt_preview="hello", **changes)


def entries(client: Client, query: str = "") -> list[dict[str, Any]]:
    response = client.get(f"{_LOG}?{query}", headers=_ADMIN)
    assert response.status_code == 200, response.text
    items: list[dict[str, Any]] = response.json()["items"]
    for item in items:
        AccessRecord.model_validate(item)
    return items


def test_an_entry_says_who_why_what_and_how_much(ledger: Ledger, client: Client) -> None:
    ledger.has(a_text("call-1"), a_text("call-2"), an_interaction("call-3"))

    answer = client.get("/api/v1/interactions?state=complete&purpose=review", headers=_READER | {"X-Case-Id": "C-7"})

    (entry,) = entries(client)
    assert entry["requestId"] == answer.headers["x-request-id"]
    assert {name: entry[name] for name in entry if name not in {"id", "at", "requestId"}} == {
        "reader": "ada",
        "readerName": None,
        "appId": None,
        "roles": ["Audit.Read", "Content.Read"],
        "route": "/api/v1/interactions",
        "subject": "list state=complete",
        "purpose": "C-7: review",
        "rows": 3,
        "interactions": {"ids": [item["id"] for item in answer.json()["items"]]},
        "result": "done",
    }


@pytest.mark.parametrize(
    ("url", "subject"),
    [
        ("/api/v1/interactions", "list"),
        ("/api/v1/interactions/call-1", "call-1"),
        ("/api/v1/interactions/call-1/content", "call-1"),
        ("/api/v1/prompts?model=gpt", "list model=gpt"),
        ("/api/v1/interactions?q=hello&model=gpt", "hello model=gpt"),
    ],
)
def test_every_answer_with_text_and_every_search_names_its_interactions(
    ledger: Ledger, client: Client, url: str, subject: str
) -> None:
    ledger.has(a_text("call-1", model="gpt"))
    ledger.says("call-1", _SAYS)

    assert client.get(url).status_code == 200

    (entry,) = entries(client)
    assert (entry["subject"], entry["result"]) == (subject, "done")
    assert entry["interactions"] is not None
    assert entry["rows"] == len(entry["interactions"]["ids"])


@pytest.mark.parametrize("url", ["/api/v1/interactions", "/api/v1/interactions/call-1", "/api/v1/balance"])
def test_an_answer_without_text_leaves_no_entry(ledger: Ledger, client: Client, url: str) -> None:
    ledger.has(a_text())

    assert client.get(url, headers={"X-Local-Roles": "Audit.Read"}).status_code == 200
    assert entries(client) == []


def test_a_large_answer_is_named_by_its_ends_its_number_and_a_digest(ledger: Ledger, client: Client) -> None:
    ledger.has(*(a_text(f"call-{number:03}") for number in range(150)))

    ids = [item["id"] for item in client.get("/api/v1/interactions?limit=150").json()["items"]]

    (entry,) = entries(client)
    digest = hashlib.sha256("\n".join(ids).encode()).hexdigest()
    assert entry["interactions"] == {"first": ids[0], "last": ids[-1], "count": 150, "sha256": digest}
    assert entry["rows"] == 150


def test_an_act_of_an_administrator_is_recorded_with_what_was_wanted(client: Client) -> None:
    client.post("/api/v1/quarantine/replay", json={"ids": ["nothing"]}, headers=_ADMIN)
    client.get("/api/v1/quarantine?limit=5", headers=_ADMIN)

    listed, replayed = entries(client)
    assert (replayed["reader"], replayed["route"]) == ("eve", "/api/v1/quarantine/replay")
    assert replayed["subject"] == 'POST {"ids":["nothing"]}'
    assert (listed["route"], listed["subject"], listed["rows"]) == ("/api/v1/quarantine", "GET limit=5", 0)


def test_a_reading_of_the_log_stands_in_the_log(client: Client) -> None:
    assert entries(client, "reader=ada") == []

    (entry,) = entries(client)
    assert (entry["reader"], entry["route"], entry["subject"]) == ("eve", _LOG, "GET reader=ada")


def test_who_lacks_the_role_for_content_or_acts_is_recorded_and_gets_nothing(ledger: Ledger, client: Client) -> None:
    ledger.has(a_text())
    nobody = {"X-Local-User": "bob", "X-Local-Roles": "Audit.Read"}

    assert client.get("/api/v1/interactions/call-1/content", headers=nobody).status_code == 403
    assert client.post("/api/v1/quarantine/x/discard", json={"reason": "x"}, headers=nobody).status_code == 403
    assert client.get("/api/v1/interactions?q=hello", headers=nobody).status_code == 403

    found = [(entry["reader"], entry["route"], entry["subject"], entry["result"]) for entry in entries(client)]
    assert found == [
        ("bob", "/api/v1/interactions", "q=hello", "refused"),
        ("bob", "/api/v1/quarantine/{id}/discard", "x", "refused"),
        ("bob", "/api/v1/interactions/{id}/content", "call-1", "refused"),
    ]


def test_who_looks_for_content_that_is_not_there_is_recorded(client: Client) -> None:
    assert client.get("/api/v1/interactions/nothing/content", headers=_READER).status_code == 404

    (entry,) = entries(client)
    assert (entry["subject"], entry["rows"], entry["result"]) == ("nothing", 0, "not-found")


def test_the_log_is_found_by_who_what_why_when_and_which_interaction(ledger: Ledger, client: Client) -> None:
    ledger.has(a_text("call-1"), a_text('call-"2\\%'))
    client.get("/api/v1/interactions", headers=_READER | {"X-Case-Id": "C-7"})
    client.get("/api/v1/interactions/call-1", headers=_READER | {"X-Local-User": "bob"})
    (bobs, adas) = entries(client)

    assert [one["id"] for one in entries(client, "reader=bob")] == [bobs["id"]]
    assert [one["id"] for one in entries(client, "case=C-7")] == [adas["id"]]
    assert [one["id"] for one in entries(client, f"requestId={adas['requestId']}")] == [adas["id"]]
    assert [one["id"] for one in entries(client, "route=/api/v1/interactions")] == [adas["id"]]
    assert [one["id"] for one in entries(client, "interactionId=call-1")] == [bobs["id"], adas["id"]]
    assert [one["id"] for one in entries(client, 'interactionId=call-"2\\%25')] == [adas["id"]]
    assert entries(client, "interactionId=call-") == []
    assert entries(client, "result=refused") == []
    assert entries(client, "to=2026-01-01") == []
    assert {one["id"] for one in entries(client, f"from={adas['at']}")} > {bobs["id"], adas["id"]}


def test_pages_of_the_log_stay_as_they_are_while_entries_come(ledger: Ledger, client: Client) -> None:
    ledger.has(a_text())
    for _ in range(5):
        client.get("/api/v1/interactions/call-1", headers=_READER)

    found: list[str] = []
    cursor = ""
    while True:
        answer = client.get(f"{_LOG}?reader=ada&limit=2{cursor}", headers=_ADMIN).json()
        found += [item["id"] for item in answer["items"]]
        if answer["nextCursor"] is None:
            break
        cursor = f"&cursor={answer['nextCursor']}"
        client.get("/api/v1/interactions/call-1", headers=_READER)

    assert len(found) == len(set(found)) == 5
    assert client.get(f"{_LOG}?cursor=x", headers=_ADMIN).status_code == 400


class Broken(SqlAuditStore):
    """Reads, and cannot write."""

    def record_access(self, entry: AccessEntry) -> None:  # noqa: ARG002
        raise StoreUnavailableError("no room")


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("GET", "/api/v1/interactions"),
        ("GET", "/api/v1/interactions/call-1"),
        ("GET", "/api/v1/interactions/call-1/content"),
        ("GET", "/api/v1/interactions?q=hello"),
        ("GET", "/api/v1/prompts"),
        ("GET", "/api/v1/quarantine"),
        ("GET", _LOG),
        ("POST", "/api/v1/quarantine/replay"),
    ],
)
def test_what_cannot_be_recorded_is_not_given_out(ledger: Ledger, method: str, url: str) -> None:
    ledger.has(a_text())
    ledger.says("call-1", _SAYS)
    audit = AuditService(store=Broken(ledger.engine), content=SqlContentStore(ledger.engine))
    body = {"json": {"ids": ["x"]}} if method == "POST" else {}

    response = client_of(audit, ledger.quarantine()).send(method, url, **body)

    assert response.status_code == 503
    assert "hello" not in response.text


@pytest.mark.parametrize("act", ["update content_read set reader = 'bob'", "delete from content_read"])
def test_no_entry_is_ever_changed_or_removed(ledger: Ledger, client: Client, act: str) -> None:
    ledger.has(a_text())
    client.get("/api/v1/interactions/call-1", headers=_READER)

    with pytest.raises(sa.exc.IntegrityError, match="never changed"), ledger.engine.begin() as connection:
        connection.execute(sa.text(act))

    assert [entry["reader"] for entry in entries(client)] == ["ada"]


def test_entries_of_releases_that_kept_less_are_shown_as_they_are(ledger: Ledger, client: Client) -> None:
    old = {"reader": "0a1b (ada@example.org)", "route": "/api/v1/interactions/{id}", "subject": "call-1"}
    ledger.insert(tables.content_read, old | {"read_at": "2026-03-02T09:30:00.123Z"})

    (entry,) = entries(client)

    assert {name: value for name, value in entry.items() if value is not None} == old | {
        "id": "1",
        "at": "2026-03-02T09:30:00.123Z",
    }
    assert [one["id"] for one in entries(client, "interactionId=call-1")] == ["1"]


# Why texts are read


def test_where_a_purpose_is_required_nobody_gets_texts_without_one(ledger: Ledger) -> None:
    ledger.has(a_text())
    ledger.says("call-1", _SAYS)
    client = client_of(ledger.audit(), ledger.quarantine(), settings=replace(SETTINGS, needs_purpose=True))

    for url in ("/api/v1/interactions/call-1/content", "/api/v1/interactions?q=hello", "/api/v1/quarantine/x/body"):
        response = client.get(url)
        assert (response.status_code, response.json()["parameter"]) == (400, "purpose")
    for url in ("/api/v1/interactions/call-1", "/api/v1/interactions", "/api/v1/prompts"):
        assert "hello" not in client.get(url).text
        assert "hello" in client.get(url, headers={"X-Case-Id": "C-7"}).text
        assert "hello" in client.get(f"{url}?purpose=review").text
    assert client.get("/api/v1/interactions/call-1/content?purpose=review").status_code == 200
    assert {entry["purpose"] for entry in entries(client, "route=/api/v1/interactions")} == {"C-7", "review"}


def test_a_purpose_is_nothing_that_a_cursor_goes_by(ledger: Ledger, client: Client) -> None:
    ledger.has(a_text("call-1"), a_text("call-2"))
    cursor = client.get("/api/v1/interactions?limit=1&purpose=a").json()["nextCursor"]

    assert client.get(f"/api/v1/interactions?limit=1&cursor={cursor}&purpose=b").status_code == 200


@pytest.mark.parametrize("case", ["C-7\u00e9\u00ff", "x" * 5_000, "\t C-7 \t"])
def test_any_case_is_kept_as_far_as_it_fits(ledger: Ledger, client: Client, case: str) -> None:
    ledger.has(a_text())
    client.get("/api/v1/interactions", headers=[("X-Case-Id", case.encode("latin-1"))])

    (entry,) = entries(client)
    assert entry["purpose"] == case.strip()[:256]
