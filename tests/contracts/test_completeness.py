"""What every store of completeness tells, and what is made of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from shared.domain.delivery import Delivery, Position
from shared.pricing.entries import Unit
from shared.pricing.files import Origin, PriceFile
from shared.pricing.payers import Matched
from shared.services.completeness import check_completeness
from shared.services.ingest import IngestOutcome
from shared.services.rollup import rebuild_usage_rollups
from shared.stores.ports import Changes
from shared.stores.sql import tables
from shared.stores.sql.assignments import SqlAssignments
from shared.stores.sql.audit import SqlAuditStore
from shared.stores.sql.completeness import SqlCompleteness
from shared.stores.sql.ledger import SqlLedger
from shared.stores.sql.prices import SqlPrices
from shared.stores.sql.rollups import SqlUsageRollups
from tests.builders import events, ledgers
from tests.builders.azure_monitor import a_gateway_log, a_request_response, an_envelope
from tests.builders.payers import an_assignment
from tests.builders.prices import a_price

NINE = "2026-03-02T09:00:00.000Z"
NOON = datetime(2026, 3, 2, 12, 10, tzinfo=UTC)


class Store(ledgers.Store):
    """A ledger that is checked for completeness."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.store = SqlCompleteness(engine)

    def ingest(self, *bodies: bytes, first: int = 0, hub: str = "gateway", at: str = events.ENQUEUED) -> IngestOutcome:
        return self.deliver(
            [Delivery(Position(hub, "0", first + place, at), body) for place, body in enumerate(bodies)]
        )

    def check(self, now: datetime = NOON) -> int:
        audit = SqlAuditStore(self.engine)
        return check_completeness(store=self.store, audit=audit, wait=timedelta(hours=1), now=lambda: now)

    def findings(self) -> dict[tuple[str, str], dict[str, Any]]:
        """Return what was found, by kind and hub."""
        rows = self.rows(tables.finding)
        assert {row["hour"] for row in rows} <= {NINE}
        return {(row["kind"], row["hub"]): row for row in rows}

    def numbers(self) -> dict[str, int]:
        return {kind: row["number"] for (kind, _), row in self.findings().items()}


@pytest.fixture
def store(engine: Engine) -> Store:
    return Store(engine)


def test_a_complete_hour_has_no_findings(store: Store) -> None:
    store.ingest(events.a_request(), events.a_response(), events.a_metric())

    assert store.check() == 0
    assert store.findings() == {}


def test_what_an_hours_events_and_calls_lack_is_found(store: Store) -> None:
    store.ingest(events.poison(), events.a_request("asked"), events.a_response("answered"))

    found = store.check()

    assert found == 4
    assert store.numbers() == {"quarantined": 1, "pending": 2, "no_answer": 1, "no_request": 1}
    assert store.findings()["quarantined", "gateway"]["detail"] == '{"received":3}'


def test_missing_sequence_numbers_are_found_where_they_are_missing(store: Store) -> None:
    for first in (7, 8, 12, 13, 20):
        store.ingest(events.a_metric(), first=first, hub="monitor")

    store.check()

    row = store.findings()["gap", "monitor"]
    assert row["number"] == 3 + 6
    assert row["detail"] == (
        '{"gaps":[{"partition":"0","after":8,"before":12},{"partition":"0","after":13,"before":20}]}'
    )


def test_a_gap_that_begins_in_the_hour_before_is_found_in_the_hour_that_it_ends_in(store: Store) -> None:
    store.ingest(events.a_metric(), first=5, at="2026-03-01T00:00:00.000Z")
    store.ingest(events.a_metric(), first=7)

    store.check()

    assert store.numbers() == {"gap": 1}


def test_numbers_that_stand_in_for_missing_ones_have_no_gaps(store: Store) -> None:
    store.ingest(events.a_metric(), first=-900)
    store.ingest(events.a_metric(), first=-3)
    store.ingest(events.a_metric(), first=5)

    assert store.check() == 0


def test_checking_again_finds_the_same_rows(store: Store) -> None:
    store.ingest(events.poison(), events.a_request())
    store.check()
    before = store.findings()

    store.check(NOON + timedelta(hours=1))

    assert store.findings() == before


def test_what_vanishes_is_resolved_and_what_comes_back_holds_again(store: Store) -> None:
    store.ingest(events.a_request())
    store.check()
    store.ingest(events.a_response(), first=1)
    store.check(NOON + timedelta(hours=30))
    resolved = store.findings()["no_answer", ""]

    store.ingest(events.a_request("another"), first=2)
    store.check()

    assert resolved["resolved_at"] == "2026-03-03T18:10:00.000Z"
    held = store.findings()["no_answer", ""]
    assert (held["resolved_at"], held["found_at"]) == (None, resolved["found_at"])
    assert store.store.unresolved() == {"no_answer": 1, "pending": 1}


def test_an_hour_that_is_not_over_for_long_enough_is_not_judged(store: Store) -> None:
    store.ingest(events.a_request())

    assert store.check(datetime(2026, 3, 2, 10, 59, tzinfo=UTC)) == 0


def test_calls_past_the_gateway_are_found(store: Store) -> None:
    store.ingest(an_envelope(a_request_response()), hub="monitor")

    store.check()

    assert store.numbers() == {"bypass": 1}


