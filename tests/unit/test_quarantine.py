"""Events in quarantine: tried again without double effect, or discarded; all of it recorded."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import Engine

from shared.domain.balance import sum_of
from shared.errors import EventError, NotFoundError
from shared.services import ingest as ingesting
from shared.services.audit import Reader
from shared.services.quarantine import QuarantineService
from shared.sources import Reading, read_event
from shared.stores.ports import ContentDocument, ContentStore, LedgerTransaction, PackedDocument
from shared.stores.sql import tables
from shared.stores.sql.audit import SqlAuditStore
from shared.stores.sql.quarantine import SqlQuarantine
from tests.builders import events, ledgers
from tests.builders.databases import new_sqlite

TO_COME = b"?"
"""What the parser of today cannot read: the event behind this mark."""


class Store(ledgers.Store):
    """A ledger with a parser that learns."""

    def __init__(self, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(engine)
        self.store = SqlQuarantine(engine)
        self.service = self.service_on(self.ledger)
        self._monkeypatch = monkeypatch

    def service_on(self, ledger: Any) -> QuarantineService:
        return QuarantineService(
            store=self.store, audit=SqlAuditStore(self.engine), ledger=ledger, content=self.content
        )

    def learn(self) -> None:
        """From now on the parser reads what it could not."""
        self._monkeypatch.setattr(ingesting, "read_event", _read_behind_the_mark)
        self._monkeypatch.setattr(ingesting, "PARSER_VERSION", "new")

    def ids(self) -> list[str]:
        return [row["id"] for row in self.rows(tables.quarantine)]

    def classes(self) -> dict[str, int]:
        total = sum_of(self.audit.balance())
        assert total.unaccounted == 0
        return {name: number for name, number in asdict(total).items() if number}


def _read_behind_the_mark(body: bytes, enqueued_at: str) -> Reading:
    return read_event(body.removeprefix(TO_COME), enqueued_at)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    engine = new_sqlite(tmp_path)
    yield Store(engine, monkeypatch)
    engine.dispose()


def test_what_can_be_read_now_leaves_quarantine_and_counts_where_it_belongs(store: Store) -> None:
    store.ingest(TO_COME + events.a_request(), events.a_response(), TO_COME + events.a_metric())
    before = store.classes()
    store.learn()

    replayed = store.service.replay(store.ids(), actor="ada")

    assert before == {"received": 3, "pending": 1, "quarantined": 2}
    assert replayed.classes == {"stored": 1, "skipped": 1}
    assert store.classes() == {"received": 3, "stored": 2, "skipped": 1}
    assert store.ids() == []
    (row,) = store.rows(tables.interaction)
    assert (row["state"], row["prompt_preview"]) == ("complete", "What is two and two?")


def test_an_event_that_waits_for_its_other_part_counts_as_pending(store: Store) -> None:
    store.ingest(TO_COME + events.a_request())
    store.learn()

    replayed = store.service.replay(store.ids(), actor="ada")
    pending = store.classes()
    store.ingest(events.a_response())

    assert replayed.classes == {"pending": 1}
    assert pending == {"received": 1, "pending": 1}
    assert store.classes() == {"received": 2, "stored": 2}


def test_an_event_that_says_nothing_new_is_a_duplicate(store: Store) -> None:
    store.ingest(events.a_request(), events.a_response(), TO_COME + events.a_response())
    store.learn()
    before = store.rows(tables.interaction)

    replayed = store.service.replay(store.ids(), actor="ada")

    assert replayed.classes == {"duplicate": 1}
    assert store.classes() == {"received": 3, "stored": 2, "duplicate": 1}
    assert store.rows(tables.interaction) == before


def test_trying_twice_has_the_effect_of_once(store: Store) -> None:
    store.ingest(TO_COME + events.a_request(), TO_COME + events.a_response())
    ids = store.ids()
    store.learn()
    store.service.replay(ids, actor="ada")
    before = [store.rows(table) for table in (tables.interaction, tables.delivery, tables.hub_partition)]

    again = store.service.replay(ids, actor="ada")

    assert (again.classes, sorted(again.unknown)) == ({}, sorted(ids))
    assert [store.rows(table) for table in (tables.interaction, tables.delivery, tables.hub_partition)] == before


def test_an_event_that_is_delivered_again_after_its_replay_changes_nothing(store: Store) -> None:
    batch = events.deliveries(TO_COME + events.a_request(), events.a_response())
    store.deliver(batch)
    store.learn()
    store.service.replay(store.ids(), actor="ada")
    before = store.rows(tables.interaction)

    store.deliver(batch)

    assert store.rows(tables.interaction) == before
    assert store.classes() == {"received": 4, "stored": 2, "duplicate": 2}
    assert store.ids() == []


def test_what_still_cannot_be_read_stays_with_the_new_reason_and_version(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.ingest(events.poison(), TO_COME + events.a_request())

    def refuse(body: bytes, enqueued_at: str) -> Reading:
        if body == events.poison():
            raise EventError("a better reason")
        return _read_behind_the_mark(body, enqueued_at)

    store.learn()
    monkeypatch.setattr(ingesting, "read_event", refuse)

    replayed = store.service.replay(store.ids(), actor="ada")

    assert replayed.classes == {"quarantined": 1, "pending": 1}
    (row,) = store.rows(tables.quarantine)
    assert (row["reason"], row["parser_version"]) == ("a better reason", "new")
    assert store.classes() == {"received": 2, "pending": 1, "quarantined": 1}


def test_a_key_that_was_taken_out_of_the_bytes_does_not_make_another_event_of_them(store: Store) -> None:
    store.ingest(b'{"api-key": "secret"', b'{"api-key": "other"')
    before = sorted(store.ids())

    replayed = store.service.replay(before, actor="ada")

    assert replayed.classes == {"quarantined": 2}
    assert sorted(store.ids()) == before
    assert store.classes() == {"received": 2, "quarantined": 2}


def test_a_range_is_tried_newest_first_and_piece_by_piece(store: Store) -> None:
    store.ingest(*(TO_COME + events.a_request(f"call-{number}") for number in range(5)))
    store.learn()
    key, steps = None, []
    while True:
        replayed = store.service.replay_between("2026-03-02", None, after=key, limit=2, actor="ada")
        steps.append(sum(replayed.classes.values()))
        key = replayed.next
        if key is None:
            break

    assert steps == [2, 2, 1]
    assert store.service.replay_between(None, "2026-03-02", after=None, limit=2, actor="ada").classes == {}


def test_a_range_with_events_that_cannot_be_read_comes_to_its_end(store: Store) -> None:
    store.ingest(*(events.poison() + bytes([number]) for number in range(3)))

    first = store.service.replay_between("2026-03-02", None, after=None, limit=2, actor="ada")
    second = store.service.replay_between("2026-03-02", None, after=first.next, limit=2, actor="ada")

    assert (first.classes, second.classes, second.next) == ({"quarantined": 2}, {"quarantined": 1}, None)


def test_a_hundred_unreadable_events_in_one_replay_are_no_bad_deployment(store: Store) -> None:
    for number in range(100):
        store.ingest(events.poison() + bytes([number]))

    replayed = store.service.replay(store.ids(), actor="ada")

    assert replayed.classes == {"quarantined": 100}


class FirstIsSomebodyElse:
    """A ledger in which another replay of the same events commits first."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._done = False

    @contextmanager
    def transaction(self) -> Iterator[LedgerTransaction]:
        if not self._done:
            self._done = True
            self._store.service.replay(self._store.ids(), actor="bob")
        with self._store.ledger.transaction() as transaction:
            yield transaction

    def packed(self, documents: Sequence[ContentDocument], content: ContentStore) -> Sequence[PackedDocument] | None:
        return self._store.ledger.packed(documents, content)


