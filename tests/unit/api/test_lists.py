"""`/prompts`, `/balance` and `/quarantine`."""

from collections import Counter

from shared.api.models import Balance, Page, Prompt, QuarantinedEvent
from shared.stores.sql import tables
from tests.unit.api.rows import Client, Ledger, an_interaction

_AT = "2026-03-02T09:30:00.000Z"


def test_prompts_are_the_articles_second_table(ledger: Ledger, client: Client) -> None:
    ledger.has(an_interaction(model="gpt-4o", input_tokens=11, prompt_preview="What is"))

    page = client.get("/api/v1/prompts").json()

    Page[Prompt].model_validate(page)
    assert page["items"] == [
        {
            "id": "call-1",
            "occurredAt": "2026-03-02T09:30:00.123Z",
            "model": "gpt-4o",
            "inputTokens": 11,
            "promptPreview": "What is",
        }
    ]
    assert ledger.reads() == [("local", "/api/v1/prompts", "list")]


def test_prompts_without_the_content_role_have_no_text(ledger: Ledger, client: Client) -> None:
    ledger.has(an_interaction(input_tokens=11, prompt_preview="What is"))

    (item,) = client.get("/api/v1/prompts", headers={"X-Local-Roles": "Usage.Read"}).json()["items"]

    assert (item["inputTokens"], item["promptPreview"]) == (11, None)
    assert ledger.reads() == []


def test_prompts_can_be_narrowed_and_paged(ledger: Ledger, client: Client) -> None:
    ledger.has(*(an_interaction(f"c{n}", model="m", caller_ip="10.0.0.1") for n in range(3)), an_interaction("x"))
    query = "/api/v1/prompts?model=m&callerIp=10.0.0.1&from=2026-03-02&to=2026-03-03&limit=2"

    first = client.get(query).json()
    second = client.get(f"{query}&cursor={first['nextCursor']}").json()

    assert [item["id"] for item in first["items"] + second["items"]] == ["c2", "c1", "c0"]
    assert second["nextCursor"] is None


def test_the_balance_puts_every_event_in_one_class(ledger: Ledger, client: Client) -> None:
    outcomes = ["kept", "kept", "kept", "duplicate", "skipped", "quarantined"]
    for sequence, outcome in enumerate(outcomes):
        position = {"hub": "gateway", "partition_id": "0", "sequence": sequence, "enqueued_at": _AT}
        ledger.insert(tables.delivery, position | {"outcome": outcome})
        if sequence == 0:
            # One event that two interactions wait for is one pending event.
            ledger.insert(tables.waiting, *({"interaction_id": name} | position for name in ("a", "b")))
    partition = {"hub": "gateway", "partition_id": "0", "received": 8, "redelivered": 2}
    ledger.insert(tables.hub_partition, partition | {"last_sequence": 5, "last_enqueued_at": _AT})
    place = {"hub": "gateway", "partition_id": "0"}
    for outcome, number in Counter(outcomes).items():
        ledger.insert(tables.delivery_count, place | {"outcome": outcome, "number": number})

    answer = client.get("/api/v1/balance").json()

    Balance.model_validate(answer)
    counts = {"received": 8, "stored": 2, "duplicate": 3, "pending": 1, "skipped": 1, "quarantined": 1}
    stands = {"hub": "gateway", "partition": "0", "lastSequence": 5, "lastEnqueuedAt": _AT}
    assert answer == {"items": [stands | counts], "nextCursor": None, "total": counts}


def test_the_balance_of_an_empty_ledger_is_zero(client: Client) -> None:
    answer = client.get("/api/v1/balance").json()

    assert answer["items"] == []
    assert set(answer["total"].values()) == {0}


def test_quarantine_shows_where_and_why_but_not_the_bytes(ledger: Ledger, client: Client) -> None:
    for number in range(3):
        position = {"hub": "monitor", "partition_id": "1", "sequence": number, "enqueued_at": _AT}
        why = {"id": f"q{number}", "reason": "not JSON", "parser_version": "1", "size": 9, "body": b"secret"}
        ledger.insert(tables.quarantine, position | why)

    first = client.get("/api/v1/quarantine?limit=2").json()
    second = client.get(f"/api/v1/quarantine?limit=2&cursor={first['nextCursor']}").json()

    Page[QuarantinedEvent].model_validate(first)
    assert [item["id"] for item in first["items"] + second["items"]] == ["q2", "q1", "q0"]
    assert first["items"][0] == {
        "id": "q2",
        "hub": "monitor",
        "partition": "1",
        "sequence": 2,
        "enqueuedAt": _AT,
        "reason": "not JSON",
        "parserVersion": "1",
        "size": 9,
    }


def test_a_call_that_waited_does_not_come_again_where_it_moves_behind_the_cursor(
    ledger: Ledger, client: Client
) -> None:
    at = "2026-03-02T09:{:02}:00.000Z"
    ledger.has(*(an_interaction(f"c{n}", occurred_at=at.format(n)) for n in range(1, 6)))
    ledger.has(an_interaction("waiting", occurred_at=at.format(30), state="pending"))
    first = client.get("/api/v1/interactions?limit=2").json()

    with ledger.engine.begin() as connection:
        connection.exec_driver_sql(
            f"update interaction set occurred_at = '{at.format(3)}', state = 'complete' where id = 'waiting'"
        )
    ledger.has(an_interaction("new", occurred_at=at.format(40)))
    rest, cursor = [], first["nextCursor"]
    while cursor:
        page = client.get(f"/api/v1/interactions?limit=2&cursor={cursor}").json()
        rest += [item["id"] for item in page["items"]]
        cursor = page["nextCursor"]

    assert [item["id"] for item in first["items"]] == ["waiting", "c5"]
    assert rest == ["c4", "c3", "c2", "c1"]


def test_a_cursor_stays_short_enough_for_an_address(ledger: Ledger, client: Client) -> None:
    ledger.has(*(an_interaction(f"{n:0>100}", state="pending") for n in range(60)), an_interaction("x" * 128))

    cursor = client.get("/api/v1/interactions?limit=59").json()["nextCursor"]

    assert len(cursor) < 4096
    assert len(client.get(f"/api/v1/interactions?limit=59&cursor={cursor}").json()["items"]) == 2
