"""No hour, row, key or page stops a timer: what it trips over is told and tried again, and all else is done."""

import logging
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from shared.domain.values import hour_of
from shared.errors import StoreRefusedError, StoreUnavailableError
from shared.services.claim_checks import ClaimCheck, fetch_claimed_bodies
from shared.services.completeness import check_completeness
from shared.services.ingest import ingest
from shared.services.isolation import Failures, apart, one_by_one
from shared.services.measures import measure_standing
from shared.services.rollup import rebuild_usage_rollups
from shared.services.upkeep import expire_pending_fragments
from shared.stores.ports import Row
from shared.stores.sql import tables
from shared.stores.sql.audit import SqlAuditStore
from shared.stores.sql.claims import SqlClaimQueue
from shared.stores.sql.completeness import SqlCompleteness
from shared.stores.sql.content import SqlContentStore
from shared.stores.sql.ledger import SqlLedger
from shared.stores.sql.rollups import SqlUsageRollups
from shared.telemetry import PARTITION_AGE, PASSED_OVER, Metric
from tests.builders import events
from tests.builders.azure_monitor import in_parts
from tests.builders.claims import MemoryBodies, claiming
from tests.builders.databases import memory_folder, new_sqlite

QUESTION = {"messages": [{"role": "user", "content": "What is two and two?"}]}
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
EIGHT, NINE = "2026-03-02T08:00:00.000Z", "2026-03-02T09:00:00.000Z"
WAIT = timedelta(minutes=60)
EXTREMES: Sequence[object] = (
    None,
    0,
    -1,
    2**63 - 1,
    -(2**63),
    1e308,
    "",
    "?",
    "[",
    '{"": null}',
    "x" * 5000,
    "0001-01-01T00:00:00.000Z",
    "9999-12-31T23:59:59.999Z",
)
"""What a column may hold after a fault, or an older version: of another kind than its own, too, but for bytes."""


class Counter:
    """A recorder that keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[Metric, float, Mapping[str, str]]] = []

    def record(self, metric: Metric, value: float, **attributes: str) -> None:
        self.told.append((metric, value, attributes))

    def close(self) -> None:
        """Keep it."""

    def passed_over(self) -> int:
        return sum(1 for metric, _, _ in self.told if metric is PASSED_OVER)


class Store:
    """A ledger in which some rows are as none should be."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.ledger = SqlLedger(engine)
        self.content = SqlContentStore(engine)
        self.bodies = MemoryBodies()
        self.counter = Counter()
        self._next = 0

    def ingest(self, *bodies: bytes) -> None:
        batch = events.deliveries(*bodies, first=self._next)
        self._next += len(bodies)
        claims = ClaimCheck(self.bodies, largest=100_000)
        ingest(batch, ledger=self.ledger, content=self.content, claims=claims)

    def rows(self, table: sa.Table, *columns: str) -> list[tuple[Any, ...]]:
        names = ", ".join(columns)
        return [tuple(row) for row in self.run(f"select {names} from {table.name}")]  # names of ours

    def run(self, statement: str, *values: object) -> list[Any]:
        """Run SQL past all types."""
        with closing(sqlite3.connect(str(self.engine.url.database))) as connection, connection:
            return connection.execute(statement, values).fetchall()

    def insert(self, table: sa.Table, *rows: Row) -> None:
        """Insert rows past all types; what the database itself refuses cannot be there."""
        with closing(sqlite3.connect(str(self.engine.url.database))) as connection, connection:
            for row in rows:
                names, places = ", ".join(row), ", ".join("?" * len(row))
                statement = f"insert or ignore into {table.name} ({names}) values ({places})"
                connection.execute(statement, list(row.values()))

    def spoil(self, table: sa.Table, rows: Callable[[int], Row], extremes: Sequence[object] = EXTREMES) -> list[Row]:
        """Insert a row for every column of `table` and every extreme that it may hold; return them."""
        spoiled: list[Row] = []
        for column in (one for one in table.columns if one.computed is None):
            is_bytes = isinstance(column.type, sa.LargeBinary)
            for extreme in (b"", b"\xff\x00") if is_bytes else extremes:
                spoiled.append(rows(len(spoiled)) | {column.name: extreme})
        self.insert(table, *spoiled)
        return spoiled

    def failures(self) -> Failures:
        return Failures("a_timer", self.counter)

    def rebuild(self) -> int:
        return rebuild_usage_rollups(SqlUsageRollups(self.engine), failures=self.failures())

    def expire(self) -> int:
        later = datetime.now(UTC) + 2 * WAIT
        return expire_pending_fragments(
            ledger=self.ledger, content=self.content, wait=WAIT, failures=self.failures(), now=lambda: later
        )

    def check(self) -> int:
        return check_completeness(
            store=SqlCompleteness(self.engine),
            audit=SqlAuditStore(self.engine),
            wait=WAIT,
            failures=self.failures(),
            now=lambda: NOW,
        )

    def fetch(self, later: timedelta = timedelta(hours=2)) -> int:
        return fetch_claimed_bodies(
            queue=SqlClaimQueue(self.engine),
            ledger=self.ledger,
            content=self.content,
            claims=ClaimCheck(self.bodies, largest=100_000),
            patience=timedelta(days=7),
            failures=self.failures(),
            now=lambda: datetime.now(UTC) + later,
        )


