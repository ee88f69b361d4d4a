"""`/exports` and tables for `Accept`: who may have what, and that it is what the list answers."""

import csv
import io
import json
from dataclasses import replace
from typing import Any

import httpx
import pytest

from shared.api import export_sources
from shared.domain.reach import ReachEntry
from shared.stores.sql.audit import SqlAuditStore
from tests.builders.events import a_request, a_response
from tests.builders.exports import MemoryFiles
from tests.unit.api.rows import SETTINGS, Client, Ledger, a_usage_row, an_interaction, client_of

pytestmark = pytest.mark.slow

_EXPORTS = "/api/v1/exports"
_AT = "2026-03-02T09:30:00.123Z"


def as_(user: str, *roles: str) -> dict[str, str]:
    return {"X-Local-User": user, "X-Local-Roles": ",".join(roles)}


_ADA = as_("ada", "Usage.Read", "Audit.Read", "Content.Read", "Audit.Admin")
_NEEDED = {
    "interactions": ["Audit.Read"],
    "content": ["Audit.Read", "Content.Read"],
    "usage": ["Usage.Read"],
    "statement": ["Usage.Read"],
    "access-log": ["Audit.Admin"],
}
_FILTERS = {"statement": {"month": "2026-03"}}


def ask(
    client: Client, kind: str = "usage", form: str = "ndjson", headers: dict[str, str] | None = None, **changes: Any
) -> httpx.Response:
    body = {"kind": kind, "format": form, "filters": _FILTERS.get(kind, {})} | changes
    return client.post(_EXPORTS, json=body, headers=headers or _ADA)


def made(ledger: Ledger, files: MemoryFiles, client: Client, kind: str, form: str = "ndjson", **changes: Any) -> bytes:
    """Return the one part of an export."""
    response = ask(client, kind, form, **changes)
    assert response.status_code == 200, response.text
    ledger.make_exports(files)
    part = client.get(f"{_EXPORTS}/{response.json()['id']}/parts/1", headers=_ADA)
    assert part.status_code == 200, part.text
    return part.content


def lines(body: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in body.splitlines()]


@pytest.fixture(autouse=True)
def _rows(ledger: Ledger) -> None:
    ledger.has(
        an_interaction("call-1", model="gpt-4o", prompt_preview="=secret", subscription_id="sub-1"),
        an_interaction("call-2", model="gpt-4o", occurred_at="2026-03-02T09:31:00.000Z", subscription_id="sub-2"),
        an_interaction("call-3", model="other", end_user_id="=1+1", subscription_id="sub-2"),
    )
    for name in ("call-1", "call-2"):
        ledger.says(name, {"Q:1": a_request(name), "P:1": a_response(name)})
    ledger.used(a_usage_row(model="gpt-4o"), a_usage_row("2026-03-02T10:00:00.000Z", model="other"))


def test_an_export_of_interactions_is_the_list_without_texts(
    ledger: Ledger, files: MemoryFiles, client: Client
) -> None:
    listed = client.get("/api/v1/interactions?model=gpt-4o", headers=as_("ada", "Audit.Read")).json()["items"]

    found = lines(made(ledger, files, client, "interactions", filters={"model": "gpt-4o"}))

    assert found == listed
    assert [one["promptPreview"] for one in found] == [None, None]


def test_an_export_of_content_is_what_each_interaction_holds(
    ledger: Ledger, files: MemoryFiles, client: Client
) -> None:
    whole = client.get("/api/v1/interactions/call-1/content", headers=_ADA).json()

    found = lines(made(ledger, files, client, "content", filters={"model": "gpt-4o"}, purpose="case 7"))

    assert [one["id"] for one in found] == ["call-2", "call-1"]
    assert {name: found[1][name] for name in whole} == whole
    (*_, entry) = client.get("/api/v1/access-log?case=case 7", headers=_ADA).json()["items"]
    assert entry["purpose"] == "case 7"


