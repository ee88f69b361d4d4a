"""Data Explorer and the ledger answer the same, question by question, after the same events."""

import json
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.domain.delivery import Delivery, Position
from shared.domain.values import utc_of
from shared.services.ingest import ingest
from shared.services.rollup import rebuild_usage_rollups
from shared.stores.sql.content import SqlContentStore
from shared.stores.sql.ledger import SqlLedger
from shared.stores.sql.rollups import SqlUsageRollups
from tests.builders import events, queries
from tests.builders.azure_monitor import (
    CALL,
    SERVICE_CALL,
    a_gateway_log,
    a_model_log,
    a_request_response,
    a_request_usage,
    an_envelope,
    in_parts,
)
from tests.builders.databases import new_sqlite
from tests.builders.histories import HISTORIES, LEDGER_ALONE
from tests.builders.streams import a_chunk, stream_of
from tests.tools.kql.engine import DataExplorer

QUESTIONS = sorted(path.stem for path in (Path(__file__).parents[2] / "sql" / "kql" / "queries").glob("*.kql"))
START, NOON, END = "2026-03-02T00:00:00.000Z", "2026-03-02T12:00:00.000Z", "2026-03-03T00:00:00.000Z"
EVER = "2026-03-01T00:00:00.000Z", "2026-03-05T00:00:00.000Z"
RANGES = {"ever": EVER, "a day": (START, END), "a morning": (START, NOON), "the day after": (END, EVER[1])}
BY_BOTH = [name for name in HISTORIES if name not in LEDGER_ALONE]
JOINED = "bbbbbbbb-bbbb-4ccc-8ddd-eeeeeeeeeeee"
LATER = "2026-03-02T10:15:00.000Z"


def a_poll(call: str, total: int, **changes: Any) -> list[bytes]:
    """Return a call that reads a background response, whose usage grows from poll to poll."""
    url = "/openai/v1/responses/resp_1"
    usage = {"input_tokens": 9, "output_tokens": total - 9, "total_tokens": total}
    body = {"id": "resp_1", "object": "response", "status": "completed", "model": "o3", "usage": usage, "output": []}
    asked = events.a_request(call, method="GET", url=url, deployment=None, body=None, time=LATER)
    return [asked, events.a_response(call, backendUrl=f"https://x.example{url}", body=body, **changes)]