@pytest.fixture
def store() -> Iterator[Store]:
    with memory_folder() as folder:
        engine = new_sqlite(Path(folder))
        yield Store(engine)
        engine.dispose()


def an_hour(number: int) -> str:
    """Return an hour of long ago, each number's own."""
    return f"{datetime(2020, 1, 1, tzinfo=UTC) + timedelta(hours=number):%Y-%m-%dT%H}:00:00.000Z"


def a_call(number: int) -> Row:
    return {
        "id": f"call-{number}",
        "occurred_at": an_hour(number),
        "state": "complete",
        "usage_provenance": "reported",
        "usage_key": f"key-{number}",
        "total_tokens": 15,
        "sources": '["native"]',
        "parts": '["Q:1","R:1"]',
        "field_sources": "Q",
        "revision": 0,
    }


# Rollups


def test_a_row_of_the_year_9999_from_an_older_version_is_in_the_rollups_like_any_other(store: Store) -> None:
    store.insert(tables.interaction, a_call(1) | {"occurred_at": "9999-12-31T23:59:59.999Z"})
    store.insert(tables.dirty_hour, {"hour": "9999-12-31T23:00:00.000Z"})

    assert store.rebuild() == 1

    for table, start in (
        (tables.usage_hour, "9999-12-31T23:00:00.000Z"),
        (tables.usage_day, "9999-12-31T00:00:00.000Z"),
        (tables.usage_month, "9999-12-01T00:00:00.000Z"),
    ):
        assert store.rows(table, "interval_start", "requests", "total_tokens") == [(start, 1, 15)]
    assert (store.rows(tables.dirty_hour, "id"), store.counter.passed_over()) == ([], 0)


def test_an_event_of_the_year_9999_is_counted_in_the_hour_in_which_it_was_enqueued(store: Store) -> None:
    store.ingest(events.a_request(time="9999-12-31T23:59:59.9999999Z"), events.a_response(time="9999-12-31T23:59:59Z"))

    store.rebuild()

    assert store.rows(tables.interaction, "occurred_at", "time_replaced") == [(events.ENQUEUED, 1)]
    assert store.rows(tables.usage_month, "interval_start", "requests") == [("2026-03-01T00:00:00.000Z", 1)]


