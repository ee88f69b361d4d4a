"""One batch at a time: what the ledger says afterwards."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from shared.domain.delivery import Delivery, Position, slices
from shared.domain.values import hour_of
from shared.errors import ConflictError, StoreRefusedError, StoreUnavailableError, TooManyInvalidError
from shared.services.ingest import IngestOutcome, ingest
from shared.stores.ports import ContentDocument, ContentStore, LedgerTransaction, PackedDocument
from shared.stores.sql import tables
from shared.stores.sql.ledger import SqlLedger
from tests.builders import events, other_events
from tests.builders.databases import new_sqlite
from tests.builders.ledgers import Store

EARLY, LATE = "2026-02-03T09:30:00.000Z", "2026-03-02T09:30:00.000Z"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    engine = new_sqlite(tmp_path)
    yield Store(engine)
    engine.dispose()


def test_a_request_and_its_response_become_one_complete_interaction(store: Store) -> None:
    outcome = store.deliver(events.deliveries(events.a_request(), events.a_response()))

    assert outcome == IngestOutcome(received=2, stored=2)
    (row,) = store.rows(tables.interaction)
    assert row["state"] == "complete"
    assert row["operation"] == "chat.completions"
    assert row["deployment"] == "chat"
    assert row["model"] == "gpt-4o-2024-11-20"
    assert (row["input_tokens"], row["output_tokens"], row["total_tokens"]) == (11, 1, 12)
    assert row["usage_provenance"] == "reported"
    assert row["prompt_preview"] == "What is two and two?"
    assert row["completion_preview"] == "Four."


def test_a_request_waits_until_its_response_comes_in_a_later_batch(store: Store) -> None:
    first = store.deliver(events.deliveries(events.a_request()))
    (waiting,) = store.rows(tables.waiting)
    second = store.deliver(events.deliveries(events.a_response(), first=1))

    assert first == IngestOutcome(received=1, pending=1)
    assert waiting["interaction_id"] == "call-1"
    assert second == IngestOutcome(received=1, stored=1)
    assert store.rows(tables.waiting) == []
    assert [row["state"] for row in store.rows(tables.interaction)] == ["complete"]


def test_a_response_may_come_before_its_request_and_on_another_partition(store: Store) -> None:
    store.deliver(events.deliveries(events.a_response(), partition="1"))
    (early,) = store.rows(tables.interaction)
    store.deliver(events.deliveries(events.a_request(), partition="0"))

    assert early["state"] == "pending"
    (row,) = store.rows(tables.interaction)
    assert row["state"] == "complete"
    assert row["occurred_at"] == "2026-03-02T09:29:58.250Z"


def test_the_same_delivery_again_is_a_duplicate_and_changes_nothing(store: Store) -> None:
    batch = events.deliveries(events.a_request(), events.a_response(), events.poison(), events.a_metric())
    store.deliver(batch)
    before = store.rows(tables.interaction)

    outcome = store.deliver(batch)

    assert outcome == IngestOutcome(received=4, duplicate=4)
    assert store.rows(tables.interaction) == before


def test_the_same_event_at_another_position_says_nothing_new(store: Store) -> None:
    store.deliver(events.deliveries(events.a_request(), events.a_response(), events.poison()))

    outcome = store.deliver(events.deliveries(events.a_request(), events.a_response(), events.poison(), first=50))

    assert outcome == IngestOutcome(received=3, duplicate=3)


@pytest.mark.parametrize("times", [(EARLY, LATE), (LATE, EARLY)])
@pytest.mark.parametrize("timestamp", ["3/2/2026 9:28:07 AM", "gone"])
def test_a_time_read_from_when_the_event_was_enqueued_depends_on_no_order_of_its_repeats(
    store: Store, timestamp: str, times: tuple[str, str]
) -> None:
    for place, enqueued_at in enumerate(times):
        position = Position("gateway", "0", place, enqueued_at)
        store.deliver([Delivery(position, other_events.an_azureai_record(timestamp=timestamp))])

    (row,) = store.rows(tables.interaction)
    assert row["occurred_at"] == ("2026-02-03T09:28:07.000Z" if timestamp[0] == "3" else EARLY)
    assert {mark["hour"] for mark in store.rows(tables.dirty_hour)} >= {hour_of(str(row["occurred_at"]))}


def test_an_event_is_not_passed_over_because_its_position_was_seen_before(store: Store) -> None:
    store.deliver(events.deliveries(events.a_request()))

    store.deliver(events.deliveries(events.a_response()))

    assert [row["state"] for row in store.rows(tables.interaction)] == ["complete"]


def test_an_event_that_cannot_be_understood_is_quarantined_with_its_bytes_and_position(store: Store) -> None:
    outcome = store.deliver(events.deliveries(b"\xff\xfe{", events.a_request(), events.a_response()))

    assert outcome == IngestOutcome(received=3, stored=2, quarantined=1)
    (row,) = store.rows(tables.quarantine)
    assert (row["hub"], row["partition_id"], row["sequence"], row["size"]) == ("gateway", "0", 0, 3)
    assert row["reason"]


def test_unknown_words_are_counted_once_for_each_interaction_and_for_each_event_that_speaks_of_none(
    store: Store,
) -> None:
    strange = events.a_response(body={"object": "chat.completion", "usage": {"magic_tokens": 1}})
    skipped = b'{"records":[{"category":"BrandNewLogs","time":"2026-03-02T09:29:58Z"}]}'
    batch = events.deliveries(events.a_request(), strange, skipped)

    first, again = store.deliver(batch), store.deliver(batch)

    assert first.unknown_words == {"usage:magic_tokens": 1, "category:BrandNewLogs": 1}
    assert first.skipped == 1
    assert again.unknown_words == {}
    assert "unknown_words" not in str(first)


def test_metrics_speak_of_no_call_and_are_skipped(store: Store) -> None:
    outcome = store.deliver(events.deliveries(events.a_metric()))

    assert outcome == IngestOutcome(received=1, skipped=1)
    assert store.rows(tables.interaction) == []


def test_an_empty_batch_is_nothing_at_all(store: Store) -> None:
    assert store.deliver([]) == IngestOutcome()


def test_every_hour_that_a_batch_touches_is_marked_in_the_same_transaction(store: Store) -> None:
    late = events.a_request("call-2", time="2026-03-02T10:00:00.000Z")

    store.deliver(events.deliveries(events.a_request(), late))

    hours = {row["hour"] for row in store.rows(tables.dirty_hour)}
    assert hours == {"2026-03-02T09:00:00.000Z", "2026-03-02T10:00:00.000Z"}


def test_a_batch_costs_the_same_statements_whatever_its_size(store: Store) -> None:
    counts = [
        _statements(store, events.deliveries(*_conversations(size, start=1000 * size), first=1000 * size))
        for size in (2, 20, 200)
    ]

    assert len(set(counts)) == 1


_OF_ONE_BATCH = (
    tables.interaction,
    tables.delivery,
    tables.waiting,
    tables.quarantine,
    tables.dirty_hour,
    tables.hub_partition,
)


@pytest.mark.parametrize("broken", _OF_ONE_BATCH, ids=lambda table: table.name)
def test_whatever_part_of_a_batch_cannot_be_written_nothing_of_it_is(store: Store, broken: sa.Table) -> None:
    batch = events.deliveries(events.a_request(), events.poison(), events.a_metric())
    with store.engine.begin() as connection:
        connection.execute(
            sa.text(f"create trigger broken before insert on {broken.name} begin select raise(fail, 'disk'); end")
        )

    with pytest.raises(StoreUnavailableError):
        store.deliver(batch)
    with store.engine.begin() as connection:
        before = [connection.scalar(sa.select(sa.func.count()).select_from(table)) for table in _OF_ONE_BATCH]
        connection.execute(sa.text("drop trigger broken"))
    outcome = store.deliver(batch)

    assert before == [0] * len(_OF_ONE_BATCH)
    assert outcome == IngestOutcome(received=3, pending=1, skipped=1, quarantined=1)
    assert [len(store.rows(table)) for table in _OF_ONE_BATCH] == [1, 3, 1, 1, 1, 1]


def test_a_store_that_is_gone_raises_so_that_the_trigger_delivers_again(store: Store) -> None:
    with store.engine.begin() as connection:
        connection.execute(sa.text("drop table delivery"))

    with pytest.raises(StoreUnavailableError):
        store.deliver(events.deliveries(events.a_request()))

    assert store.rows(tables.interaction) == []


def _conversations(count: int, start: int) -> list[bytes]:
    ids = [f"call-{number}" for number in range(start, start + count)]
    return [
        body for one in ids for body in (events.a_request(one), events.a_response(one, body={"id": f"chatcmpl-{one}"}))
    ]


def _statements(store: Store, batch: list[Delivery]) -> int:
    store.deliver(events.deliveries(events.a_metric()))  # the partition's row is there from now on
    seen: list[str] = []

    @sa.event.listens_for(store.engine, "before_cursor_execute")
    def _note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    store.deliver(batch)
    sa.event.remove(store.engine, "before_cursor_execute", _note)
    return len(seen)


_LARGE = "x" * 200_000


def _large_conversations(count: int) -> list[Delivery]:
    bodies = []
    for number in range(count):
        question = {"messages": [{"role": "user", "content": f"{number} {_LARGE}"}]}
        bodies += [events.a_request(f"call-{number}", body=question), events.a_response(f"call-{number}")]
    return events.deliveries(*bodies)


class CountingLedger:
    """A real ledger that counts its transactions, and ends after some of them."""

    def __init__(self, ledger: SqlLedger, last: int = 1000) -> None:
        self._ledger = ledger
        self._last = last
        self.begun = 0

    @contextmanager
    def transaction(self) -> Iterator[LedgerTransaction]:
        self.begun += 1
        if self.begun > self._last:
            raise StoreRefusedError("the disk is full")
        with self._ledger.transaction() as transaction:
            yield transaction

    def packed(self, documents: Sequence[ContentDocument], content: ContentStore) -> Sequence[PackedDocument] | None:
        return self._ledger.packed(documents, content)


def test_a_batch_of_large_bodies_is_worked_off_in_slices_that_end_as_one_would(store: Store) -> None:
    batch = _large_conversations(30)
    ledger = CountingLedger(store.ledger)

    outcome = ingest(batch, ledger=ledger, content=store.content)

    assert ledger.begun == 2
    assert outcome == IngestOutcome(received=60, stored=60)
    assert {row["state"] for row in store.rows(tables.interaction)} == {"complete"}
    assert [row["received"] for row in store.rows(tables.hub_partition)] == [60]


@pytest.mark.slow
def test_a_slice_that_was_stored_is_a_duplicate_when_the_rest_failed_and_the_batch_comes_again(store: Store) -> None:
    batch = _large_conversations(30)
    with pytest.raises(StoreRefusedError):
        ingest(batch, ledger=CountingLedger(store.ledger, last=1), content=store.content)
    stored = len(store.rows(tables.delivery))

    outcome = store.deliver(batch)

    assert 0 < stored < 60
    assert outcome == IngestOutcome(received=60, stored=60 - stored, duplicate=stored)
    assert len(store.rows(tables.interaction)) == 30


def test_a_batch_of_large_bodies_is_refused_as_a_whole_and_nothing_of_it_is_written(store: Store) -> None:
    good = events.deliveries(*(event.body for event in _large_conversations(24)))
    rubbish = events.deliveries(*(f"no JSON {number}".encode() for number in range(60)), first=1000)
    assert len(list(slices(good + rubbish))) > 1

    with pytest.raises(TooManyInvalidError, match="60 of 108 events cannot be read, the first at gateway/0/1000"):
        store.deliver(good + rubbish)

    assert [store.rows(table) for table in (tables.interaction, tables.content, tables.quarantine)] == [[], [], []]


def test_slices_leave_out_no_event_and_an_event_larger_than_a_slice_has_one_alone() -> None:
    sizes = [10, 5_000_000, 4_000_000, 100_000, 100_000, 9_000_000]
    batch = events.deliveries(*(b"x" * size for size in sizes))

    parts = [[len(one.body) for one in part] for part in slices(batch)]

    assert parts == [[10], [5_000_000], [4_000_000, 100_000], [100_000], [9_000_000]]


class ContendedLedger:
    """A real ledger in which somebody else is first for some transactions."""

    def __init__(self, ledger: SqlLedger, conflicts: int) -> None:
        self._ledger = ledger
        self.conflicts = conflicts

    @contextmanager
    def transaction(self) -> Iterator[LedgerTransaction]:
        with self._ledger.transaction() as transaction:
            yield transaction
            if self.conflicts:
                self.conflicts -= 1
                raise ConflictError

    def packed(self, documents: Sequence[ContentDocument], content: ContentStore) -> Sequence[PackedDocument] | None:
        return self._ledger.packed(documents, content)


def test_a_batch_that_meets_another_writer_is_tried_again_at_once_and_stored_once(store: Store) -> None:
    batch = events.deliveries(events.a_request(), events.a_response())

    outcome = ingest(batch, ledger=ContendedLedger(store.ledger, conflicts=2), content=store.content)

    assert outcome == IngestOutcome(received=2, stored=2)
    assert [row["received"] for row in store.rows(tables.hub_partition)] == [2]


def test_a_batch_that_was_not_stored_leaves_no_content_behind_in_the_ledgers_own_database(store: Store) -> None:
    with pytest.raises(StoreRefusedError):
        ingest(
            events.deliveries(events.a_request()), ledger=CountingLedger(store.ledger, last=0), content=store.content
        )

    assert store.rows(tables.content) == []


def test_content_and_facts_of_a_batch_are_one_transaction_in_the_same_database(store: Store) -> None:
    begun: list[str] = []
    sa.event.listen(store.engine, "begin", lambda _: begun.append("begin"))

    store.deliver(events.deliveries(events.a_request(), events.a_response()))

    assert begun == ["begin"]


def test_an_answer_that_comes_later_writes_no_column_that_stays_the_same(store: Store) -> None:
    store.deliver(events.deliveries(events.a_request()))
    statements: list[str] = []
    sa.event.listen(store.engine, "before_cursor_execute", lambda *how: statements.append(how[2]))

    store.deliver(events.deliveries(events.a_response(), first=1))

    (update,) = [statement for statement in statements if statement.startswith("update interaction ")]
    assert "http_status = ?" in update
    assert "occurred_at" not in update
    assert "user_id" not in update


def test_a_batch_that_never_wins_is_left_to_the_triggers_retry_policy(store: Store) -> None:
    endless = ContendedLedger(store.ledger, conflicts=1000)

    with pytest.raises(ConflictError):
        ingest(events.deliveries(events.a_request()), ledger=endless, content=store.content)

    assert endless.conflicts > 900
    assert store.rows(tables.interaction) == []
