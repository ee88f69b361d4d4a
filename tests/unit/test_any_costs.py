"""The costs add up: statements are the sum of the charges to the last digit, and closed months never change."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import Engine

from shared.domain.delivery import Delivery
from shared.pricing.entries import Unit
from shared.pricing.files import Origin, PriceFile
from shared.questions import StatementQuery
from shared.services.costs import CostService
from shared.services.ingest import ingest
from shared.services.rollup import rebuild_usage_rollups
from shared.stores.sql import tables
from shared.stores.sql.content import SqlContentStore
from shared.stores.sql.cost_store import SqlCostStore
from shared.stores.sql.ledger import SqlLedger
from shared.stores.sql.prices import SqlPrices
from shared.stores.sql.rollups import SqlUsageRollups
from tests.builders.databases import memory_folder, new_sqlite
from tests.builders.prices import a_deployment, a_price
from tests.unit.test_any_charges import AT, NOON, PRICES, Step, streams

pytestmark = pytest.mark.slow

MONTHS = [f"2026-{number:02}-01T00:00:00.000Z" for number in range(2, 7)]
MARCH, APRIL = MONTHS[1:3]

Sums = dict[str, Decimal]


@st.composite
def histories(draw: st.DrawFn) -> list[Step]:
    """Return a stream in which March is closed somewhere, and April perhaps behind it; the same files re-rate calls."""
    steps = draw(streams())
    for month in draw(st.sampled_from([[MARCH], [MARCH, APRIL]])):
        after = steps.index(MARCH) + 1 if month == APRIL else 0
        steps.insert(draw(st.integers(after, len(steps))), month)
    return steps


class _Company:
    """What happens to one ledger, step by step."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.costs = CostService(SqlCostStore(engine), now=lambda: datetime(2026, 11, 27, tzinfo=UTC))
        self.rollups = SqlUsageRollups(engine, now=lambda: datetime(2026, 11, 27, tzinfo=UTC))
        self.closed: dict[str, list[Any]] = {}
        self.loaded = 0
        self.load(Origin.OWN, PRICES)

    def load(self, origin: Origin, entries: list[Any]) -> None:
        self.loaded += 1
        SqlPrices(self.engine).load(PriceFile(origin, str(self.loaded), entries), at=AT, actor="ada")

    def do(self, step: Step) -> None:
        if isinstance(step, Delivery):
            ingest([step], ledger=SqlLedger(self.engine), content=SqlContentStore(self.engine))
        elif step == "rebuild":
            rebuild_usage_rollups(self.rollups)
        elif step == "prices":
            self.load(Origin.OWN, [a_price(Unit.OUTPUT, "12.5", valid_from=NOON), *PRICES])
        elif step == "deployments":
            self.load(Origin.DEPLOYMENTS, [a_deployment("chat")])
        else:
            rebuild_usage_rollups(self.rollups)
            self.costs.close(step, actor="ada")
            self.closed[step] = self.everything(step)

    def everything(self, month: str) -> list[Any]:
        query = StatementQuery(month=month)
        return [self.costs.statement(query, after=None, limit=1000), list(self.costs.lines(query))]

    def charges(self) -> Sums:
        c = tables.charge.c
        with self.engine.connect() as connection:
            rows = connection.execute(sa.select(c.currency, sa.func.sum(c.amount)).group_by(c.currency))
            return {currency: amount for currency, amount in rows if currency}

    def calls(self) -> int:
        with self.engine.connect() as connection:
            return connection.scalar(sa.select(sa.func.count()).select_from(tables.charge)) or 0

    def booked(self) -> tuple[Sums, int]:
        """Return the sums of the lines of all months, each of which must be its statement's totals."""
        sums: Sums = {}
        calls = 0
        for month in MONTHS:
            statement, meters = self.everything(month)
            lines = _sum(statement.lines)
            totals = {one.currency: one.charges + one.idle + one.adjustments for one in statement.totals}
            assert lines == totals == _sum(meters)
            calls += sum(row["calls"] for row in statement.lines)
            for currency, amount in lines.items():
                sums[currency] = sums.get(currency, Decimal(0)) + amount
        return sums, calls


def _sum(rows: list[Any]) -> Sums:
    sums: Sums = {}
    for row in rows:
        if row["currency"]:
            sums[row["currency"]] = sums.get(row["currency"], Decimal(0)) + (row["amount"] or 0)
    return sums


def _without_nothing(sums: Sums) -> Sums:
    return {currency: amount for currency, amount in sums.items() if amount}


@settings(max_examples=25, deadline=None)
@given(histories())
def test_any_history_has_statements_that_are_the_sum_of_its_charges_and_closed_months_that_never_change(
    steps: list[Step],
) -> None:
    with memory_folder() as folder:
        engine = new_sqlite(Path(folder))
        company = _Company(engine)
        for step in [*steps, "prices", "deployments", "rebuild"]:
            company.do(step)
        booked, calls = company.booked()
        assert _without_nothing(booked) == _without_nothing(company.charges())
        assert calls == company.calls()

        # Everything comes once more, and every hour of it is charged anew.
        for step in steps:
            if isinstance(step, Delivery):
                company.do(step)
        with engine.begin() as connection:
            hours = sa.select(tables.usage_hour.c.interval_start).distinct()
            connection.execute(sa.insert(tables.dirty_hour).from_select(["hour"], hours))
        company.do("rebuild")

        assert company.booked() == (booked, calls)
        for month, before in company.closed.items():
            assert company.everything(month) == before
            assert company.costs.closed_month(month)[1]
        engine.dispose()
