"""What every queue of claims does."""

import pytest
from sqlalchemy.engine import Engine

from shared.domain.values import NO_TIME
from shared.stores.ports import Changes, ClaimQueue, WaitingClaim
from shared.stores.sql.claims import SqlClaimQueue
from shared.stores.sql.ledger import SqlLedger

EVER = "9999-01-01T00:00:00.000Z"


@pytest.fixture
def queue(engine: Engine) -> ClaimQueue:
    return SqlClaimQueue(engine)


def note(engine: Engine, *claims: tuple[str, str], met: tuple[tuple[str, str], ...] = ()) -> None:
    changes = Changes.unbooked()
    changes.claims, changes.met_claims = list(claims), list(met)
    with SqlLedger(engine).transaction() as transaction:
        transaction.store(changes)


def names(claims: list[WaitingClaim]) -> list[tuple[str, str]]:
    return [(claim.interaction_id, claim.document) for claim in claims]


def test_a_claim_is_due_from_when_it_is_noted(engine: Engine, queue: ClaimQueue) -> None:
    note(engine, ("call-1", "Q:1"), ("call-1", "R:1"))

    due = queue.due(EVER, 10)

    assert sorted(names(due)) == [("call-1", "Q:1"), ("call-1", "R:1")]
    assert queue.due(NO_TIME, 10) == []
    assert queue.due(due[0].noted_at, 10) == due


def test_a_claim_that_is_noted_again_stays_as_it_is(engine: Engine, queue: ClaimQueue) -> None:
    note(engine, ("call-1", "Q:1"))
    before = queue.due(EVER, 10)
    queue.postpone([(before[0], "2100-01-01T00:00:00.000Z")])

    note(engine, ("call-1", "Q:1"))

    assert queue.due("2099-01-01T00:00:00.000Z", 10) == []
    assert queue.due(EVER, 10) == before


def test_what_is_due_longest_comes_first_and_no_more_than_asked_for(engine: Engine, queue: ClaimQueue) -> None:
    note(engine, ("call-1", "Q:1"), ("call-2", "Q:1"), ("call-3", "Q:1"))
    times = {"call-1": "2100-01-03", "call-2": "2100-01-01", "call-3": "2100-01-02"}
    queue.postpone([(one, f"{times[one.interaction_id]}T00:00:00.000Z") for one in queue.due(EVER, 10)])

    assert names(queue.due(EVER, 2)) == [("call-2", "Q:1"), ("call-3", "Q:1")]
    assert names(queue.due("2100-01-01T00:00:00.000Z", 10)) == [("call-2", "Q:1")]


def test_a_claim_that_was_met_or_forgotten_is_gone(engine: Engine, queue: ClaimQueue) -> None:
    note(engine, ("call-1", "Q:1"), ("call-2", "Q:1"), ("call-3", "Q:1"))

    note(engine, met=(("call-1", "Q:1"), ("never", "Q:1")))
    forgotten = [one for one in queue.due(EVER, 10) if one.interaction_id == "call-2"]
    queue.forget(forgotten)
    queue.forget(forgotten)
    queue.forget([])
    queue.postpone([])

    assert names(queue.due(EVER, 10)) == [("call-3", "Q:1")]
