"""The analysts' queries, run on rows."""

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.questions import InteractionFilter
from shared.stores.sql import tables
from tests.builders import queries
from tests.contracts.test_usage_rollups import ERRORS
from tests.unit.api.rows import Client, Ledger, a_usage_row, an_interaction

_MIGRATING = Path(__file__).parents[3] / "docs" / "migrating-from-stream-analytics.md"
_RANGE = ("2026-03-02T00:00:00.000Z", "2026-03-03T00:00:00.000Z")


@pytest.fixture
def connection(ledger: Ledger) -> Iterator[sqlite3.Connection]:
    connection = queries.opened(ledger.engine.url.database)
    yield connection
    connection.close()


def run(connection: sqlite3.Connection, name: str) -> list[dict[str, Any]]:
    return queries.run(connection, name, *_RANGE)


def answer(connection: sqlite3.Connection, script: str) -> list[dict[str, Any]]:
    return queries.ask(connection, script, *_RANGE)


def test_usage_is_summed_by_caller_and_model(ledger: Ledger, connection: sqlite3.Connection) -> None:
    call = {"caller_ip": "10.0.0.1", "model": "gpt-4o", "input_tokens": 10, "output_tokens": 5, "total_tokens": 15}
    ledger.has(an_interaction("a", **call), an_interaction("b", **call | {"total_tokens": 16}))
    ledger.has(an_interaction("unmetered", caller_ip="10.0.0.1", model="gpt-4o"))
    ledger.has(an_interaction("another", **call | {"model": "o3"}))
    ledger.has(an_interaction("outside", **call, occurred_at="2026-03-03T00:00:00.000Z"))

    first, second = run(connection, "usage_by_caller_and_model")

    assert first == {
        "CallerIp": "10.0.0.1",
        "Model": "gpt-4o",
        "Requests": 3,
        "PromptTokens": 20,
        "CompletionTokens": 10,
        "TotalTokens": 31,
        "AverageTotalTokens": 15.5,
    }
    assert second["Model"] == "o3"


def test_prompts_come_newest_first(ledger: Ledger, connection: sqlite3.Connection) -> None:
    ledger.has(an_interaction("old", occurred_at="2026-03-02T01:00:00.000Z"))
    ledger.has(an_interaction("new", model="gpt-4o", input_tokens=11, prompt_preview="What is"))

    rows = run(connection, "prompts")

    assert [row["Id"] for row in rows] == ["new", "old"]
    assert rows[0] == {
        "Id": "new",
        "OccurredAt": "2026-03-02T09:30:00.123Z",
        "Model": "gpt-4o",
        "InputTokens": 11,
        "PromptPreview": "What is",
    }


def test_usage_that_is_repeated_counts_once(ledger: Ledger, connection: sqlite3.Connection) -> None:
    poll = {"caller_ip": "10.0.0.1", "model": "o3", "usage_key": "resp_1"}
    ledger.has(an_interaction("first", **poll, total_tokens=10), an_interaction("last", **poll, total_tokens=15))
    ledger.has(an_interaction("guess", **poll, total_tokens=99, usage_provenance="estimated"))

    (row,) = run(connection, "usage_by_caller_and_model")

    assert (row["Requests"], row["TotalTokens"], row["AverageTotalTokens"]) == (3, 15, 15.0)


def test_usage_by_hour_adds_up_the_rollups(ledger: Ledger, connection: sqlite3.Connection) -> None:
    ledger.used(a_usage_row(model="gpt-4o"), a_usage_row(model="o3", errors=1, unmetered_requests=1))
    ledger.used(a_usage_row("2026-03-02T10:00:00.000Z"), a_usage_row("2026-03-03T00:00:00.000Z"))

    first, second = run(connection, "usage_by_hour")

    assert first == {
        "IntervalStart": "2026-03-02T09:00:00.000Z",
        "Requests": 2,
        "Errors": 1,
        "InputTokens": 20,
        "CachedInputTokens": 0,
        "OutputTokens": 10,
        "ReasoningTokens": 0,
        "TotalTokens": 30,
        "UnmeteredRequests": 1,
    }
    assert second["IntervalStart"] == "2026-03-02T10:00:00.000Z"


