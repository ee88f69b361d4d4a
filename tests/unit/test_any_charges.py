"""Totals add up: rollups are the sum of the charges to the last digit, whatever comes late, again or corrected."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import Engine

from shared.domain.delivery import Delivery, Position
from shared.pricing.charge import charge_of
from shared.pricing.entries import Unit
from shared.pricing.files import Origin, PriceFile
from shared.services.ingest import ingest
from shared.services.rollup import rebuild_usage_rollups, recount_usage
from shared.stores.sql import tables
from shared.stores.sql.books import Books
from shared.stores.sql.content import SqlContentStore
from shared.stores.sql.ledger import SqlLedger
from shared.stores.sql.prices import SqlPrices
from shared.stores.sql.rollups import SqlUsageRollups
from tests.builders import events
from tests.builders.databases import memory_folder, new_sqlite
from tests.builders.prices import a_deployment, a_price

pytestmark = pytest.mark.slow

AT = "2026-11-27T00:00:00.000Z"
NOON = "2026-03-02T12:00:00.000Z"
# Prices whose products have digits down to the last place.
PRICES = [
    a_price(Unit.INPUT, "2.333333"),
    a_price(Unit.CACHED_INPUT, "0.777777"),
    a_price(Unit.OUTPUT, "10.000001"),
    a_price(Unit.INPUT, "4.1", tier="priority"),
    a_price(Unit.OUTPUT, "20.7", tier="priority"),
    a_price(Unit.INPUT, "1.1", model="o3", currency="EUR"),
    a_price(Unit.OUTPUT, "8.9", model="o3", currency="EUR"),
]

_ids = st.sampled_from(["call-1", "call-2", "call-3", "call-4"])
_times = st.sampled_from(["2026-03-02T09:29:58.250Z", "2026-03-02T10:00:00.000Z", "2026-04-01T00:00:00.000Z"])
_models = st.sampled_from(["gpt-4o-2024-11-20", "o3", "gpt-unheard-of", None])
_counts = st.one_of(st.none(), st.integers(0, 3000))
_answers = st.builds(
    lambda i, time, model, given, made, cached, tier, status: events.a_response(
        i,
        time=time,
        status=status,
        body={
            "object": "chat.completion",
            "model": model,
            "service_tier": tier,
            "choices": [{"index": 0, "finish_reason": "stop", "message": {"content": "Ho"}}],
            "usage": {
                "prompt_tokens": given,
                "completion_tokens": made,
                "prompt_tokens_details": {"cached_tokens": cached},
            },
        },
    ),
    _ids, _times, _models, _counts, _counts, _counts, st.sampled_from([None, "default", "priority"]),
    st.sampled_from([200, 200, 400, 429]),
)  # fmt: skip
_polls = st.builds(
    lambda i, time, key, given, made: events.a_response(
        i,
        time=time,
        body={
            "object": "thread.run",
            "id": key,
            "model": "gpt-4o",
            "usage": {"prompt_tokens": given, "completion_tokens": made, "total_tokens": (given or 0) + (made or 0)},
        },
    ),
    _ids, _times, st.sampled_from(["run_1", "run_2"]), _counts, _counts,
)  # fmt: skip
_requests = st.builds(lambda i, time: events.a_request(i, time=time), _ids, _times)
_records = st.builds(
    lambda n, total: events.a_usage_record(f"chatcmpl-{n}", totalTokens=total), st.sampled_from("12"), _counts
)
_bodies = st.one_of(_answers, _answers, _polls, _requests, _records)

Step = Delivery | str
"""What comes next: an event, a rebuild of the rollups, or another file of prices."""


@st.composite
def streams(draw: st.DrawFn) -> list[Step]:
    bodies = draw(st.lists(_bodies, min_size=1, max_size=10))
    placed = [Delivery(Position("gateway", "0", place, events.ENQUEUED), body) for place, body in enumerate(bodies)]
    again = draw(st.lists(st.sampled_from(placed), max_size=5))
    others = draw(st.lists(st.sampled_from(["rebuild", "prices", "deployments"]), max_size=4))
    return draw(st.permutations([*placed, *again, *others]))


def _run(engine: Engine, steps: list[Step]) -> None:
    prices, rollups = SqlPrices(engine), SqlUsageRollups(engine)
    prices.load(PriceFile(Origin.OWN, "1", PRICES), at=AT, actor="ada")
    dearer = [a_price(Unit.OUTPUT, "12.5", valid_from=NOON), *PRICES]
    # Whatever the stream left out comes at its end: both ways end with the same book.
    for step in [*steps, "prices", "deployments", "rebuild"]:
        if isinstance(step, Delivery):
            ingest([step], ledger=SqlLedger(engine), content=SqlContentStore(engine))
        elif step == "rebuild":
            rebuild_usage_rollups(rollups)
        elif step == "prices":
            prices.load(PriceFile(Origin.OWN, "2", dearer), at=AT, actor="ada")
        else:
            prices.load(PriceFile(Origin.DEPLOYMENTS, "1", [a_deployment("chat")]), at=AT, actor="ada")


def _charges(engine: Engine) -> dict[str, tuple[Any, ...]]:
    c = tables.charge.c
    with engine.connect() as connection:
        rows = connection.execute(sa.select(c.interaction_id, c.amount, c.currency, c.confidence, c.reason)).all()
    charges = {row[0]: tuple(row[1:]) for row in rows}
    assert len(charges) == len(rows)
    return charges


def _sums(engine: Engine, table: sa.Table) -> dict[str | None, Decimal]:
    c = table.c
    with engine.connect() as connection:
        rows = connection.execute(sa.select(c.currency, sa.func.sum(c.amount)).group_by(c.currency))
        return {currency: amount for currency, amount in rows if amount is not None}


def _by_hand(engine: Engine, charges: dict[str, tuple[Any, ...]]) -> dict[str, tuple[Any, ...]]:
    """Return the charges of the rows as they stand now, but for which of several polls counts."""
    with engine.connect() as connection:
        book = Books().current(connection)
        rows = list(connection.execute(sa.select(tables.interaction)).mappings())
    repeats = {name for name, charge in charges.items() if charge[3] == "repeated"}
    made = {row["id"]: charge_of(dict(row), book, counts=row["id"] not in repeats) for row in rows}
    return {name: (one.amount, one.currency, one.confidence.value, one.reason) for name, one in made.items()}


def _uneven(engine: Engine) -> list[str]:
    """Return where a day or a month is not the sum of its hours, or a cut not that of all dimensions."""
    kept = ", ".join(f"sum({name})" for name in (*tables.MEASURES, tables.KNOWN_AMOUNTS, tables.AMOUNT))
    found = []
    with engine.connect() as connection:
        for cut, dimensions in tables.CUTS.items():
            keys = ", ".join(dimensions)
            for digits, length in ((13, "hour"), (10, "day"), (7, "month")):
                both = [
                    connection.exec_driver_sql(
                        f"select substr(interval_start, 1, {digits}) as start, {keys}, {kept}"
                        f" from {table} s join usage_group g on g.id = s.group_id where s.cut = {source}"
                        f" group by start, {keys} order by start, {keys}"
                    ).all()
                    for source, table in ((0, "usage_of_hour"), (cut, f"usage_of_{length}"))
                ]
                found += [f"{cut} {length}"] if both[0] != both[1] else []
    return found


@settings(max_examples=40, deadline=None)
@given(streams(), st.randoms(use_true_random=False))
def test_any_stream_has_rollups_that_are_the_sum_of_its_charges_to_the_last_digit(
    steps: list[Step], chance: Any
) -> None:
    shuffled = chance.sample(steps, len(steps))
    results = []
    for way in (steps, shuffled):
        with memory_folder() as folder:
            engine = new_sqlite(Path(folder))
            _run(engine, way)
            charges = _charges(engine)
            sums: dict[str | None, Decimal] = {}
            for amount, currency, *_ in charges.values():
                if amount is not None:
                    sums[currency] = sums.get(currency, Decimal(0)) + amount
            rollups = [_sums(engine, table) for table in tables.USAGE.values()]
            by_hand = _by_hand(engine, charges)
            wrong = recount_usage(SqlUsageRollups(engine)), _uneven(engine)
            engine.dispose()

        assert rollups == [sums] * 3
        assert wrong == ({}, [])
        assert charges == by_hand
        results.append(charges)

    assert results[0] == results[1]