def test_two_who_try_the_same_event_at_once_have_the_effect_of_one(store: Store) -> None:
    store.ingest(TO_COME + events.a_request(), events.a_response())
    store.learn()
    (event_id,) = store.ids()

    replayed = store.service_on(FirstIsSomebodyElse(store)).replay([event_id], actor="ada")

    assert (replayed.classes, replayed.unknown) == ({}, [event_id])
    assert store.classes() == {"received": 2, "stored": 2}
    assert [row["actor"] for row in store.rows(tables.quarantine_action)] == ["bob"]


def test_every_try_is_recorded_with_who_when_what_and_result(store: Store) -> None:
    store.ingest(events.poison(), TO_COME + events.a_request())
    ids = {row["sequence"]: row["id"] for row in store.rows(tables.quarantine)}
    store.learn()

    store.service.replay(sorted(ids.values()), actor="ada")

    actions = {row["event_id"]: row for row in store.rows(tables.quarantine_action)}
    assert {row["actor"] for row in actions.values()} == {"ada"}
    assert all(row["acted_at"] > "2026" for row in actions.values())
    assert (actions[ids[0]]["action"], actions[ids[0]]["result"]) == ("replay", "quarantined")
    assert actions[ids[0]]["reason"]
    assert (actions[ids[1]]["result"], actions[ids[1]]["reason"]) == ("pending", None)
    assert (actions[ids[1]]["hub"], actions[ids[1]]["partition_id"], actions[ids[1]]["sequence"]) == ("gateway", "0", 1)


def test_a_discarded_event_is_forgotten_and_counts_as_skipped(store: Store) -> None:
    store.ingest(events.poison())
    (event_id,) = store.ids()

    store.service.discard(event_id, reason="a test of the firewall", actor="ada")
    store.service.discard(event_id, reason="again", actor="bob")

    (row,) = store.rows(tables.quarantine)
    (action,) = store.rows(tables.quarantine_action)
    assert (row["body"], row["size"]) == (b"", len(events.poison()))
    assert (action["action"], action["result"], action["reason"]) == ("discard", "skipped", "a test of the firewall")
    assert store.classes() == {"received": 1, "skipped": 1}


def test_a_discarded_event_is_known_when_it_comes_again(store: Store) -> None:
    store.ingest(events.poison())
    (event_id,) = store.ids()
    store.service.discard(event_id, reason="noise", actor="ada")

    store.deliver(events.deliveries(events.poison()))
    store.ingest(events.poison())

    assert store.classes() == {"received": 3, "skipped": 1, "duplicate": 2}
    assert store.service.replay([event_id], actor="ada").unknown == [event_id]


def test_what_is_not_in_quarantine_can_neither_be_read_nor_discarded(store: Store) -> None:
    with pytest.raises(NotFoundError):
        store.service.event("nothing", reader=Reader("ada", "test"))
    with pytest.raises(NotFoundError):
        store.service.discard("nothing", reason="noise", actor="ada")


def test_reading_the_bytes_is_recorded_as_a_reading_of_content(store: Store) -> None:
    store.ingest(events.poison())
    (event_id,) = store.ids()

    held = store.service.event(event_id, reader=Reader("ada", "/route"))

    assert held.body == events.poison()
    (row,) = store.rows(tables.content_read)
    assert (row["reader"], row["route"], row["subject"]) == ("ada", "/route", event_id)
