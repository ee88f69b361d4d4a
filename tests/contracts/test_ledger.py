"""What every ledger does."""

import threading

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from shared.domain.delivery import Position
from shared.errors import ConflictError
from shared.stores.ports import Alias, Changes, Ledger, Quarantined, Row
from shared.stores.sql import tables

AT = "2026-03-02T09:30:00.123Z"


def a_row(interaction_id: str = "call-1", **changes: object) -> Row:
    return {
        "id": interaction_id,
        "occurred_at": AT,
        "has_request": True,
        "http_status": 200,
        "latency_ms": 12.5,
        "caller_ip": "2001:db8::7",
        "tags": '{"a":"\N{GRINNING FACE}"}',
        "prompt_preview": "Grüße",
        "state": "complete",
        "usage_provenance": "missing",
        "sources": '["native"]',
        "parts": '["Q:1"]',
        "field_sources": "Q",
        "strands": '{"response-id:a":null}',
        "revision": 0,
    } | changes


def a_batch(**changes: object) -> Changes:
    values = {"received": 1, "redelivered": 0, "last_sequence": 7, "last_enqueued_at": AT} | changes
    return Changes(hub="gateway", partition="0", **values)  # type: ignore[arg-type]  # a builder


def a_position(sequence: int = 7, at: str = AT) -> Position:
    return Position("gateway", "0", sequence, at)


def test_an_interaction_comes_back_as_it_was_written(ledger: Ledger) -> None:
    with ledger.transaction() as transaction:
        transaction.store(a_batch(new_interactions=[a_row()]))

    with ledger.transaction() as transaction:
        found = transaction.interactions(["call-1", "CALL-1", "nobody"])

    assert set(found) == {"call-1"}
    known = {name: value for name, value in found["call-1"].items() if value is not None}
    assert known == a_row()


def test_a_change_counts_the_revision_up(ledger: Ledger) -> None:
    with ledger.transaction() as transaction:
        transaction.store(a_batch(new_interactions=[a_row(), a_row("call-2")]))
    with ledger.transaction() as transaction:
        transaction.store(a_batch(changed_interactions=[a_row(http_status=500)]))

    with ledger.transaction() as transaction:
        found = transaction.interactions(["call-1", "call-2"])

    assert (found["call-1"]["http_status"], found["call-1"]["revision"]) == (500, 1)
    assert (found["call-2"]["http_status"], found["call-2"]["revision"]) == (200, 0)


def test_a_change_to_a_row_that_somebody_else_changed_is_a_conflict_and_writes_nothing(ledger: Ledger) -> None:
    with ledger.transaction() as transaction:
        transaction.store(a_batch(new_interactions=[a_row()]))
    with ledger.transaction() as transaction:
        transaction.store(a_batch(changed_interactions=[a_row(http_status=500)]))

    stale = a_batch(changed_interactions=[a_row(http_status=404)], dirty_hours={AT})
    with pytest.raises(ConflictError), ledger.transaction() as transaction:
        transaction.store(stale)

    with ledger.transaction() as transaction:
        assert transaction.interactions(["call-1"])["call-1"]["http_status"] == 500


def test_a_new_interaction_that_exists_already_is_a_conflict(ledger: Ledger) -> None:
    with ledger.transaction() as transaction:
        transaction.store(a_batch(new_interactions=[a_row()]))

    with pytest.raises(ConflictError), ledger.transaction() as transaction:
        transaction.store(a_batch(new_interactions=[a_row()]))


def test_a_removed_interaction_is_gone(ledger: Ledger) -> None:
    with ledger.transaction() as transaction:
        transaction.store(a_batch(new_interactions=[a_row(), a_row("call-2")]))

    with ledger.transaction() as transaction:
        transaction.store(a_batch(removed_interactions=[("call-1", 0)]))

    with ledger.transaction() as transaction:
        assert set(transaction.interactions(["call-1", "call-2"])) == {"call-2"}


def test_removing_a_row_that_somebody_else_changed_is_a_conflict_and_removes_nothing(ledger: Ledger) -> None:
    with ledger.transaction() as transaction:
        transaction.store(a_batch(new_interactions=[a_row()]))
    with ledger.transaction() as transaction:
        transaction.store(a_batch(changed_interactions=[a_row(http_status=500)]))

    with pytest.raises(ConflictError), ledger.transaction() as transaction:
        transaction.store(a_batch(removed_interactions=[("call-1", 0)]))

    with ledger.transaction() as transaction:
        assert "call-1" in transaction.interactions(["call-1"])


def test_an_alias_comes_back_as_it_was_written_and_a_change_counts_its_revision_up(ledger: Ledger) -> None:
    with ledger.transaction() as transaction:
        transaction.store(a_batch(new_aliases=[Alias("response-id:a", "call-1", AT, 0)]))
    with ledger.transaction() as transaction:
        first = transaction.aliases(["response-id:a", "response-id:A", "nobody's"])
        transaction.store(a_batch(changed_aliases=[Alias("response-id:a", "call-2", AT, 0)]))

    with ledger.transaction() as transaction:
        then = transaction.aliases(["response-id:a"])

    assert first == {"response-id:a": Alias("response-id:a", "call-1", AT, 0)}
    assert then == {"response-id:a": Alias("response-id:a", "call-2", AT, 1)}