def test_errors_come_by_kind_the_most_frequent_first(ledger: Ledger, connection: sqlite3.Connection) -> None:
    throttled = {"http_status": 429, "error_code": "429", "state": "failed", "model": "gpt-4o"}
    ledger.has(an_interaction("a", **throttled, caller_ip="10.0.0.1", occurred_at="2026-03-02T08:00:00.000Z"))
    ledger.has(an_interaction("b", **throttled, caller_ip="10.0.0.2"), an_interaction("fine", http_status=200))
    ledger.has(an_interaction("filter", http_status=400, error_code="content_filter", state="refused"))
    ledger.has(an_interaction("stream", http_status=200, error_code="server_error", state="failed"))

    rows = run(connection, "errors")

    assert rows[0] == {
        "HttpStatus": 429,
        "ErrorCode": "429",
        "State": "failed",
        "Model": "gpt-4o",
        "Requests": 2,
        "Callers": 2,
        "FirstAt": "2026-03-02T08:00:00.000Z",
        "LastAt": "2026-03-02T09:30:00.123Z",
    }
    assert [row["ErrorCode"] for row in rows[1:]] == ["server_error", "content_filter"]


@pytest.mark.parametrize(("facts", "expected"), ERRORS)
def test_analysts_call_an_error_what_the_api_and_the_rollups_do(
    facts: dict[str, Any], expected: object, ledger: Ledger, connection: sqlite3.Connection
) -> None:
    ledger.has(an_interaction(**facts))
    found = ledger.audit().interactions(InteractionFilter(error=True), after=None, limit=9, reader=None)

    assert bool(run(connection, "errors")) is bool(found.rows) is expected


@pytest.mark.parametrize(
    ("totals", "expected"),
    [((0, 0, 0, 0, 0, 0, 0, 1), 0.13), ((201, *[0] * 199), 1.01), ((2, 2, 1), 1.67)],
)
def test_averages_are_rounded_as_the_api_rounds_them(
    totals: tuple[int, ...], expected: float, ledger: Ledger, client: Client, connection: sqlite3.Connection
) -> None:
    ledger.has(*(an_interaction(f"call-{place}", total_tokens=total) for place, total in enumerate(totals)))
    ledger.used(a_usage_row(total_tokens=sum(totals), token_requests=len(totals)))

    (row,) = run(connection, "usage_by_caller_and_model")

    assert row["AverageTotalTokens"] == expected
    assert client.get("/api/v1/usage").json()["items"][0]["averageTotalTokens"] == expected


def test_what_a_cache_answered_counts_as_a_request_alone(ledger: Ledger, connection: sqlite3.Connection) -> None:
    ledger.has(an_interaction("first", usage_key="resp_1", total_tokens=15))
    ledger.has(an_interaction("again", usage_key="resp_1", total_tokens=99, cached=True))
    ledger.has(an_interaction("chat", total_tokens=15, cached=True))

    (row,) = run(connection, "usage_by_caller_and_model")

    assert (row["Requests"], row["TotalTokens"], row["AverageTotalTokens"]) == (3, 15, 15.0)


def test_bypasses_are_calls_that_the_service_alone_knows(ledger: Ledger, connection: sqlite3.Connection) -> None:
    ledger.has(an_interaction("through", sources='["azure-openai","native"]'))
    ledger.has(an_interaction("past", sources='["azure-openai"]', caller_ip="10.0.0.***", model="gpt-4o"))

    (row,) = run(connection, "bypasses")

    assert (row["Id"], row["CallerIp"], row["Model"]) == ("past", "10.0.0.***", "gpt-4o")


