"""Interactions that wait too long are given up; whatever comes later still completes them."""

import itertools
import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.delivery import Delivery
from shared.services.audit import Reader
from shared.services.claim_checks import ClaimCheck, fetch_claimed_bodies
from shared.services.ingest import IngestOutcome, ingest
from shared.services.upkeep import expire_pending_fragments
from shared.stores.ports import Changes
from shared.stores.sql import tables
from shared.stores.sql.claims import SqlClaimQueue
from shared.stores.sql.ledger import _SqlTransaction
from tests.builders import events, ledgers
from tests.builders.azure_monitor import CALL, an_envelope, in_parts, model_rows
from tests.builders.claims import MemoryBodies, claiming
from tests.builders.databases import memory_folder, new_sqlite

WAIT = timedelta(minutes=60)
QUESTION = {"messages": [{"role": "user", "content": "What is " + "two and " * 40 + "two?"}]}
ASKED = json.dumps([{"role": "user", "content": "Grüße " * 9}])
ANSWERED = json.dumps([{"role": "assistant", "content": "Hallo " * 9}])


class Store(ledgers.Store):
    """A ledger whose clock can be told to be later."""

    def expire(self, *, after: timedelta = 2 * WAIT) -> int:
        later = datetime.now(UTC) + after
        return expire_pending_fragments(ledger=self.ledger, content=self.content, wait=WAIT, now=lambda: later)

    def fetch(self, claims: ClaimCheck) -> None:
        queue, patience = SqlClaimQueue(self.engine), timedelta(days=7)
        fetch_claimed_bodies(queue=queue, ledger=self.ledger, content=self.content, claims=claims, patience=patience)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    engine = new_sqlite(tmp_path)
    yield Store(engine)
    engine.dispose()


def test_a_request_whose_answer_never_comes_becomes_incomplete_and_counts_as_stored(store: Store) -> None:
    store.ingest(events.a_request())
    before = store.balance()

    given_up = store.expire()

    after = store.balance()
    assert (given_up, store.row()["state"]) == (1, "incomplete")
    assert (before.stored, before.pending) == (0, 1)
    assert (after.received, after.stored, after.pending) == (1, 1, 0)
    assert store.rows(tables.waiting) == []


def test_nothing_is_given_up_before_its_time(store: Store) -> None:
    store.ingest(events.a_request())

    given_up = store.expire(after=WAIT / 2)

    assert (given_up, store.row()["state"]) == (0, "pending")


def test_an_interaction_waits_from_its_newest_part_on(store: Store) -> None:
    first, second, _ = in_parts("call-1", QUESTION, 3)
    store.ingest(first)
    long_ago = "2026-03-02T00:00:00.000Z"
    with store.engine.begin() as connection:
        connection.execute(sa.update(tables.waiting).values(stored_at=long_ago))
    store.ingest(second)

    given_up = store.expire(after=WAIT / 2)

    assert given_up == 0


def test_giving_up_again_changes_nothing(store: Store) -> None:
    store.ingest(events.a_request())
    store.expire()
    before = store.rows()

    given_up = store.expire()

    assert given_up == 0
    assert store.rows() == before


def test_a_part_that_comes_after_all_completes_the_interaction_as_if_nothing_had_been(
    store: Store, tmp_path: Path
) -> None:
    other = Store(new_sqlite(_folder(tmp_path, "undisturbed")))
    store.ingest(events.a_request())
    store.expire()

    late = store.ingest(events.a_response())
    other.ingest(events.a_request(), events.a_response())
    undisturbed = other.row()
    other.engine.dispose()

    assert late == IngestOutcome(received=1, stored=1)
    assert _told(store.row()) == _told(undisturbed)
    assert store.rows(tables.waiting) == []


def _folder(parent: Path, name: str) -> Path:
    (parent / name).mkdir()
    return parent / name


def _told(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "revision"}


def test_one_more_piece_begins_a_new_wait(store: Store) -> None:
    first, second, third = in_parts("call-1", QUESTION, 3)
    store.ingest(first)
    store.expire()

    late = store.ingest(second)
    waiting = store.row()["state"]
    store.expire()
    given_up = store.row()["state"]
    store.ingest(third, events.a_response())

    assert late == IngestOutcome(received=1, pending=1)
    assert (waiting, given_up, store.row()["state"]) == ("pending", "incomplete", "complete")
    assert store.row()["truncated"] is None