def test_no_row_stops_the_rollups_whatever_any_of_its_columns_holds(store: Store) -> None:
    store.ingest(events.a_request(), events.a_response())
    spoiled = store.spoil(tables.interaction, lambda number: a_call(number) | {"occurred_at": an_hour(number % 20)})
    times = [row["occurred_at"] for row in spoiled]
    store.insert(tables.dirty_hour, *({"hour": hour_of(time)} for time in times if isinstance(time, str)))
    store.insert(tables.dirty_usage_key, *({"usage_key": row["usage_key"]} for row in spoiled))

    store.rebuild()

    usage = dict(store.rows(tables.usage_hour, "interval_start", "total_tokens"))
    assert usage[NINE] == 12
    assert (NINE[:8] + "01T00:00:00.000Z", 12) in store.rows(tables.usage_month, "interval_start", "total_tokens")
    left = {hour for (hour,) in store.rows(tables.dirty_hour, "hour")}
    assert NINE not in left
    assert bool(left) == bool(store.counter.passed_over())


@pytest.mark.parametrize("table", [tables.dirty_hour, tables.dirty_usage_key], ids=lambda table: table.name)
def test_no_mark_stops_the_rollups_whatever_it_says(store: Store, table: sa.Table) -> None:
    name = "hour" if table is tables.dirty_hour else "usage_key"
    store.insert(table, *({name: extreme} for extreme in EXTREMES))
    store.ingest(events.a_request(), events.a_response())

    store.rebuild()

    assert (NINE, 12) in store.rows(tables.usage_hour, "interval_start", "total_tokens")


