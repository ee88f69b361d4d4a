"""What every store of costs by month does: statements, closed months, adjustments."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from shared.errors import NotFoundError, NotPossibleError
from shared.pricing.entries import Unit
from shared.pricing.files import Origin, PriceFile
from shared.questions import StatementQuery
from shared.services.costs import CostService
from shared.services.rollup import rebuild_usage_rollups
from shared.stores.ports import Ledger
from shared.stores.sql import tables
from shared.stores.sql.cost_store import SqlCostStore
from shared.stores.sql.prices import SqlPrices
from shared.stores.usage_ports import UsageRollups
from tests.builders.prices import a_deployment, a_price
from tests.contracts.test_ledger import a_batch
from tests.contracts.test_usage_rollups import a_call, store

AT = "2026-11-27T00:00:00.000Z"
FEBRUARY, MARCH, APRIL = (f"2026-0{number}-01T00:00:00.000Z" for number in (2, 3, 4))
NINE, LATER = "2026-03-02T09:00:00.000Z", "2026-04-02T09:00:00.000Z"
# 10 x 2.5 + 5 x 10 = 75 millionths
A_CALL = Decimal("0.000075")


@pytest.fixture
def costs(engine: Engine) -> CostService:
    priced = PriceFile(Origin.OWN, "1", [a_price(), a_price(Unit.OUTPUT, "10")])
    SqlPrices(engine).load(priced, at=AT, actor="ada")
    SqlPrices(engine).load(PriceFile(Origin.DEPLOYMENTS, "1", [a_deployment("chat")]), at=AT, actor="ada")
    return CostService(SqlCostStore(engine), now=lambda: datetime(2026, 5, 20, tzinfo=UTC))


def charge(ledger: Ledger, rollups: UsageRollups, *rows: dict[str, object]) -> None:
    store(ledger, *({"deployment": "chat", **row} for row in rows))
    rebuild_usage_rollups(rollups)


def lines(costs: CostService, month: str, **narrow: Any) -> list[tuple[Any, ...]]:
    statement = costs.statement(StatementQuery(month=month, **narrow), after=None, limit=100)
    names = ("kind", "month", "subscription_id", "confidence", "calls", "amount")
    return [tuple(row[name] for name in names) for row in statement.lines]


def total(costs: CostService, month: str) -> dict[str, Decimal]:
    statement = costs.statement(StatementQuery(month=month), after=None, limit=1000)
    totals = {one.currency: one.amount for one in statement.totals}
    by_line: dict[str, Decimal] = dict.fromkeys(totals, Decimal(0))
    for row in statement.lines:
        if row["currency"]:
            by_line[row["currency"]] += row["amount"] or 0
    assert by_line == totals
    return totals


def test_a_statement_says_what_each_payer_spent_and_what_is_not_priced(
    ledger: Ledger, rollups: UsageRollups, costs: CostService
) -> None:
    charge(ledger, rollups, a_call(1, NINE, subscription_id="a"), a_call(2, NINE, subscription_id="a"))
    charge(ledger, rollups, a_call(3, NINE, subscription_id="b"), a_call(4, NINE, model="x", deployment="who"))
    charge(ledger, rollups, a_call(5, LATER, subscription_id="a"), a_call(6, NINE, http_status=429))

    assert lines(costs, MARCH) == [
        ("charge", MARCH, "", "free", 1, Decimal(0)),
        ("charge", MARCH, "a", "exact", 2, 2 * A_CALL),
        ("charge", MARCH, "b", "exact", 1, A_CALL),
        ("unpriced", MARCH, "", "no-price", 1, None),
    ]
    assert total(costs, MARCH) == {"USD": 3 * A_CALL}


def test_the_cost_lines_of_a_day_say_how_much_of_which_unit_at_which_price(
    ledger: Ledger, rollups: UsageRollups, costs: CostService
) -> None:
    charge(
        ledger, rollups, a_call(1, NINE), a_call(2, "2026-03-02T23:59:59.999Z"), a_call(3, "2026-03-03T00:00:00.000Z")
    )

    found = [
        tuple(row[name] for name in ("day", "unit", "price", "quantity", "amount"))
        for row in costs.lines(StatementQuery(month=MARCH))
    ]

    second, third = "2026-03-02T00:00:00.000Z", "2026-03-03T00:00:00.000Z"
    assert found == [
        (second, "call", Decimal(0), Decimal(2), None),
        (second, "input", Decimal("2.5"), Decimal(20), Decimal("0.00005")),
        (second, "output", Decimal(10), Decimal(10), Decimal("0.0001")),
        (third, "call", Decimal(0), Decimal(1), None),
        (third, "input", Decimal("2.5"), Decimal(10), Decimal("0.000025")),
        (third, "output", Decimal(10), Decimal(5), Decimal("0.00005")),
    ]


def test_new_calls_are_added_to_the_lines_of_their_hour_unless_these_lack_one(
    engine: Engine, ledger: Ledger, rollups: UsageRollups, costs: CostService
) -> None:
    charge(ledger, rollups, a_call(1, NINE), a_call(2, NINE))
    with ledger.transaction() as transaction:
        transaction.store(
            a_batch(new_interactions=[a_call(3, NINE, deployment="chat")], dirty_calls={(NINE, "call-3")})
        )
    (mark,) = rollups.marks()
    assert rollups.count(mark.calls or ()) == set()
    rollups.clear([mark.id])
    assert lines(costs, MARCH) == [("charge", MARCH, "", "exact", 3, 3 * A_CALL)]

    # The release before had made no lines of calls that are counted.
    with engine.begin() as connection:
        connection.execute(sa.delete(tables.cost_hour))
    with ledger.transaction() as transaction:
        transaction.store(
            a_batch(new_interactions=[a_call(4, NINE, deployment="chat")], dirty_calls={(NINE, "call-4")})
        )
    rebuild_usage_rollups(rollups)

    assert lines(costs, MARCH) == [("charge", MARCH, "", "exact", 4, 4 * A_CALL)]


def test_a_closed_month_keeps_its_numbers_and_what_comes_late_adjusts_the_open_one(
    ledger: Ledger, rollups: UsageRollups, costs: CostService
) -> None:
    charge(ledger, rollups, a_call(1, NINE, subscription_id="a"))
    closed = costs.close(MARCH, actor="ada")
    before = lines(costs, MARCH)
    charge(ledger, rollups, a_call(2, NINE, subscription_id="a"), a_call(3, LATER, subscription_id="a"))

    assert lines(costs, MARCH) == before
    assert costs.closed_month(MARCH) == (closed, True)
    assert lines(costs, APRIL) == [
        ("adjustment", MARCH, "a", "exact", 1, A_CALL),
        ("charge", APRIL, "a", "exact", 1, A_CALL),
    ]
    assert (total(costs, MARCH), total(costs, APRIL)) == ({"USD": A_CALL}, {"USD": 2 * A_CALL})


def test_another_price_adjusts_and_the_price_of_before_adjusts_back(
    engine: Engine, ledger: Ledger, rollups: UsageRollups, costs: CostService
) -> None:
    charge(ledger, rollups, a_call(1, NINE))
    costs.close(MARCH, actor="ada")
    dearer = [a_price(), a_price(Unit.OUTPUT, "10"), a_price(Unit.INPUT, "3.5", valid_from=MARCH)]
    SqlPrices(engine).load(PriceFile(Origin.OWN, "2", dearer), at=AT, actor="ada")
    rebuild_usage_rollups(rollups)
    changed = total(costs, APRIL)
    cheaper = [*dearer, a_price(Unit.INPUT, "2.5", valid_from="2026-03-02T00:00:00.000Z")]
    SqlPrices(engine).load(PriceFile(Origin.OWN, "3", cheaper), at=AT, actor="ada")
    rebuild_usage_rollups(rollups)

    assert changed == {"USD": Decimal("0.00001")}
    assert total(costs, APRIL) == {"USD": Decimal(0)}
    assert total(costs, MARCH) == {"USD": A_CALL}


def test_a_call_that_gets_its_price_late_is_one_unpriced_call_less(
    engine: Engine, ledger: Ledger, rollups: UsageRollups, costs: CostService
) -> None:
    charge(ledger, rollups, a_call(1, NINE, model="new", deployment="new"))
    closed = costs.close(MARCH, actor="ada")
    prices = [a_price(), a_price(Unit.OUTPUT, "10"), a_price(model="new"), a_price(Unit.OUTPUT, "10", model="new")]
    SqlPrices(engine).load(PriceFile(Origin.OWN, "2", prices), at=AT, actor="ada")
    rebuild_usage_rollups(rollups)

    assert closed.unpriced_calls == 1
    assert lines(costs, APRIL) == [
        ("adjustment", MARCH, "", "no-price", -1, None),
        ("adjustment", MARCH, "", "estimated", 1, A_CALL),
    ]


def test_making_a_closed_hour_anew_books_nothing_twice(
    engine: Engine, ledger: Ledger, rollups: UsageRollups, costs: CostService
) -> None:
    charge(ledger, rollups, a_call(1, NINE))
    costs.close(MARCH, actor="ada")
    charge(ledger, rollups, a_call(2, NINE))
    for _ in range(2):
        with engine.begin() as connection:
            connection.execute(sa.insert(tables.dirty_hour).values(hour=NINE))
        rebuild_usage_rollups(rollups)

    with engine.connect() as connection:
        booked = list(connection.execute(sa.select(tables.adjustment.c.unit, tables.adjustment.c.booked_in)))
    assert sorted(booked) == [(unit, APRIL) for unit in ("call", "input", "output")]


def test_adjustments_freeze_with_the_month_that_they_are_booked_in(
    ledger: Ledger, rollups: UsageRollups, costs: CostService
) -> None:
    charge(ledger, rollups, a_call(1, NINE), a_call(2, LATER))
    costs.close(MARCH, actor="ada")
    charge(ledger, rollups, a_call(3, NINE))
    costs.close(APRIL, actor="ada")
    before = [lines(costs, month) for month in (MARCH, APRIL)]
    charge(ledger, rollups, a_call(4, NINE), a_call(5, LATER))

    assert [lines(costs, month) for month in (MARCH, APRIL)] == before
    assert all(costs.closed_month(month)[1] for month in (MARCH, APRIL))
    assert [row[:2] for row in lines(costs, "2026-05-01T00:00:00.000Z")] == [
        ("adjustment", MARCH),
        ("adjustment", APRIL),
    ]


def test_closing_is_recorded_and_closing_again_changes_nothing(
    ledger: Ledger, rollups: UsageRollups, costs: CostService
) -> None:
    charge(ledger, rollups, a_call(1, NINE), a_call(2, NINE, state="pending"))
    closed = costs.close(MARCH, actor="ada")

    again = costs.close(MARCH, actor="bob")

    assert (again, closed.actor, closed.closed_at) == (closed, "ada", "2026-05-20T00:00:00.000Z")
    assert (closed.pending_calls, closed.unmetered_calls) == (1, 0)
    assert costs.closed_months(before=None, limit=1).months == [closed]


def test_a_month_is_not_closed_before_it_is_over(costs: CostService) -> None:
    with pytest.raises(NotPossibleError, match="not over"):
        costs.close("2026-05-01T00:00:00.000Z", actor="ada")


def test_a_month_is_not_closed_while_hours_of_it_are_not_charged(
    ledger: Ledger, rollups: UsageRollups, costs: CostService
) -> None:
    store(ledger, a_call(1, NINE), a_call(2, LATER))
    with pytest.raises(NotPossibleError, match="1 hours"):
        costs.close(MARCH, actor="ada")
    rebuild_usage_rollups(rollups)
    store(ledger, a_call(3, LATER))

    assert costs.close(MARCH, actor="ada").line_count > 0


def test_months_are_closed_in_their_order(ledger: Ledger, rollups: UsageRollups, costs: CostService) -> None:
    charge(ledger, rollups, a_call(1, NINE), a_call(2, LATER))
    with pytest.raises(NotPossibleError, match="2026-03"):
        costs.close(APRIL, actor="ada")
    costs.close(MARCH, actor="ada")

    assert costs.close(APRIL, actor="ada").month == APRIL


def test_a_month_without_costs_closes_with_a_later_one_and_what_comes_late_adjusts(
    ledger: Ledger, rollups: UsageRollups, costs: CostService
) -> None:
    charge(ledger, rollups, a_call(1, NINE))
    costs.close(MARCH, actor="ada")
    charge(ledger, rollups, a_call(2, "2026-02-03T09:00:00.000Z"))

    assert lines(costs, FEBRUARY) == []
    assert lines(costs, APRIL) == [("adjustment", FEBRUARY, "", "exact", 1, A_CALL)]
    with pytest.raises(NotPossibleError, match="a later month"):
        costs.close(FEBRUARY, actor="ada")
    with pytest.raises(NotFoundError):
        costs.closed_month(FEBRUARY)


def test_a_changed_line_of_a_closed_month_shows(
    engine: Engine, ledger: Ledger, rollups: UsageRollups, costs: CostService
) -> None:
    charge(ledger, rollups, a_call(1, NINE))
    costs.close(MARCH, actor="ada")
    with engine.begin() as connection:
        connection.execute(sa.update(tables.closed_line).values(team="another"))

    assert costs.closed_month(MARCH)[1] is False


def test_a_statement_goes_on_where_its_page_ended(ledger: Ledger, rollups: UsageRollups, costs: CostService) -> None:
    charge(ledger, rollups, *(a_call(number, NINE, subscription_id=f"s{number}") for number in range(5)))
    query = StatementQuery(month=MARCH)
    pages, after = [], None
    for _ in range(3):
        page = costs.statement(query, after=after, limit=2)
        pages.append([row["subscription_id"] for row in page.lines])
        after = page.next

    assert pages == [["s0", "s1"], ["s2", "s3"], ["s4"]]
    assert after is None