def test_events_and_logs_are_compared_where_both_are_seen(store: Store) -> None:
    both, logged, told = (f"00000000-0000-4000-8000-00000000000{number}" for number in range(3))
    store.ingest(an_envelope(a_gateway_log(logged)), hub="monitor")
    store.ingest(events.a_request(told), events.a_response(told))
    alone = store.check()

    store.ingest(an_envelope(a_gateway_log(both)), hub="monitor", first=1)
    store.ingest(events.a_request(both), events.a_response(both), first=2)
    store.check()

    assert alone == 0
    assert store.numbers() == {"log_without_event": 1, "event_without_log": 1}


def test_words_that_no_list_knows_are_counted_hour_by_hour(store: Store) -> None:
    new = {"object": "chat.completion", "usage": {"magic_tokens": 1}, "choices": [{"finish_reason": "bored"}]}
    other = {"object": "chat.completion", "usage": {"magic_tokens": 1}}
    for place, body in enumerate((new, new, other)):
        name = f"call-{place}"
        store.ingest(events.a_request(name), events.a_response(name, body=body), first=2 * place)

    store.check()

    row = store.findings()["unknown_word", ""]
    assert row["number"] == 3
    assert row["detail"] == '{"usage:magic_tokens":3,"finish_reason:bored":2}'


def test_calls_without_a_price_and_deployments_that_nobody_described_are_found(store: Store) -> None:
    body = {"object": "chat.completion", "usage": {"prompt_tokens": 3, "completion_tokens": 1}}
    for place, model in enumerate(("gpt-4o", "gpt-4o", "llama-9", None)):
        name = f"call-{place}"
        store.ingest(events.a_request(name), events.a_response(name, body=body | {"model": model}), first=2 * place)
    SqlPrices(store.engine).load(
        PriceFile(Origin.OWN, "1", [a_price(), a_price(Unit.OUTPUT, "10")]), at="2026-11-27T00:00:00.000Z", actor="ada"
    )
    rebuild_usage_rollups(SqlUsageRollups(store.engine))

    store.check()

    rows = store.findings()
    # The last names no model, and its deployment is not described: it is both.
    assert {kind: (row["number"], row["detail"]) for (kind, _), row in rows.items()} == {
        "no_price": (2, '{"chat":1,"llama-9":1}'),
        "unmapped_deployment": (3, '{"chat":3}'),
    }


def test_calls_whose_tags_name_several_payers_are_found(store: Store) -> None:
    tags = [
        an_assignment(value, value, matched=Matched.TAG, name=name) for name, value in (("team", "red"), ("unit", "1"))
    ]
    SqlAssignments(store.engine).change(tags, actor="ada", at="2026-11-27T00:00:00.000Z")
    for place, told in enumerate(({"team": "red", "unit": "1"}, {"team": "red"}, {"unit": "2", "team": "red"})):
        name = f"call-{place}"
        store.ingest(events.a_request(name, tags=told), events.a_response(name), first=2 * place)
    rebuild_usage_rollups(SqlUsageRollups(store.engine))

    store.check()

    row = store.findings()["ambiguous_payer", ""]
    assert (row["number"], row["detail"]) == (1, '{"{\\"team\\":\\"red\\",\\"unit\\":\\"1\\"}":1}')


def test_calls_of_which_two_witnesses_name_different_callers_are_found(store: Store) -> None:
    store.ingest(events.a_request("one"), events.a_response("one"), events.a_request("two"), events.a_response("two"))
    table = tables.interaction
    with store.engine.begin() as connection:
        connection.execute(sa.update(table).where(table.c.id == "two").values(callers_differ=True))

    store.check()

    assert store.numbers() == {"callers_differ": 1}


def test_an_event_in_no_class_is_found(store: Store) -> None:
    store.ingest(events.a_metric(), events.a_metric())
    with store.engine.begin() as connection:
        connection.execute(sa.delete(tables.delivery).where(tables.delivery.c.sequence == 1))
    assert store.store.recount("gateway", "0")

    store.check()

    assert store.numbers() == {"unaccounted": 1}


def test_numbers_of_outcomes_that_nobody_kept_are_counted(store: Store) -> None:
    store.ingest(events.a_metric(), events.a_metric())
    with store.engine.begin() as connection:
        connection.execute(sa.delete(tables.delivery_count))

    store.check()

    assert store.numbers() == {}
    with store.engine.connect() as connection:
        counted = connection.execute(sa.select(tables.delivery_count.c.outcome, tables.delivery_count.c.number)).all()
    assert [tuple(row) for row in counted] == [("skipped", 2)]


def test_how_the_ledger_stands_is_told(store: Store) -> None:
    store.ingest(events.poison(), events.a_request("one"), events.a_request("two"))

    standing = store.store.standing()

    assert (standing.pending, standing.quarantined) == (2, 1)
    assert standing.newest == [("gateway", "0", events.ENQUEUED)]
    assert standing.oldest_pending_at is not None
    assert standing.oldest_pending_at > "2026"


def test_of_an_empty_ledger_nothing_is_told(store: Store) -> None:
    assert store.store.standing() == (0, None, 0, [])
    assert store.check() == 0


def test_waiting_deliveries_are_overdue_once_their_newest_was_stored_long_enough_ago(engine: Engine) -> None:
    ledger = SqlLedger(engine)
    changes = Changes.unbooked()
    changes.waiting = [("one", events.deliveries(b"")[0].position), ("two", events.deliveries(b"")[0].position)]
    with ledger.transaction() as transaction:
        transaction.store(changes)

    with ledger.transaction() as transaction:
        transaction.take_lease("a job")
        now, later = transaction.overdue(NINE, 10), transaction.overdue("9999-01-01T00:00:00.000Z", 1)

    assert (now, later) == ([], ["one"])