def test_an_hour_that_fails_keeps_one_mark_is_counted_at_every_run_and_is_done_once_it_is_mended(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    for number in (0, 1):
        store.insert(tables.interaction, a_call(number) | {"occurred_at": an_hour(0), "total_tokens": 2**63 - 20})
    for hour in (an_hour(0), an_hour(0), an_hour(1)):
        store.insert(tables.dirty_hour, {"hour": hour})
    store.insert(tables.interaction, a_call(2) | {"occurred_at": an_hour(1)})

    with caplog.at_level(logging.ERROR):
        assert [store.rebuild(), store.rebuild()] == [1, 0]

    assert store.rows(tables.usage_month, "requests", "total_tokens") == [(2, 2**63 - 5)]
    assert store.rows(tables.dirty_hour, "hour") == [(an_hour(0),)]
    assert store.counter.passed_over() == 2
    assert an_hour(0) in caplog.text
    store.run("update interaction set total_tokens = 1")
    assert store.rebuild() == 1
    assert store.rows(tables.usage_day, "requests", "total_tokens") == [(3, 17)]


def test_a_call_that_a_sum_cannot_hold_is_in_none_and_stops_no_other(store: Store) -> None:
    for number in (0, 1, 30):
        tokens = 2**63 - 20 if number < 2 else 15
        store.insert(tables.interaction, a_call(number) | {"total_tokens": tokens})
        store.insert(tables.dirty_hour, {"hour": an_hour(number)})

    store.rebuild()

    whole = [("2020-01-01T00:00:00.000Z", 2**63 - 20), ("2020-01-02T00:00:00.000Z", 15)]
    assert store.rows(tables.usage_day, "interval_start", "total_tokens") == whole
    assert store.rows(tables.usage_month, "requests", "total_tokens") == [(2, 2**63 - 5)]
    # The newest hours are counted first.
    assert store.rows(tables.dirty_hour, "hour") == [(an_hour(0),)]


# Interactions that wait


def a_waiting_call(number: int) -> Row:
    return a_call(number) | {
        "state": "pending",
        "parts": '["Q:1+1.0.2.u"]',
        "field_sources": "Q" * 20,
        "id": f"w-{number}",
    }


def test_no_interaction_stops_the_end_of_others_waits_whatever_any_of_its_columns_holds(store: Store) -> None:
    spoiled = store.spoil(tables.interaction, a_waiting_call, (None, 2**63 - 1, "[", "9999-12-31T23:59:59.999Z"))
    position = {"hub": "gateway", "partition_id": "0", "sequence": 1, "enqueued_at": NINE, "stored_at": NINE}
    store.insert(tables.waiting, *({"interaction_id": row["id"], **position} for row in spoiled))
    store.ingest(events.a_request("zz-sound"))

    store.expire()

    states = dict(store.rows(tables.interaction, "id", "state"))
    assert states["zz-sound"] == "incomplete"
    assert store.counter.passed_over()
    assert len(store.rows(tables.waiting, "interaction_id")) == store.counter.passed_over()


def a_wait(number: int) -> Row:
    position = {"hub": "gateway", "partition_id": "0", "sequence": number, "enqueued_at": NINE}
    return {"interaction_id": f"w-{number}", **position, "stored_at": NINE}


def test_no_wait_stops_the_end_of_others_whatever_it_says(store: Store) -> None:
    store.spoil(tables.waiting, a_wait)
    store.ingest(events.a_request("zz-sound"))

    store.expire()

    assert store.rows(tables.interaction, "id", "state") == [("zz-sound", "incomplete")]


def test_a_body_that_cannot_be_unpacked_keeps_its_own_interaction_waiting_and_no_other(store: Store) -> None:
    store.ingest(in_parts("broken", QUESTION, 2)[0], in_parts("sound", QUESTION, 2)[0])
    store.run("update content set body = x'ff00' where interaction_id = 'broken'")

    assert store.expire() == 1

    assert dict(store.rows(tables.interaction, "id", "state")) == {"broken": "pending", "sound": "incomplete"}
    assert store.counter.passed_over() == 1


# Completeness


def a_delivery(number: int) -> Row:
    position = {"hub": "gateway", "partition_id": "7", "sequence": 2 * number, "enqueued_at": EIGHT}
    return {**position, "outcome": "kept", "source": "native"}


def a_quarantined_event(number: int) -> Row:
    position = {"hub": "gateway", "partition_id": "7", "sequence": number, "enqueued_at": NINE}
    return {"id": f"q-{number}", **position, "reason": "not JSON", "parser_version": "1", "size": 1, "body": b""}


def a_finding(number: int) -> Row:
    return {
        "id": f"finding-{number}",
        "hub": "gateway",
        "hour": an_hour(number),
        "kind": "gap",
        "number": 1,
        "detail": None,
        "found_at": NINE,
        "resolved_at": None,
    }


def a_partition(number: int) -> Row:
    counts = {"received": 1, "redelivered": 0, "last_sequence": 1, "last_enqueued_at": an_hour(number)}
    return {"hub": "monitor", "partition_id": str(number), **counts}


@pytest.mark.parametrize(
    ("table", "build"),
    [
        (tables.delivery, a_delivery),
        (tables.interaction, lambda number: a_call(number) | {"occurred_at": EIGHT}),
        (tables.finding, a_finding),
        (tables.hub_partition, a_partition),
        (tables.waiting, a_wait),
        (tables.quarantine, a_quarantined_event),
    ],
    ids=lambda one: getattr(one, "name", ""),
)
def test_no_row_stops_the_check_of_completeness_whatever_any_of_its_columns_holds(
    store: Store, table: sa.Table, build: Callable[[int], Row]
) -> None:
    store.ingest(events.a_request("alone"))
    store.spoil(table, build)

    store.check()

    found = store.run("select hour, number from finding where kind = 'no_answer' and resolved_at is null")
    assert [hour for hour, _ in found] == [NINE]


def test_the_findings_of_an_hour_that_fails_stay_as_they_were(store: Store) -> None:
    store.insert(tables.finding, a_finding(0) | {"hour": "no hour"})

    store.check()

    assert store.run("select resolved_at from finding where hour = 'no hour'") == [(None,)]
    assert store.counter.passed_over() == 1


def test_no_partition_stops_the_measuring_of_others(store: Store) -> None:
    store.spoil(tables.hub_partition, a_partition)
    store.insert(tables.hub_partition, a_partition(0) | {"partition_id": "sound", "last_enqueued_at": NINE})

    measure_standing(SqlCompleteness(store.engine), store.counter, failures=store.failures(), now=lambda: NOW)

    ages = {told["partition"]: age for metric, age, told in store.counter.told if metric is PARTITION_AGE}
    assert ages["sound"] == 3 * 3600


# Claims


def test_no_claim_stops_others_whatever_any_of_its_columns_holds(store: Store) -> None:
    store.ingest(claiming("sound", "q", QUESTION), claiming("broken", "q", QUESTION))
    store.run("update content set body = x'ff00' where interaction_id = 'broken'")
    store.spoil(
        tables.claim,
        lambda number: {
            "interaction_id": f"c-{number}",
            "document": "Q:1+1.0.1.c",
            "noted_at": NINE,
            "due_at": NINE,
        },
    )
    store.bodies.upload("q", QUESTION)

    store.fetch()

    assert store.run("select document from claim where interaction_id = 'sound'") == []
    assert store.run("select count(*) from claim where interaction_id = 'broken'") == [(1,)]
    assert store.counter.passed_over() >= 1


def test_no_interaction_stops_the_claims_of_others_whatever_any_of_its_columns_holds(store: Store) -> None:
    store.ingest(claiming("sound", "q", QUESTION))
    for number, column in enumerate(("parts", "field_sources", "strands", "revision", "state")):
        for place, extreme in enumerate(EXTREMES):
            name = f"v-{number}-{place}"
            store.ingest(claiming(name, "q", QUESTION))
            store.run(f"update or ignore interaction set {column} = ? where id = ?", extreme, name)  # names of ours
    store.bodies.upload("q", QUESTION)

    store.fetch()

    assert store.run("select document from claim where interaction_id = 'sound'") == []
    assert store.counter.passed_over()
    assert len(store.rows(tables.claim, "document")) >= store.counter.passed_over()


# Estimates


def test_an_estimate_that_fails_stops_neither_its_batch_nor_others(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = SqlContentStore.get

    def get(self: SqlContentStore, interaction_ids: Any) -> Any:
        if "broken" in interaction_ids:
            raise ValueError("a body that no one can read")
        return whole(self, interaction_ids)

    monkeypatch.setattr(SqlContentStore, "get", get)
    unmetered = {"object": "chat.completion", "choices": [{"index": 0, "message": {"content": "Four."}}]}
    # What a batch brings is counted at once; what came before has to be asked for.
    store.ingest(*[events.a_request(name) for name in ("broken", "sound")])

    store.ingest(*[events.a_response(name, body=unmetered) for name in ("broken", "sound")])

    provenance = dict(store.rows(tables.interaction, "id", "usage_provenance"))
    assert provenance == {"broken": "missing", "sound": "estimated"}


# Isolation


def test_all_that_does_not_fail_is_done_together_as_far_as_it_can_be() -> None:
    pieces: list[list[int]] = []

    def work(items: Sequence[int]) -> None:
        if 3 in items:
            raise ValueError
        pieces.append(list(items))

    done = apart(work, range(8), Failures("a_timer"))

    assert done.failed == [3]
    assert pieces == [[0, 1], [2], [4, 5, 6, 7]]


@pytest.mark.parametrize("isolate", [apart, one_by_one])
def test_a_store_that_is_down_is_no_items_fault(isolate: Callable[..., object]) -> None:
    def work(_items: object) -> None:
        raise StoreUnavailableError("down")

    with pytest.raises(StoreUnavailableError):
        isolate(work, [1, 2], Failures("a_timer"))


@pytest.mark.parametrize("isolate", [apart, one_by_one])
def test_a_store_that_refuses_everything_is_no_items_fault_either(isolate: Callable[..., object]) -> None:
    def work(_items: object) -> None:
        raise StoreRefusedError("no room")

    with pytest.raises(StoreRefusedError):
        isolate(work, [1, 2], Failures("a_timer"))


def test_what_is_told_of_a_failure_names_the_item_and_the_place_and_no_text_of_an_event(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def work(_items: object) -> None:
        raise ValueError("a secret of an event")

    with caplog.at_level(logging.ERROR):
        one_by_one(work, ["call-1"], Failures("a_timer"))

    assert "job.failed job=a_timer item=call-1 at=test_timers.py:" in caplog.text
    assert "ValueError" in caplog.text
    assert "secret" not in caplog.text