def test_an_export_of_usage_is_the_list(ledger: Ledger, files: MemoryFiles, client: Client) -> None:
    query = {"groupBy": "model", "interval": "hour"}
    listed = client.get("/api/v1/usage", params=query, headers=_ADA).json()["items"]

    assert lines(made(ledger, files, client, "usage", filters=query)) == listed


def test_an_export_of_the_access_log_is_the_list(ledger: Ledger, files: MemoryFiles, client: Client) -> None:
    client.get("/api/v1/interactions/call-1/content", headers=_ADA)

    found = lines(made(ledger, files, client, "access-log", filters={"interactionId": "call-1"}))

    assert [one["subject"] for one in found] == ["call-1"]


@pytest.mark.parametrize("kind", list(_NEEDED))
def test_who_has_not_all_roles_that_the_list_needs_gets_no_export(
    ledger: Ledger, files: MemoryFiles, client: Client, kind: str
) -> None:
    for missing in _NEEDED[kind]:
        others = {"Usage.Read", "Audit.Read", "Content.Read", "Audit.Admin"} - {missing}

        refused = ask(client, kind, headers=as_("ada", *others))

        assert (refused.status_code, refused.json()["role"]) == (403, missing)
    asked = ask(client, kind, headers=as_("ada", *_NEEDED[kind]))
    assert asked.status_code == 200, asked.text
    ledger.make_exports(files)
    part = f"{_EXPORTS}/{asked.json()['id']}/parts/1"
    for missing in _NEEDED[kind]:
        lost = as_("ada", *{*_NEEDED[kind]} - {missing})
        assert client.get(part, headers=lost).status_code == 403
        assert client.get(f"{_EXPORTS}/{asked.json()['id']}/manifest", headers=lost).status_code == 403


def test_a_foreign_export_is_answered_as_one_that_is_not_there(
    ledger: Ledger, files: MemoryFiles, client: Client
) -> None:
    known = ask(client).json()["id"]
    ledger.make_exports(files)
    eve = {**_ADA, "X-Local-User": "eve"}

    for method, path in (
        ("GET", ""), ("GET", "/manifest"), ("GET", "/parts/1"), ("DELETE", ""),
    ):  # fmt: skip
        foreign = client.send(method, f"{_EXPORTS}/{known}{path}", headers=eve)
        unknown = client.send(method, f"{_EXPORTS}/{'0' * 32}{path}", headers=eve)
        assert (
            (foreign.status_code, foreign.content) == (unknown.status_code, unknown.content) == (404, unknown.content)
        )
    assert client.get(_EXPORTS, headers=eve).json()["items"] == []


def limit(ledger: Ledger, role: str, *subscriptions: str) -> None:
    for one in subscriptions:
        entry = ReachEntry(
            id=f"{role}{one}", role=role, holder="ada", is_group=False, matched="subscription", value=one,
            valid_from="2026-01-01T00:00:00.000Z", valid_to=None, added_by="eve", added_at=_AT,
        )  # fmt: skip
        SqlAuditStore(ledger.engine).add_reach(entry)


@pytest.mark.parametrize(
    ("kind", "role"), [("interactions", "Audit.Read"), ("content", "Audit.Read"), ("content", "Content.Read")]
)
def test_an_export_extends_as_far_as_its_readers_roles(
    ledger: Ledger, files: MemoryFiles, client: Client, kind: str, role: str
) -> None:
    limit(ledger, role, "sub-1")

    found = lines(made(ledger, files, client, kind))

    assert [one["id"] for one in found] == ["call-1"]


def test_whose_role_extends_to_fewer_calls_since_cannot_have_what_was_made(
    ledger: Ledger, files: MemoryFiles, client: Client
) -> None:
    known = ask(client, "interactions").json()["id"]
    ledger.make_exports(files)
    limit(ledger, "Audit.Read", "sub-1")

    refused = client.get(f"{_EXPORTS}/{known}/parts/1", headers=_ADA)

    assert refused.status_code == 409
    assert client.get(f"{_EXPORTS}/{known}/manifest", headers=_ADA).status_code == 409