def a_history() -> list[bytes]:
    """Return calls of every kind that both places know, told by every witness that both read."""
    filtered = {"error": {"code": "content_filter", "message": "filtered", "type": None, "param": "prompt"}}
    usage = {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}
    stream = stream_of(
        a_chunk({"role": "assistant", "content": "Hi"}),
        a_chunk({}, finish_reason="stop"),
        {"id": "chatcmpl-x", "object": "chat.completion.chunk", "model": "gpt-4o", "choices": [], "usage": usage},
    )
    parts = {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Who? " * 40}]}
    refusal = {"source": "rate-limit", "reason": "RateLimitExceeded", "message": "slow down", "section": "inbound"}
    failed = {"responseCode": 500, "backendResponseCode": 500, "backendResponseBody": ""}
    unasked = dict.fromkeys(("backendId", "backendMethod", "backendUrl", "backendResponseCode", "backendTime"))
    left = {"source": "transfer-response", "reason": "ClientConnectionFailure", "message": "canceled"}
    responses = {"model": "o3", "input": "What is one and one?"}
    return [
        events.a_request("pair"),
        events.a_response("pair", headers={"apim-request-id": JOINED}),
        events.a_request("waiting", callerIp="203.0.113.8", time=LATER),
        events.a_request("late", callerIp="203.0.113.8", time=LATER),
        events.a_response("late", time="2026-03-02T10:15:00.750Z"),
        events.a_request("filter"),
        events.a_response("filter", status=400, body=filtered),
        events.a_request("throttled"),
        events.a_response("throttled", status=429, body={"error": {"code": "429", "message": "wait"}}),
        events.a_request("refused", part="error", status=429, lastError=refusal, callerIp="203.0.113.9"),
        events.a_request("stream", body={"stream": True, "messages": [{"role": "user", "content": "Hello"}]}),
        events.a_response("stream", streamed=True, contentType="text/event-stream", body=stream),
        *in_parts("parts", parts, 3),
        events.a_response("parts"),
        events.a_request("responses", url="/openai/v1/responses", deployment=None, body=responses, time=LATER),
        *a_poll("poll-1", 20),
        *a_poll("poll-2", 30),
        an_envelope(a_gateway_log("pair"), a_gateway_log(CALL), a_model_log(CALL)),
        an_envelope(a_gateway_log("logged-error", failed)),
        an_envelope(a_model_log("model-only")),
        an_envelope(a_request_response(JOINED), a_request_response(SERVICE_CALL), a_request_usage(SERVICE_CALL)),
        an_envelope(
            a_gateway_log("from-cache", {"cache": "hit", **unasked}),
            a_gateway_log("without-backend", {"cache": "none", **unasked}),
            a_gateway_log("cache-missed", {"cache": "miss"}),
            a_gateway_log("left", {"responseCode": 0, "lastError": left, **unasked}),
            a_gateway_log("left-late", {"lastError": left}),
            a_gateway_log("far", time="9999-12-31T23:59:59.9999999Z"),
        ),
        events.a_request("no-backend"),
        events.a_response("no-backend", backendUrl=None, backendId=None, attempts=None),
        events.a_request("never", time="0001-01-01T00:00:00Z"),
        events.a_response("never", time="9999-12-31T23:59:59Z"),
        events.a_request("wordless", body={"messages": []}),
        events.a_response("wordless"),
        events.a_request("without-parts", body={"messages": [{"role": "user", "content": []}]}),
        events.a_response("without-parts"),
        an_envelope(),
        events.a_metric(),
        events.poison(),
    ]  # fmt: skip


def everything() -> list[Delivery]:
    """Return the events, those of histories enqueued a second after what they tell of."""
    bodies = [body for name in BY_BOTH for body in HISTORIES[name].bodies]
    first = events.deliveries(*a_history())
    return first + [
        Delivery(Position("gateway", "0", number, utc_of(time_of(body) + timedelta(seconds=1))), body)
        for number, body in enumerate(bodies, len(first))
    ]


def time_of(body: bytes) -> datetime:
    event = json.loads(body)
    told = event.get("records", [event])[0]
    return datetime.fromisoformat(told.get("time", events.ENQUEUED))


def told(value: Any) -> Any:
    """Return a value as both places can say it: null for no text, times in the ledger's own form."""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%S}.{value.microsecond // 1000:03d}Z"
    return None if value == "" else value


def plain(rows: list[dict[str, Any]]) -> list[str]:
    """Return rows without their order: where two are equal in what sorts them, each place has its own."""
    return sorted(json.dumps({name: told(value) for name, value in row.items()}, sort_keys=True) for row in rows)


class Both:
    """The same events in both places."""

    def __init__(self, folder: Path, batch: list[Delivery]) -> None:
        self._engine = new_sqlite(folder)
        ingest(batch, ledger=SqlLedger(self._engine), content=SqlContentStore(self._engine))
        rebuild_usage_rollups(SqlUsageRollups(self._engine))
        self.explorer = DataExplorer()
        self.explorer.receive(batch)
        self.connection = queries.opened(self._engine.url.database)

    def close(self) -> None:
        self.connection.close()
        self._engine.dispose()


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    both = Both(tmp_path_factory.mktemp("ledger"), everything())
    yield both
    both.close()


@pytest.fixture(scope="module")
def alone() -> DataExplorer:
    """Return Data Explorer after the events that only the ledger understands."""
    explorer = DataExplorer()
    explorer.receive(events.deliveries(*(body for name in LEDGER_ALONE for body in HISTORIES[name].bodies)))
    return explorer


def function_of(question: str) -> str:
    return "".join(word.capitalize() for word in question.split("_"))


def of_caller(explorer: DataExplorer, name: str) -> tuple[int, int]:
    """Return the requests and tokens of a history."""
    rows = explorer.ask("UsageByCallerAndModel", *EVER)
    mine = [row for row in rows if row["CallerIp"] == HISTORIES[name].caller]
    return sum(row["Requests"] for row in mine), sum(row["TotalTokens"] or 0 for row in mine)


# One range after the other: Data Explorer keeps what it made of the last one.
@pytest.mark.parametrize(
    ("range_", "question"),
    [("ever", name) for name in QUESTIONS if name != "deliveries"]
    + [(range_, name) for range_ in RANGES if range_ != "ever" for name in QUESTIONS if name.startswith("usage_")],
)
def test_both_places_answer_the_same(question: str, range_: str, both: Both) -> None:
    in_t_sql = queries.run(both.connection, question, *RANGES[range_])
    in_kql = both.explorer.ask(function_of(question), *RANGES[range_])

    assert in_t_sql
    assert plain(in_kql) == plain(in_t_sql)


@pytest.mark.parametrize("name", BY_BOTH)
def test_what_is_told_again_counts_once_and_what_belongs_together_is_one_call(name: str, both: Both) -> None:
    assert of_caller(both.explorer, name) == (HISTORIES[name].requests, HISTORIES[name].tokens)


@pytest.mark.parametrize("name", LEDGER_ALONE)
def test_what_only_the_ledger_understands_has_no_tokens_rather_than_wrong_ones(name: str, alone: DataExplorer) -> None:
    assert of_caller(alone, name) == (HISTORIES[name].requests, 0)


def test_any_order_and_any_repeats_answer_the_same(both: Both) -> None:
    chance = random.Random(7)
    batch = everything()
    shuffled = batch + chance.choices(batch, k=40)
    chance.shuffle(shuffled)
    other = DataExplorer()
    other.receive(shuffled)

    assert plain(other.ask("Interaction", *EVER)) == plain(both.explorer.ask("Interaction", *EVER))


def test_events_are_counted_alike_but_for_those_that_are_no_json(both: Both) -> None:
    in_t_sql = queries.run(both.connection, "deliveries", *EVER)
    in_kql = both.explorer.ask("Deliveries", *EVER)

    assert sum(row["Events"] for row in in_kql) == sum(row["Events"] for row in in_t_sql) - 1