def test_what_is_there_of_a_body_in_parts_is_read_as_far_as_it_is_whole(store: Store) -> None:
    first, second, _ = in_parts("call-1", QUESTION, 3)
    store.ingest(first, second, events.a_response())

    store.expire()

    row = store.row()
    content = store.audit.content_of("call-1", reader=Reader("auditor", "test"))
    assert (row["state"], row["truncated"], row["total_tokens"]) == ("incomplete", True, 12)
    assert row["prompt_preview"].startswith("What is two and two")
    assert content.prompt is not None
    assert content.prompt.startswith("What is two and two")
    assert len(content.prompt) < len(str(QUESTION["messages"][0]["content"]))


@pytest.mark.parametrize("encoding", ["utf-8", "base64"])
def test_of_a_body_whose_beginning_is_missing_nothing_is_read(store: Store, encoding: str) -> None:
    _, second, third = in_parts("call-1", QUESTION, 3, encoding=encoding)
    store.ingest(second, third)

    store.expire()

    assert (store.row()["state"], store.row()["prompt_preview"]) == ("incomplete", None)


def test_log_rows_that_never_end_are_given_up_and_read_as_far_as_they_are_whole(store: Store) -> None:
    rows = model_rows(CALL, asked=ASKED, answered=ANSWERED, size=20)
    store.ingest(an_envelope(*rows[:-1]))
    waiting = store.row()["state"]

    store.expire()
    given_up = store.row()
    content = store.audit.content_of(CALL, reader=Reader("auditor", "test"))
    store.ingest(an_envelope(rows[-1]))

    assert (waiting, given_up["state"], given_up["truncated"]) == ("pending", "incomplete", True)
    assert given_up["completion_preview"].startswith("Hallo Hallo")
    assert content.completion is not None
    assert content.completion.startswith("Hallo Hallo")
    whole = store.row()
    assert (whole["state"], whole["truncated"], whole["strands"]) == ("complete", None, None)
    assert whole["completion_preview"] == "Hallo " * 9


def test_its_hour_is_summed_again_when_an_interaction_is_given_up(store: Store) -> None:
    store.ingest(events.a_request())
    with store.engine.begin() as connection:
        connection.execute(sa.delete(tables.dirty_hour))

    store.expire()

    assert [row["hour"] for row in store.rows(tables.dirty_hour)] == ["2026-03-02T09:00:00.000Z"]


def test_a_delivery_that_waits_for_nothing_any_more_is_settled(store: Store) -> None:
    store.ingest(events.a_request(), events.a_response())
    with store.engine.begin() as connection:
        for name in ("call-1", "nobody"):
            position = events.deliveries(b"")[0].position
            connection.execute(sa.insert(tables.waiting).values((name, *position, None)))

    given_up = store.expire()

    assert (given_up, store.rows(tables.waiting), store.row()["state"]) == (0, [], "complete")