def test_completeness_tells_of_each_hour_who_missed_what(ledger: Ledger, connection: sqlite3.Connection) -> None:
    ledger.has(an_interaction("both", sources='["azure-monitor","native"]'))
    ledger.has(an_interaction("policy", sources='["native"]', state="pending"))
    ledger.has(an_interaction("log", sources='["azure-monitor","azure-openai"]'))
    ledger.has(an_interaction("past", sources='["azure-openai"]'))
    ledger.has(an_interaction("later", occurred_at="2026-03-02T10:00:00.000Z"))

    first, second = run(connection, "completeness")

    assert first == {
        "IntervalStart": "2026-03-02T09:00:00.000Z",
        "Calls": 4,
        "KnownToPolicy": 2,
        "KnownToGatewayLog": 2,
        "MissedByPolicy": 1,
        "MissedByGatewayLog": 1,
        "PastTheGateway": 1,
        "Waiting": 1,
    }
    assert (second["IntervalStart"], second["Calls"]) == ("2026-03-02T10:00:00.000Z", 1)


def test_deliveries_are_counted_by_hub_and_hour(ledger: Ledger, connection: sqlite3.Connection) -> None:
    def received(hub: str, sequence: int, enqueued_at: str) -> dict[str, Any]:
        position = {"hub": hub, "partition_id": "0", "sequence": sequence, "enqueued_at": enqueued_at}
        return {**position, "outcome": "kept"}

    ledger.insert(
        tables.delivery,
        received("gateway", 1, "2026-03-02T09:00:00.000Z"),
        received("gateway", 2, "2026-03-02T09:59:59.999Z"),
        received("gateway", 3, "2026-03-02T10:00:00.000Z"),
        received("monitor", 1, "2026-03-02T09:30:00.000Z"),
    )

    rows = run(connection, "deliveries")

    assert [(row["Hub"], row["IntervalStart"][11:13], row["Events"]) for row in rows] == [
        ("gateway", "09", 2),
        ("gateway", "10", 1),
        ("monitor", "09", 1),
    ]


# The comparisons of docs/migrating-from-stream-analytics.md


@pytest.fixture
def comparisons(ledger: Ledger, connection: sqlite3.Connection) -> list[str]:
    """Return the page's queries, over calls of which each side has one that the other has not."""
    told = {"sources": '["enterprise-logging"]', "model": "gpt-4o"}
    ledger.has(an_interaction("both", **told, total_tokens=15), an_interaction("ours", **told, total_tokens=7))
    ledger.has(an_interaction("native", sources='["native"]'))
    later = "2026-03-02T10:30:00.000Z"
    ledger.has(an_interaction("agreed", **told, total_tokens=3, occurred_at=later))
    connection.execute("create table dbo.stream_analytics (message_id, occurred_at, model, total_tokens)")
    moment = "2026-03-02T09:30:00.123Z"
    theirs = [("BOTH", moment, "gpt-4o", 15), ("theirs", moment, "gpt-4o", 9), ("agreed", later, "gpt-4o", 3)]
    connection.executemany("insert into dbo.stream_analytics values (?, ?, ?, ?)", theirs)
    return re.findall(r"```sql\n(.*?)```", _MIGRATING.read_text(encoding="utf-8"), re.DOTALL)


def test_the_hours_on_which_two_records_differ_are_found(
    comparisons: list[str], connection: sqlite3.Connection
) -> None:
    by_hour, _ = comparisons

    assert answer(connection, by_hour) == [
        {
            "IntervalStart": "2026-03-02T09:00:00.000Z",
            "Model": "gpt-4o",
            "OurCalls": 2,
            "TheirCalls": 2,
            "OurTokens": 22,
            "TheirTokens": 24,
        }
    ]


def test_the_calls_that_one_record_misses_are_found(comparisons: list[str], connection: sqlite3.Connection) -> None:
    _, by_call = comparisons

    assert [(row["MessageId"], row["MissedBy"]) for row in answer(connection, by_call)] == [
        ("ours", "the job"),
        ("theirs", "the ledger"),
    ]
