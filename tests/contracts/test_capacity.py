"""What every store of hours of capacity does."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import Engine

from shared.pricing.capacity import CapacityKind, Reservation
from shared.pricing.entries import Restatement, Unit
from shared.pricing.files import Origin, PriceFile
from shared.questions import StatementQuery
from shared.services.capacity import CapacityService, with_settled_capacity
from shared.services.costs import CostService
from shared.services.focus import focus_rows
from shared.services.rollup import rebuild_usage_rollups
from shared.stores.capacity_ports import CapacityHour
from shared.stores.ports import Ledger
from shared.stores.sql import tables
from shared.stores.sql.capacity import SqlCapacity
from shared.stores.sql.cost_store import SqlCostStore
from shared.stores.sql.ledger import SqlLedger
from shared.stores.sql.prices import SqlPrices
from shared.stores.sql.restatements import SqlRestatements
from shared.stores.sql.rollups import SqlUsageRollups
from shared.stores.usage_ports import UsageRollups
from tests.builders.databases import memory_folder, new_sqlite
from tests.builders.prices import a_deployment, a_price, a_reservation
from tests.contracts.test_prices import charges, load
from tests.contracts.test_usage_rollups import NINE, TEN, a_call, store

ELEVEN = "2026-03-02T11:00:00.000Z"
PTU = {"deployment": "reserved", "model": "gpt-4o"}
UNHEARD = {"deployment": "unheard", "model": "gpt-9"}


@pytest.fixture
def prices(engine: Engine) -> SqlPrices:
    return SqlPrices(engine)


def reserve(prices: SqlPrices, *reservations: Reservation, digest: str = "1") -> None:
    prices.load(PriceFile(Origin.RESERVATIONS, digest, reservations), at=NINE, actor="ada")


def rebuild(engine: Engine, rollups: UsageRollups, until: str = TEN) -> int:
    now = datetime.fromisoformat(until).astimezone(UTC)
    return with_settled_capacity(SqlCapacity(engine), lambda: rebuild_usage_rollups(rollups), now=lambda: now)


def hours(engine: Engine) -> list[CapacityHour]:
    return list(CapacityService(SqlCapacity(engine)).hours(None, None, after=None, limit=1000).items)


def shown(engine: Engine) -> list[tuple[Any, ...]]:
    return [(one.hour, one.deployment, one.line, one.basis, one.amount, one.calls, one.used) for one in hours(engine)]


def sums(engine: Engine, table: sa.Table) -> Decimal:
    with engine.connect() as connection:
        return connection.scalar(sa.select(sa.func.sum(table.c.amount))) or Decimal(0)


def test_an_hours_cost_is_that_of_its_calls_and_what_nobody_used(
    engine: Engine, ledger: Ledger, prices: SqlPrices, rollups: UsageRollups
) -> None:
    reserve(prices, a_reservation())
    # 10 + 4 x 5 = 30 weighted tokens of 15 x 2,500 x 60 = 2,250,000: 15 x 30 / 2,250,000 = 0.0002
    store(ledger, a_call(1, NINE, **PTU), a_call(2, NINE, **PTU), a_call(3, TEN, **PTU))

    rebuild(engine, rollups, ELEVEN)

    assert {name: row[0] for name, row in charges(engine).items()} == dict.fromkeys(
        ("call-1", "call-2", "call-3"), Decimal("0.0002")
    )
    assert charges(engine)["call-1"][1:] == ("USD", 1, "exact", "capacity-shared")
    assert shown(engine) == [
        (NINE, "reserved", "idle", "capacity", Decimal("14.9996"), 2, 60),
        (TEN, "reserved", "idle", "capacity", Decimal("14.9998"), 1, 30),
    ]
    # the rollups hold the calls' parts; the cost lines of the day hold the rest too
    assert sums(engine, tables.usage_of_hour) == len(tables.CUTS) * Decimal("0.0006")
    assert sums(engine, tables.cost_hour) == sums(engine, tables.cost_day) == Decimal(30)
    # and so do the rows for finance
    query = StatementQuery(month="2026-03-01T00:00:00.000Z")
    exported = focus_rows(query.month, CostService(SqlCostStore(engine)).lines(query))
    assert sum(row["BilledCost"] for row in exported) == Decimal(30)


def test_hours_without_calls_are_idle_lines_once_they_have_passed(
    engine: Engine, prices: SqlPrices, rollups: UsageRollups
) -> None:
    reserve(prices, a_reservation(), a_reservation("tuned", kind=CapacityKind.HOSTING, units=1, amount=Decimal("1.7")))

    rebuild(engine, rollups, TEN)
    first = shown(engine)
    rebuild(engine, rollups, TEN)
    again = shown(engine)
    rebuild(engine, rollups, "2026-03-02T11:59:59.000Z")

    assert (
        first
        == again
        == [
            (NINE, "reserved", "idle", "none", Decimal(15), 0, 0),
            (NINE, "tuned", "hosting", "none", Decimal("1.7"), 0, 0),
        ]
    )
    assert [row[0] for row in shown(engine)] == [NINE, NINE, TEN, TEN]


def test_where_nothing_is_published_the_hour_is_shared_among_its_calls_whenever_they_come(
    engine: Engine, ledger: Ledger, prices: SqlPrices, rollups: UsageRollups
) -> None:
    reserve(prices, a_reservation("unheard", model="gpt-9", units=1, amount=Decimal(1)))
    store(ledger, a_call(1, NINE, **UNHEARD), a_call(2, NINE, **UNHEARD))
    rebuild(engine, rollups)
    before = {name: row[0] for name, row in charges(engine).items()}

    # A late call with as many tokens.
    store(ledger, a_call(3, NINE, **UNHEARD))
    rebuild(engine, rollups)

    half, third = Decimal("0.5"), Decimal("0.333333333333")
    assert before == {"call-1": half, "call-2": half}
    assert {name: row[0] for name, row in charges(engine).items()} == dict.fromkeys(
        ("call-1", "call-2", "call-3"), third
    )
    assert charges(engine)["call-1"][3:] == ("estimated", "hour-shared")
    assert shown(engine) == [(NINE, "unheard", "rounding", "hour", Decimal("1e-12"), 3, 45)]


def test_calls_of_which_nothing_is_known_leave_the_hour_to_nobody_and_say_so(
    engine: Engine, ledger: Ledger, prices: SqlPrices, rollups: UsageRollups
) -> None:
    reserve(prices, a_reservation("unheard", model="gpt-9", units=1, amount=Decimal(1)))
    unknown = {"input_tokens": None, "output_tokens": None, "total_tokens": None, "usage_provenance": "missing"}
    store(ledger, a_call(1, NINE, **UNHEARD | unknown))

    rebuild(engine, rollups)

    assert charges(engine)["call-1"][0] is None
    assert shown(engine) == [(NINE, "unheard", "unmetered", "none", Decimal(1), 1, 0)]
    assert hours(engine)[0].unmetered_calls == 1


def test_a_reservation_that_is_ended_takes_its_hours_away_and_its_calls_have_no_price(
    engine: Engine, ledger: Ledger, prices: SqlPrices, rollups: UsageRollups
) -> None:
    load(prices, a_deployment("reserved", sku="GlobalProvisionedManaged"))
    reserve(prices, a_reservation())
    store(ledger, a_call(1, NINE, **PTU), a_call(2, TEN, **PTU))
    rebuild(engine, rollups, ELEVEN)

    reserve(prices, a_reservation(valid_to=TEN), digest="2")
    rebuild(engine, rollups, ELEVEN)

    assert [row[0] for row in shown(engine)] == [NINE]
    assert charges(engine)["call-2"][3:] == ("no-price", "provisioned")


def test_a_restated_period_has_the_capacity_that_its_version_knew(
    engine: Engine, ledger: Ledger, prices: SqlPrices, rollups: UsageRollups
) -> None:
    load(prices, a_deployment("reserved", sku="GlobalProvisionedManaged"))
    reserve(prices, a_reservation())
    store(ledger, a_call(1, NINE, **PTU))
    rebuild(engine, rollups, ELEVEN)

    SqlRestatements(engine).add(Restatement(NINE, TEN, 1), reason="x", at=ELEVEN, actor="ada")
    rebuild(engine, rollups, ELEVEN)

    assert [row[0] for row in shown(engine)] == [TEN]
    assert charges(engine)["call-1"][3:] == ("no-price", "provisioned")


def test_hours_come_page_by_page_within_a_range(engine: Engine, prices: SqlPrices, rollups: UsageRollups) -> None:
    reserve(prices, a_reservation(), a_reservation("other", model="gpt-9"))
    rebuild(engine, rollups, "2026-03-02T13:00:00.000Z")
    service = CapacityService(SqlCapacity(engine))

    first = service.hours(TEN, "2026-03-02T12:00:00.000Z", after=None, limit=3)
    rest = service.hours(TEN, "2026-03-02T12:00:00.000Z", after=first.next, limit=3)  # type: ignore[arg-type]  # of four

    assert [(one.hour, one.deployment) for one in (*first.items, *rest.items)] == [
        (TEN, "other"), (TEN, "reserved"), (ELEVEN, "other"), (ELEVEN, "reserved"),
    ]  # fmt: skip
    assert rest.next is None


_CALLS = st.dictionaries(
    st.integers(1, 6),
    st.tuples(
        st.sampled_from([NINE, TEN]),
        st.sampled_from(["reserved", "unheard", "chat"]),
        st.integers(0, 3_000_000),
        st.none() | st.integers(0, 1000),
    ),
    max_size=6,
)
"""By their numbers: hour, deployment, input and output tokens."""


@pytest.mark.slow
@settings(max_examples=8, deadline=None)
@given(_CALLS, st.randoms(use_true_random=False))
def test_any_calls_and_the_rest_add_up_to_what_the_hours_cost_to_the_last_digit(
    calls: dict[int, tuple[str, str, int, int | None]], chance: Any
) -> None:
    rows = [
        a_call(number, at, deployment=deployment, input_tokens=given, output_tokens=made, total_tokens=None)
        for number, (at, deployment, given, made) in calls.items()
    ]
    results = []
    for order in (rows, chance.sample(rows, len(rows))):
        with memory_folder() as folder:
            engine = new_sqlite(Path(folder))
            prices, ledger, rollups = SqlPrices(engine), SqlLedger(engine), SqlUsageRollups(engine)
            load(prices, a_price(), a_price(Unit.OUTPUT, "10"))
            unheard = a_reservation("unheard", model="gpt-9", units=3, amount=Decimal("0.333333"))
            reserve(prices, a_reservation(amount=Decimal("1.000001")), unheard)
            for part in (order[:2], order[2:]):
                store(ledger, *part)
                rebuild(engine, rollups, ELEVEN)
            settled, charged = hours(engine), charges(engine)
            c = tables.charge.c
            with engine.connect() as connection:
                parts = connection.scalar(sa.select(sa.func.sum(c.amount)).where(c.capacity.is_not(None)))
            engine.dispose()

        assert [one.cost for one in settled] == [Decimal("15.000015"), Decimal("0.999999")] * 2
        assert sum(one.amount or 0 for one in settled) + (parts or 0) == 2 * Decimal("16.000014")
        assert all(one.amount is not None and one.amount >= 0 for one in settled)
        results.append((settled, charged))

    assert results[0] == results[1]