def test_one_run_takes_a_bounded_number_of_them_and_the_next_goes_on(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.services.upkeep._STEP", 2)
    monkeypatch.setattr("shared.services.upkeep._STEPS", 2)
    store.ingest(*(events.a_request(f"call-{number}") for number in range(7)))

    runs = [store.expire() for _ in range(3)]

    assert runs == [4, 3, 0]


@pytest.mark.parametrize("how", ["the timer", "its event again"])
def test_a_claimed_body_that_comes_after_all_begins_a_new_wait_for_the_part_that_lacks_still(
    store: Store, how: str
) -> None:
    bodies = MemoryBodies()
    claims = ClaimCheck(bodies, largest=1024 * 1024)
    event = events.deliveries(claiming("call-1", "q", QUESTION))
    ingest(event, ledger=store.ledger, content=store.content, claims=claims)
    store.expire()
    bodies.upload("q", QUESTION)

    if how == "the timer":
        store.fetch(claims)
    else:
        ingest(event, ledger=store.ledger, content=store.content, claims=claims)

    waiting, early, balance = store.row()["state"], store.expire(after=WAIT / 2), store.balance()
    given_up = store.expire()
    assert (waiting, early, given_up, store.row()["state"]) == ("pending", 0, 1, "incomplete")
    assert (balance.received, balance.pending) == (balance.stored + balance.duplicate, 0)
    assert store.row()["prompt_preview"].startswith("What is two")
    assert store.rows(tables.waiting) == []


def test_a_wait_that_begins_while_stale_ones_are_ended_is_kept(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.ingest(events.a_request(), events.a_response())
    old, young = (one.position for one in events.deliveries(b"", b""))
    with store.engine.begin() as connection:
        connection.execute(sa.insert(tables.waiting).values(("call-1", *old, None)))
    find = _SqlTransaction.interactions
    looks = itertools.count()

    def find_and_be_overtaken(transaction: _SqlTransaction, ids: Collection[str]) -> dict[str, Any]:
        found = find(transaction, ids)
        # As ingest does, in a transaction of its own, where the database lets it.
        if next(looks) == 1:
            transaction.store(replace(Changes.unbooked(), waiting=[("call-1", young)]))
        return found

    monkeypatch.setattr(_SqlTransaction, "interactions", find_and_be_overtaken)
    soon = datetime.now(UTC) - timedelta(minutes=1)
    expire_pending_fragments(ledger=store.ledger, content=store.content, wait=timedelta(), now=lambda: soon)

    assert [row["sequence"] for row in store.rows(tables.waiting)] == [young.sequence]


_bodies = st.one_of(
    st.builds(events.a_request, st.sampled_from(["a", "b"])),
    st.builds(events.a_response, st.sampled_from(["a", "b"])),
    st.builds(lambda call, place: in_parts(call, QUESTION, 3)[place], st.sampled_from(["a", "b"]), st.integers(0, 2)),
    st.builds(
        lambda place: an_envelope(model_rows(CALL, asked=ASKED, answered=ANSWERED, size=40)[place]), st.integers(0, 3)
    ),
)


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(st.lists(_bodies, min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_any_order_of_events_and_runs_ends_with_the_same_rows(bodies: list[bytes], chance: Any) -> None:
    placed = events.deliveries(*bodies)
    shuffled = _shuffled(placed, chance)

    with _a_store() as disturbed, _a_store() as undisturbed:
        for delivery in shuffled:
            disturbed.deliver([delivery])
            if chance.random() < 0.5:
                disturbed.expire()
        undisturbed.deliver(placed)
        for store in (disturbed, undisturbed):
            store.expire()
        ends = [sorted((_told(row) for row in store.rows()), key=repr) for store in (disturbed, undisturbed)]
        balance = disturbed.balance()

    assert ends[0] == ends[1]
    assert "pending" not in {row["state"] for row in ends[0]}
    assert (balance.pending, balance.received) == (0, len(shuffled))
    assert balance.received == balance.stored + balance.duplicate


_claiming = st.one_of(
    _bodies,
    st.builds(
        lambda call, blob: claiming(call, blob, QUESTION), st.sampled_from(["a", "b"]), st.sampled_from(["q", "never"])
    ),
)


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(st.lists(_claiming, min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_whoever_waits_is_known_to_wait_also_for_bodies_that_come_after_all(bodies: list[bytes], chance: Any) -> None:
    shuffled = _shuffled(events.deliveries(*bodies), chance)
    blobs = MemoryBodies()
    claims = ClaimCheck(blobs, largest=1024 * 1024)
    standing = []

    with _a_store() as store:
        for delivery in shuffled:
            ingest([delivery], ledger=store.ledger, content=store.content, claims=claims)
            if chance.random() < 0.5:
                store.expire()
            if chance.random() < 0.2:
                blobs.upload("q", QUESTION)
            if chance.random() < 0.3:
                store.fetch(claims)
            pending = {row["id"] for row in store.rows() if row["state"] == "pending"}
            standing.append((pending, {row["interaction_id"] for row in store.rows(tables.waiting)}))

    assert all(pending == waiting for pending, waiting in standing)


def _shuffled(placed: list[Delivery], chance: Any) -> list[Delivery]:
    """Return deliveries in any order, half of them twice."""
    shuffled: list[Delivery] = placed + chance.sample(placed, k=len(placed) // 2)
    chance.shuffle(shuffled)
    return shuffled


@contextmanager
def _a_store() -> Iterator[Store]:
    with memory_folder() as folder:
        store = Store(new_sqlite(Path(folder)))
        try:
            yield store
        finally:
            store.engine.dispose()
