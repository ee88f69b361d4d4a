"""What every store of prices and charges does."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from shared.errors import InvalidFileError
from shared.pricing.entries import Deployment, PriceEntry, Unit
from shared.pricing.files import Origin, PriceFile, read_file, shipped_text
from shared.services.prices import load_shipped_prices, with_shipped_prices
from shared.services.rollup import rebuild_usage_rollups
from shared.stores.ports import Ledger
from shared.stores.sql import tables
from shared.stores.sql.prices import SqlPrices
from shared.stores.usage_ports import UsageRollups
from tests.builders.prices import a_deployment, a_price
from tests.contracts.test_usage_rollups import NINE, TEN, a_call, a_poll, store

AT = "2026-11-27T00:00:00.000Z"
MARCH_3 = "2026-03-03T00:00:00.000Z"


@pytest.fixture
def prices(engine: Engine) -> SqlPrices:
    return SqlPrices(engine)


def load(prices: SqlPrices, *entries: PriceEntry | Deployment, digest: str = "1") -> int:
    kind = Origin.OWN if isinstance(entries[0], PriceEntry) else Origin.DEPLOYMENTS
    file = PriceFile(kind, digest, entries)  # type: ignore[arg-type]  # of one kind
    loaded = prices.load(file, at=AT, actor="ada")
    return loaded.added + loaded.ended


def charges(engine: Engine) -> dict[str, tuple[Any, ...]]:
    c = tables.charge.c
    columns = (c.interaction_id, c.amount, c.currency, c.price_version, c.confidence, c.reason)
    with engine.connect() as connection:
        return {row[0]: tuple(row[1:]) for row in connection.execute(sa.select(*columns))}


def amounts(engine: Engine, table: sa.Table) -> list[tuple[Any, ...]]:
    c = table.c
    columns = (c.interval_start, c.currency, c.requests, c.unpriced_requests, c.amount)
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.select(*columns).order_by(*columns))]


def test_a_call_is_charged_with_the_rollup_of_its_hour(
    engine: Engine, ledger: Ledger, prices: SqlPrices, rollups: UsageRollups
) -> None:
    load(prices, a_price(), a_price(Unit.OUTPUT, "10"))
    load(prices, a_deployment("chat"))
    store(ledger, a_call(1, NINE, deployment="chat"), a_call(2, NINE, deployment="other", model=None))
    store(ledger, a_call(3, NINE, http_status=429), a_call(4, TEN, deployment="chat"))

    rebuild_usage_rollups(rollups)

    # 10 x 2.5 + 5 x 10 = 75 millionths
    bill = (Decimal("0.000075"), "USD", 1, "exact", None)
    assert charges(engine) == {
        "call-1": bill,
        "call-2": (None, None, None, "no-price", "unmapped-deployment"),
        "call-3": (Decimal(0), None, None, "free", "refused"),
        "call-4": bill,
    }
    assert amounts(engine, tables.usage_hour) == [
        (NINE, None, 1, 0, Decimal(0)),
        (NINE, None, 1, 1, None),
        (NINE, "USD", 1, 0, bill[0]),
        (TEN, "USD", 1, 0, bill[0]),
    ]
    assert sum(row[4] for row in amounts(engine, tables.usage_month) if row[1]) == 2 * bill[0]


def test_what_polls_repeat_is_charged_once_wherever_it_counts(
    engine: Engine, ledger: Ledger, prices: SqlPrices, rollups: UsageRollups
) -> None:
    load(prices, a_price(), a_price(Unit.OUTPUT, "10"), a_price(Unit.VIDEO_SECOND, "100000", model="sora-2"))
    load(prices, a_deployment("chat"), a_deployment("film", model="sora-2"))
    run = {"deployment": "chat", "output_tokens": 0}
    film = {"deployment": "film", "model": "sora-2", "operation": "videos", "usage_key": "video_1"}
    seconds = film | {"seconds": 8.0, "input_tokens": None, "output_tokens": None, "total_tokens": None}
    store(ledger, *(a_poll(number, TEN, 20, **run) for number in range(100)))
    store(ledger, *(a_call(number, TEN, **seconds) for number in range(100, 110)))
    rebuild_usage_rollups(rollups)

    store(ledger, a_poll(200, NINE, 20, **run), a_call(201, NINE, **seconds))
    rebuild_usage_rollups(rollups)

    # 20 x 2.5 millionths, and 8 s x 0.1
    paid = {name: row for name, row in charges(engine).items() if row[0]}
    assert {name: row[0] for name, row in paid.items()} == {"call-200": Decimal("0.00005"), "call-201": Decimal("0.8")}


def test_an_interaction_that_moved_has_one_charge_in_its_new_hour(
    engine: Engine, ledger: Ledger, prices: SqlPrices, rollups: UsageRollups
) -> None:
    load(prices, a_price(), a_price(Unit.OUTPUT, "10"))
    store(ledger, a_call(1, TEN))
    rebuild_usage_rollups(rollups)
    with engine.begin() as connection:
        connection.execute(sa.update(tables.interaction).values(occurred_at=NINE))
        connection.execute(sa.insert(tables.dirty_hour), [{"hour": NINE}, {"hour": TEN}])

    rebuild_usage_rollups(rollups)

    assert [row[:3] for row in amounts(engine, tables.usage_hour)] == [(NINE, "USD", 1)]
    assert len(charges(engine)) == 1


def test_more_calls_than_are_in_memory_at_once_are_all_charged(
    engine: Engine, ledger: Ledger, prices: SqlPrices, rollups: UsageRollups
) -> None:
    load(prices, a_price(), a_price(Unit.OUTPUT, "10"))
    store(ledger, *(a_call(number, f"2026-03-02T09:00:00.00{number % 3}Z") for number in range(8)))

    rebuild_usage_rollups(rollups, most_calls=3)

    assert len(charges(engine)) == 8


def test_loading_a_file_again_changes_nothing_and_a_changed_one_only_what_changed(prices: SqlPrices) -> None:
    assert load(prices, a_price(), a_price(Unit.OUTPUT, "10")) == 2

    again = load(prices, a_price(), a_price(Unit.OUTPUT, "10"))
    renamed = load(prices, a_price(), a_price(Unit.OUTPUT, "10"), digest="2")
    longer = load(prices, a_price(), a_price(Unit.CACHED_INPUT, "1"), digest="3")

    assert (again, renamed, longer) == (0, 0, 1)
    assert prices.digest(Origin.OWN) == "3"
    assert prices.digest(Origin.LIST) is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (a_price(), a_price(amount="3")),
        (a_price(), a_price(currency="EUR")),
        (a_price(valid_to=MARCH_3), a_price()),
        (a_deployment(), a_deployment(model="gpt-4")),
        (a_deployment(), a_deployment(sku="Standard")),
    ],
)
def test_an_entry_is_never_edited_and_of_a_file_that_tries_nothing_is_loaded(
    prices: SqlPrices, before: Any, after: Any
) -> None:
    load(prices, before)
    other = a_price(model="new") if isinstance(after, PriceEntry) else a_deployment("new")

    with pytest.raises(InvalidFileError, match="says something else"):
        load(prices, other, after, digest="2")

    assert load(prices, before, other, digest="3") == 1


def test_a_price_that_is_ended_and_followed_charges_the_hours_since_anew(
    engine: Engine, ledger: Ledger, prices: SqlPrices, rollups: UsageRollups
) -> None:
    output = a_price(Unit.OUTPUT, "10")
    load(prices, a_price(), output)
    store(ledger, a_call(1, NINE), a_call(2, "2026-03-03T09:00:00.000Z"))
    rebuild_usage_rollups(rollups)
    assert rebuild_usage_rollups(rollups) == 0

    changed = load(prices, a_price(valid_to=MARCH_3), a_price(amount="1", valid_from=MARCH_3), output, digest="2")
    rebuilt = rebuild_usage_rollups(rollups)

    # 10 x 2.5 + 5 x 10 before, 10 x 1 + 5 x 10 since
    assert (changed, rebuilt) == (2, 1)
    assert {name: (row[0], row[2]) for name, row in charges(engine).items()} == {
        "call-1": (Decimal("0.000075"), 1),
        "call-2": (Decimal("0.00006"), 2),
    }


def test_the_shipped_list_is_loaded_once_and_goes_behind_the_organisations_own(
    engine: Engine, ledger: Ledger, prices: SqlPrices, rollups: UsageRollups
) -> None:
    assert load_shipped_prices(prices) > 2000
    assert load_shipped_prices(prices) == 0
    load(prices, a_price(amount="2", is_own=True))
    store(ledger, a_call(1, NINE, model="gpt-4o-2024-11-20"))

    rebuild_usage_rollups(rollups)

    # 10 x 2, the organisation's own, + 5 x 10, the list's
    assert charges(engine)["call-1"][0] == Decimal("0.00007")


def test_a_shipped_list_at_fault_is_raised_and_keeps_no_usage_from_being_summed(
    engine: Engine, ledger: Ledger, prices: SqlPrices, rollups: UsageRollups
) -> None:
    (listed, *_) = read_file(Origin.LIST, shipped_text()).entries
    assert isinstance(listed, PriceEntry)
    prices.load(PriceFile(Origin.LIST, "another", [replace(listed, amount=listed.amount + 1)]), at=AT, actor="ada")
    store(ledger, a_call(1, NINE))

    with pytest.raises(InvalidFileError, match="says something else"):
        with_shipped_prices(prices, lambda: rebuild_usage_rollups(rollups))

    assert len(charges(engine)) == 1
