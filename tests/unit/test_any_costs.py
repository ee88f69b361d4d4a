"""The costs add up: statements are the sum of the charges to the last digit, and closed months never change."""

from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import Engine

from shared.domain.delivery import Delivery, Position
from shared.pricing.entries import Restatement, Unit
from shared.pricing.files import Origin, PriceFile
from shared.questions import StatementQuery
from shared.services.capacity import with_settled_capacity
from shared.services.costs import CostService
from shared.services.ingest import ingest
from shared.services.restatements import RestatementService, with_finished_restatements
from shared.services.rollup import rebuild_usage_rollups
from shared.stores.sql import tables
from shared.stores.sql.capacity import SqlCapacity
from shared.stores.sql.content import SqlContentStore
from shared.stores.sql.cost_store import SqlCostStore
from shared.stores.sql.ledger import SqlLedger
from shared.stores.sql.prices import SqlPrices
from shared.stores.sql.restatements import SqlRestatements
from shared.stores.sql.rollups import SqlUsageRollups
from tests.builders import events
from tests.builders.databases import memory_folder, new_sqlite
from tests.builders.prices import a_deployment, a_price, a_reservation
from tests.unit.test_any_charges import AT, NOON, PRICES, Step, streams

pytestmark = pytest.mark.slow

MONTHS = [f"2026-{number:02}-01T00:00:00.000Z" for number in range(2, 7)]
MARCH, APRIL = MONTHS[1:3]
RESERVED = a_reservation("chat", amount=Decimal("0.333333"), valid_to=NOON)
MORE = a_reservation("chat", units=5, amount=Decimal("0.5"), valid_from="2026-03-02T10:00:00.000Z", valid_to=NOON)

Sums = dict[str, Decimal]


@st.composite
def histories(draw: st.DrawFn) -> list[Step]:
    """Return a stream in which March is closed somewhere, and April perhaps behind it.

    The same files re-rate calls; units are reserved, and hours charged by other versions of the book.
    """
    steps = draw(streams())
    for step in draw(
        st.lists(st.sampled_from(["reserve", "reserve more", "restate", "restate by the newest"]), max_size=4)
    ):
        steps.insert(draw(st.integers(0, len(steps))), step)
    for month in draw(st.sampled_from([[MARCH], [MARCH, APRIL]])):
        after = steps.index(MARCH) + 1 if month == APRIL else 0
        steps.insert(draw(st.integers(after, len(steps))), month)
    return steps


class _Company:
    """What happens to one ledger, step by step."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.costs = CostService(SqlCostStore(engine), now=self.now)
        self.rollups = SqlUsageRollups(engine, now=self.now)
        self.closed: dict[str, list[Any]] = {}
        self.loaded = 0
        self.load(Origin.OWN, PRICES)

    @staticmethod
    def now() -> datetime:
        return datetime(2026, 11, 27, tzinfo=UTC)

    def load(self, origin: Origin, entries: list[Any]) -> None:
        self.loaded += 1
        SqlPrices(self.engine).load(PriceFile(origin, str(self.loaded), entries), at=AT, actor="ada")

    def do(self, step: Step) -> None:
        if isinstance(step, Delivery):
            ingest([step], ledger=SqlLedger(self.engine), content=SqlContentStore(self.engine))
        elif step == "rebuild":
            self.rebuild()
        elif step == "reserve":
            self.load(Origin.RESERVATIONS, [RESERVED])
        elif step == "reserve more":
            self.load(Origin.RESERVATIONS, [MORE])
        elif step.startswith("restate"):
            version = None if step.endswith("newest") else 1
            period = Restatement("2026-03-02T09:00:00.000Z", "2026-03-02T11:00:00.000Z", version)
            RestatementService(SqlRestatements(self.engine)).restate(period, reason="a test", actor="ada")
        elif step == "prices":
            self.load(Origin.OWN, [a_price(Unit.OUTPUT, "12.5", valid_from=NOON), *PRICES])
        elif step == "deployments":
            self.load(Origin.DEPLOYMENTS, [a_deployment("chat")])
        else:
            self.rebuild()
            self.costs.close(step, actor="ada")
            self.closed[step] = self.everything(step)

    def rebuild(self) -> None:
        rebuild = partial(rebuild_usage_rollups, self.rollups)
        now = self.now
        settled = partial(with_settled_capacity, SqlCapacity(self.engine), rebuild, now=now)
        with_finished_restatements(SqlRestatements(self.engine), settled, now=now)

    def idle(self) -> Sums:
        """Return what no call bears of the hours of capacity."""
        c = tables.capacity_hour.c
        with self.engine.connect() as connection:
            rows = connection.execute(sa.select(c.currency, sa.func.sum(c.amount)).group_by(c.currency))
            return {currency: amount for currency, amount in rows if amount}

    def everything(self, month: str) -> list[Any]:
        query = StatementQuery(month=month)
        return [self.costs.statement(query, after=None, limit=1000), list(self.costs.lines(query))]

    def lines(self) -> list[Any]:
        """Return the cost lines of all days."""
        with self.engine.connect() as connection:
            return sorted(map(str, connection.execute(sa.select(tables.cost_day))))

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


def _added(*some: Sums) -> Sums:
    return {name: sum((sums.get(name) or Decimal(0) for sums in some), Decimal(0)) for name in set().union(*some)}


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
        assert _without_nothing(booked) == _without_nothing(_added(company.charges(), company.idle()))
        assert calls == company.calls()
        kept = company.lines()

        # Everything comes once more, and every hour of it is charged anew.
        for step in steps:
            if isinstance(step, Delivery):
                company.do(step)
        with engine.begin() as connection:
            hours = sa.select(tables.usage_hour.c.interval_start).distinct()
            connection.execute(sa.insert(tables.dirty_hour).from_select(["hour"], hours))
        company.do("rebuild")

        assert company.lines() == kept
        assert company.booked() == (booked, calls)
        for month, before in company.closed.items():
            assert company.everything(month) == before
            assert company.costs.closed_month(month)[1]
        engine.dispose()


def test_a_history_with_reserved_units_has_calls_that_share_them_and_an_idle_rest(tmp_path: Path) -> None:
    engine = new_sqlite(tmp_path)
    company = _Company(engine)
    body = {"object": "chat.completion", "model": "gpt-4o", "usage": {"prompt_tokens": 900, "completion_tokens": 90}}
    request, answer = events.a_request("call-1"), events.a_response("call-1", body=body)
    for place, event in enumerate((request, answer)):
        company.do(Delivery(Position("gateway", "0", place, events.ENQUEUED), event))
    for step in ("reserve", "rebuild", MARCH):
        company.do(step)
    shared, idle, booked = company.charges(), company.idle(), company.booked()
    company.do("reserve more")
    company.do("rebuild")

    assert shared["USD"] > 0
    assert idle["USD"] > 0
    assert booked[0] == _added(shared, idle)
    assert shared["USD"] + idle["USD"] == 3 * 15 * Decimal("0.333333")
    assert company.charges()["USD"] + company.idle()["USD"] == 3 * 15 * Decimal("0.333333") + 2 * 5 * Decimal("0.5")
    assert company.booked()[0] == _added(company.charges(), company.idle())
    assert company.everything(MARCH) == company.closed[MARCH]
    engine.dispose()
