"""What every store of restatements does."""

from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from shared.errors import InvalidRequestError
from shared.pricing.entries import Restatement, Unit
from shared.services.restatements import RestatementService, with_finished_restatements
from shared.services.rollup import rebuild_usage_rollups
from shared.stores.ports import Ledger
from shared.stores.price_ports import Restated, RestatedAmount
from shared.stores.sql import tables
from shared.stores.sql.prices import SqlPrices
from shared.stores.sql.restatements import SqlRestatements
from shared.stores.usage_ports import UsageRollups
from tests.builders.prices import a_deployment, a_price
from tests.contracts.test_prices import charges, load
from tests.contracts.test_usage_rollups import NINE, TEN, a_call, store

ELEVEN = "2026-03-02T11:00:00.000Z"


@pytest.fixture
def prices(engine: Engine) -> SqlPrices:
    return SqlPrices(engine)


@pytest.fixture
def restatements(engine: Engine) -> RestatementService:
    return RestatementService(SqlRestatements(engine))


def rebuild(engine: Engine, rollups: UsageRollups) -> int:
    return with_finished_restatements(SqlRestatements(engine), lambda: rebuild_usage_rollups(rollups))


def amounts(engine: Engine) -> dict[str, Any]:
    return {name: row[0] for name, row in charges(engine).items()}


def newest(restatements: RestatementService) -> Restated:
    return restatements.restatements(before=None, limit=1).items[0]


def priced_twice(ledger: Ledger, prices: SqlPrices) -> None:
    """Store a call at nine and one at ten; version 1 of the prices, then an offer of version 2."""
    load(prices, a_price(), a_price(Unit.OUTPUT, "10"))
    store(ledger, a_call(1, NINE), a_call(2, TEN))
    # The organisation's own goes before the list's.
    load(prices, a_price(amount="2", is_own=True), digest="2")


def test_a_period_is_charged_by_another_version_and_what_it_came_to_is_kept(
    engine: Engine, ledger: Ledger, prices: SqlPrices, rollups: UsageRollups, restatements: RestatementService
) -> None:
    priced_twice(ledger, prices)
    rebuild(engine, rollups)
    before = amounts(engine)

    version = restatements.restate(Restatement(TEN, ELEVEN, 1), reason="the offer came later", actor="ada")
    asked = newest(restatements)
    rebuild(engine, rollups)
    kept = newest(restatements)

    # 10 x 2 + 5 x 10 by version 2; 10 x 2.5 + 5 x 10 by version 1
    assert before == {"call-1": Decimal("0.00007"), "call-2": Decimal("0.00007")}
    assert amounts(engine) == {"call-1": Decimal("0.00007"), "call-2": Decimal("0.000075")}
    assert (version, kept.version, kept.actor, kept.reason) == (3, 3, "ada", "the offer came later")
    assert (asked.finished_at, asked.after) == (None, ())
    assert kept.finished_at is not None
    assert kept.before == asked.before == [RestatedAmount("USD", Decimal("0.00007"), 1, 0)]
    assert kept.after == [RestatedAmount("USD", Decimal("0.000075"), 1, 0)]


def test_a_restated_hour_stays_so_for_late_calls_and_changed_prices_until_it_is_restated_again(
    engine: Engine, ledger: Ledger, prices: SqlPrices, rollups: UsageRollups, restatements: RestatementService
) -> None:
    priced_twice(ledger, prices)
    restatements.restate(Restatement(NINE, ELEVEN, 1), reason="x", actor="ada")
    rebuild(engine, rollups)

    store(ledger, a_call(3, NINE))
    load(prices, a_price(amount="1", is_own=True, valid_from="2026-03-02T00:00:00.000Z"), digest="3")
    load(prices, a_deployment("chat"))
    rebuild(engine, rollups)
    restated = amounts(engine)
    restatements.restate(Restatement(NINE, ELEVEN, None), reason="y", actor="ada")
    rebuild(engine, rollups)

    assert set(restated.values()) == {Decimal("0.000075")}
    # 10 x 1 + 5 x 10, by the newest
    assert amounts(engine) == dict.fromkeys(("call-1", "call-2", "call-3"), Decimal("0.00006"))


def test_restating_is_repeatable(
    engine: Engine, ledger: Ledger, prices: SqlPrices, rollups: UsageRollups, restatements: RestatementService
) -> None:
    priced_twice(ledger, prices)
    rebuild(engine, rollups)
    seen = {}
    for place, version in enumerate((1, 2, 1, 2, 2, 1)):
        restatements.restate(Restatement(NINE, ELEVEN, version), reason="again", actor="ada")
        rebuild(engine, rollups)
        seen[place] = (version, amounts(engine))

    for version in (1, 2):
        assert len({str(came) for used, came in seen.values() if used == version}) == 1
    assert len(restatements.restatements(before=None, limit=10).items) == 6
    with engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(tables.dirty_hour)) == 0


def test_a_price_that_ended_later_holds_in_the_version_before(
    engine: Engine, ledger: Ledger, prices: SqlPrices, rollups: UsageRollups, restatements: RestatementService
) -> None:
    output = a_price(Unit.OUTPUT, "10")
    load(prices, a_price(), output)
    store(ledger, a_call(1, TEN))
    load(prices, a_price(valid_to=NINE), output, digest="2")
    rebuild(engine, rollups)
    ended = charges(engine)["call-1"]

    restatements.restate(Restatement(TEN, ELEVEN, 1), reason="it held", actor="ada")
    rebuild(engine, rollups)

    assert (ended[0], ended[4]) == (None, "no-input-price")
    assert amounts(engine) == {"call-1": Decimal("0.000075")}


@pytest.mark.parametrize(
    ("period", "parameter"),
    [
        (Restatement("2026-03-02T09:30:00.000Z", TEN, None), "from"),
        (Restatement(NINE, "2026-03-02T09:30:00.000Z", None), "to"),
        (Restatement(TEN, TEN, None), "to"),
        (Restatement(NINE, TEN, 1), "priceVersion"),
    ],
)
def test_what_cannot_be_restated_is_refused_and_leaves_no_record(
    restatements: RestatementService, period: Restatement, parameter: str
) -> None:
    with pytest.raises(InvalidRequestError) as error:
        restatements.restate(period, reason="x", actor="ada")

    assert error.value.parameter == parameter
    assert restatements.restatements(before=None, limit=1).items == []