@pytest.mark.parametrize("changes", ["new_aliases", "changed_aliases"])
def test_a_name_that_somebody_else_claimed_first_is_a_conflict_and_writes_nothing(ledger: Ledger, changes: str) -> None:
    mine, theirs = Alias("response-id:a", "call-1", AT, 7), Alias("response-id:a", "call-2", AT, 0)
    with ledger.transaction() as transaction:
        transaction.store(a_batch(new_aliases=[theirs]))

    stale = a_batch(new_interactions=[a_row()], **{changes: [mine]})
    with pytest.raises(ConflictError), ledger.transaction() as transaction:
        transaction.store(stale)

    with ledger.transaction() as transaction:
        assert transaction.aliases(["response-id:a"]) == {"response-id:a": theirs}
        assert transaction.interactions(["call-1"]) == {}


def test_a_position_is_known_once_its_delivery_is_stored(ledger: Ledger) -> None:
    with ledger.transaction() as transaction:
        transaction.store(a_batch(deliveries=[(a_position(), "kept", "native")]))

    again, later, recreated = a_position(), a_position(8), a_position(at="2026-03-03T00:00:00.000Z")
    with ledger.transaction() as transaction:
        assert transaction.known_positions([again, later, recreated]) == {again}


def test_received_events_are_counted_per_partition_and_the_last_position_kept(engine: Engine, ledger: Ledger) -> None:
    late, between = "2026-03-02T09:31:00.000Z", "2026-03-02T09:30:30.000Z"
    for sequence, at in ((7, AT), (9, late), (8, between), (10, late), (9, late)):
        with ledger.transaction() as transaction:
            transaction.store(a_batch(received=2, redelivered=1, last_sequence=sequence, last_enqueued_at=at))

    with engine.connect() as connection:
        (row,) = connection.execute(sa.select(tables.hub_partition)).all()
    assert tuple(row) == ("gateway", "0", 10, 5, 10, late)


def test_waiting_deliveries_are_forgotten_when_their_interaction_settles(engine: Engine, ledger: Ledger) -> None:
    with ledger.transaction() as transaction:
        transaction.store(a_batch(waiting=[("call-1", a_position()), ("call-2", a_position())]))
    with ledger.transaction() as transaction:
        transaction.store(a_batch(settled=["call-1"]))

    with engine.connect() as connection:
        assert connection.scalars(sa.select(tables.waiting.c.interaction_id)).all() == ["call-2"]


def test_only_waits_that_are_old_enough_are_ended(engine: Engine, ledger: Ledger) -> None:
    with ledger.transaction() as transaction:
        transaction.store(a_batch(waiting=[(call, a_position()) for call in ("call-1", "call-2", "call-3")]))
    with engine.begin() as connection:
        old = sa.update(tables.waiting).where(tables.waiting.c.interaction_id != "call-2").values(stored_at=AT)
        connection.execute(old)

    with ledger.transaction() as transaction:
        transaction.end_waits(["call-1", "call-2"], "2026-03-02T23:00:00.000Z")

    with engine.connect() as connection:
        waiting = connection.scalars(sa.select(tables.waiting.c.interaction_id)).all()
    assert sorted(waiting) == ["call-2", "call-3"]


def test_quarantine_keeps_the_bytes(engine: Engine, ledger: Ledger) -> None:
    with ledger.transaction() as transaction:
        transaction.store(a_batch(quarantined=[Quarantined("ab12", a_position(), "not JSON", "1", b"\x00\xff{")]))

    with ledger.transaction() as transaction:
        assert transaction.known_quarantine(["ab12", "cd34"]) == {"ab12"}
    with engine.connect() as connection:
        (row,) = connection.execute(sa.select(tables.quarantine)).mappings().all()
    assert (row["reason"], row["size"]) == ("not JSON", 3)
    assert isinstance(row["body"], bytes)


def test_an_exception_rolls_everything_back(ledger: Ledger) -> None:
    def fail() -> None:
        with ledger.transaction() as transaction:
            transaction.store(a_batch(new_interactions=[a_row()]))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()

    with ledger.transaction() as transaction:
        assert transaction.interactions(["call-1"]) == {}


def test_two_writers_of_one_interaction_never_lose_a_change(ledger: Ledger) -> None:
    with ledger.transaction() as transaction:
        transaction.store(a_batch(new_interactions=[a_row(request_bytes=0)]))

    def add() -> None:
        for _ in range(20):
            _add_one(ledger)

    threads = [threading.Thread(target=add) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with ledger.transaction() as transaction:
        assert transaction.interactions(["call-1"])["call-1"]["request_bytes"] == 60


def _add_one(ledger: Ledger) -> None:
    while True:
        try:
            with ledger.transaction() as transaction:
                row = transaction.interactions(["call-1"])["call-1"]
                transaction.store(a_batch(changed_interactions=[row | {"request_bytes": row["request_bytes"] + 1}]))
        except ConflictError:
            continue
        return