def test_a_limited_administrator_exports_no_access_log(ledger: Ledger, client: Client) -> None:
    limit(ledger, "Audit.Admin", "sub-1")

    assert ask(client, "access-log").json()["type"].endswith("limited-role")


def test_texts_need_a_purpose_where_the_settings_say_so(ledger: Ledger, files: MemoryFiles) -> None:
    settings = replace(SETTINGS, needs_purpose=True)
    client = client_of(ledger.audit(), settings=settings, exports=ledger.exports(files))

    assert ask(client, "content").status_code == 400
    assert ask(client, "content", purpose="case 7").status_code == 200
    assert ask(client, "interactions").status_code == 200


def test_texts_need_a_grant_where_the_settings_say_so(ledger: Ledger, files: MemoryFiles) -> None:
    settings = replace(SETTINGS, needs_grant=True)
    client = client_of(ledger.audit(), settings=settings, exports=ledger.exports(files))

    assert ask(client, "content", purpose="case 7").status_code == 403


@pytest.mark.parametrize(
    ("kind", "filters", "parameter"),
    [
        ("usage", {"groupBy": "colour"}, "filters.groupBy"),
        ("usage", {"state": "complete"}, "filters.state"),
        ("interactions", {"limit": 5}, "filters.limit"),
        ("interactions", {"q": "secret"}, "filters.q"),
        ("interactions", {"total": True}, "filters.total"),
        ("statement", {}, "filters.month"),
    ],
)
def test_a_filter_that_the_list_does_not_take_is_refused_by_name(
    client: Client, kind: str, filters: dict[str, Any], parameter: str
) -> None:
    refused = ask(client, kind, filters=filters)

    assert (refused.status_code, refused.json()["parameter"]) == (400, parameter)


def test_progress_is_told_and_the_list_has_it(ledger: Ledger, files: MemoryFiles, client: Client) -> None:
    asked = ask(client).json()
    ledger.make_exports(files)

    done = client.get(f"{_EXPORTS}/{asked['id']}", headers=_ADA).json()

    assert (asked["state"], asked["parts"], asked["rows"]) == ("waiting", 0, 0)
    assert (done["state"], done["parts"], done["rows"]) == ("done", 1, 1)
    assert done["expiresAt"] > done["finishedAt"] >= done["wantedAt"]
    assert client.get(_EXPORTS, headers=_ADA).json()["items"] == [done]


@pytest.mark.parametrize("kind", ["interactions", "content", "usage", "access-log"])
def test_an_export_of_many_parts_is_the_list(
    ledger: Ledger, files: MemoryFiles, client: Client, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    for name in ("call-1", "call-2"):
        client.get(f"/api/v1/interactions/{name}/content", headers=_ADA)
    filters = {"groupBy": "model"} if kind == "usage" else {}
    expected = lines(made(ledger, files, client, kind, filters=filters))
    monkeypatch.setattr(export_sources, "_ROWS", 1)
    monkeypatch.setattr(export_sources, "_CONTENT_ROWS", 1)
    known = ask(client, kind, filters=filters).json()["id"]

    ledger.make_exports(files, part_bytes=1)

    done = client.get(f"{_EXPORTS}/{known}", headers=_ADA).json()
    parts = [client.get(f"{_EXPORTS}/{known}/parts/{n + 1}", headers=_ADA).content for n in range(done["parts"])]
    found = [one for body in parts for one in lines(body)]
    assert (done["state"], done["rows"]) == ("done", len(found))
    assert done["parts"] > 1
    # The access log has more lines since: those of the exports.
    assert found[-len(expected) :] == expected


def test_a_cancelled_export_is_gone(ledger: Ledger, files: MemoryFiles, client: Client) -> None:
    known = ask(client).json()["id"]
    ledger.make_exports(files)

    cancelled = client.send("DELETE", f"{_EXPORTS}/{known}", headers=_ADA).json()

    assert cancelled["state"] == "cancelled"
    assert client.get(f"{_EXPORTS}/{known}/parts/1", headers=_ADA).status_code == 404


def test_each_part_that_is_had_is_on_record_with_its_digest(ledger: Ledger, files: MemoryFiles, client: Client) -> None:
    known = ask(client, "content", purpose="case 7").json()["id"]
    ledger.make_exports(files)

    part = client.get(f"{_EXPORTS}/{known}/parts/1", headers=_ADA)

    entry = client.get("/api/v1/access-log?route=/api/v1/exports/{id}/parts/{n}", headers=_ADA).json()["items"][0]
    assert entry["subject"] == f"{known} part 1 sha256={part.headers['etag'].strip(chr(34))}"
    assert entry["interactions"]["ids"] == ["call-2", "call-3", "call-1"]
    assert entry["requestId"] == part.headers["x-request-id"]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/api/v1/interactions?limit=2", "id"),
        ("/api/v1/usage?groupBy=model&limit=1", "model"),
        ("/api/v1/access-log?limit=1", "subject"),
        ("/api/v1/costs/statement?month=2026-03", "kind"),
    ],
)
def test_a_list_can_be_had_as_a_table(client: Client, path: str, name: str) -> None:
    client.get("/api/v1/interactions/call-1/content", headers=_ADA)
    client.get("/api/v1/interactions/call-2/content", headers=_ADA)
    answer = client.get(path, headers=_ADA).json()

    as_csv = client.get(path, headers=_ADA | {"Accept": "text/csv"})
    as_lines = client.get(path, headers=_ADA | {"Accept": "application/x-ndjson"})

    rows = list(csv.DictReader(io.StringIO(as_csv.text, newline="")))
    assert as_csv.headers["content-type"] == "text/csv; charset=utf-8"
    assert len(rows) == len(lines(as_lines.content)) == len(answer["items"])
    if not path.startswith("/api/v1/access-log"):
        # The access log has a line more each time.
        assert lines(as_lines.content) == answer["items"]
        assert [row[name] for row in rows] == [item[name] for item in answer["items"]]
        assert as_csv.headers.get("x-next-cursor") == answer["nextCursor"]


def test_a_table_holds_no_formula_and_only_what_its_reader_may_see(client: Client) -> None:
    table = client.get("/api/v1/interactions", headers=as_("ada", "Audit.Read") | {"Accept": "text/csv"})

    rows = {row["id"]: row for row in csv.DictReader(io.StringIO(table.text, newline=""))}
    assert rows["call-3"]["endUserId"] == "'=1+1"
    assert rows["call-1"]["promptPreview"] == ""
    assert rows["call-1"]["usage.inputTokens"] == ""


def test_the_access_log_counts_the_rows_of_its_tables(client: Client) -> None:
    client.get("/api/v1/interactions/call-1/content", headers=_ADA)
    client.get("/api/v1/access-log", headers=_ADA | {"Accept": "text/csv"})

    entry = client.get("/api/v1/access-log", headers=_ADA).json()["items"][0]

    assert entry["rows"] == 1


def test_the_first_form_that_is_known_counts(client: Client) -> None:
    accept = {"Accept": "text/html, application/json;q=0.9, text/csv"}

    assert client.get("/api/v1/usage", headers=_ADA | accept).headers["content-type"] == "application/json"


def test_a_search_can_be_had_as_a_table(client: Client) -> None:
    table = client.get("/api/v1/interactions?q=hello", headers=_ADA | {"Accept": "text/csv"})

    assert table.text.startswith("id,occurredAt,")


@pytest.mark.parametrize("form", ["csv", "parquet", "ndjson"])
@pytest.mark.parametrize("kind", list(_NEEDED))
def test_each_kind_can_be_had_in_each_format(
    ledger: Ledger, files: MemoryFiles, client: Client, kind: str, form: str
) -> None:
    assert made(ledger, files, client, kind, form) is not None
