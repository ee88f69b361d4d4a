"""Usage rollups in SQL: of each call that marks name, what it counts as more or less than before is added to the sums.

Why that is exact, and safe beside ingest: docs/adr/0004-dirty-hours.md and 0013-usage-by-differences.md.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from decimal import Decimal
from itertools import zip_longest
from typing import Any, Final, NamedTuple

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from shared.domain.traits import TRAIT_OF, traits_of
from shared.domain.values import hour_of, interval_end, utc_now, utc_of
from shared.pricing.charge import Charge
from shared.pricing.costs import Costs
from shared.retry import retried
from shared.stores.ports import Row
from shared.stores.sql import bulk, tables
from shared.stores.sql.assignments import Assignments
from shared.stores.sql.books import Books
from shared.stores.sql.capacity import mark_capacity, used_in
from shared.stores.sql.charges import Terms, charge_row, costs_of
from shared.stores.sql.conditions import is_within
from shared.stores.sql.costs import add_costs, hours_lacking, rebuild_cost_days, rewrite_costs
from shared.stores.sql.dialects import dialect_of
from shared.stores.sql.engine import reading, writing
from shared.stores.sql.lease import ROLLUPS, take_lease
from shared.stores.sql.usage_facts import (
    CHARGE_MEASURES,
    CHARGED_BY,
    FACT_DIMENSIONS,
    FACT_MEASURES,
    USED,
    alike_statement,
    calls_statement,
    recount_statement,
    sums_statement,
    traits_statement,
    usage_counts,
)
from shared.stores.sql.usage_marks import MARKS_AT_A_TIME, calls_of, spread_usage_keys
from shared.stores.sql.usage_sums import Counted, Differences, Group, Groups, group_of
from shared.stores.usage_ports import CallKey, Mark

__all__ = ["SqlUsageRollups", "calls_in_statement"]


_NOTHING: Final = Decimal(0)


class SqlUsageRollups:
    """`shared.stores.usage_ports.UsageRollups` on either database."""

    def __init__(self, engine: Engine, *, now: Callable[[], datetime] = utc_now) -> None:
        """Use `engine`, whose database is migrated to the newest revision; `now` dates adjustments."""
        self._engine = engine
        self._now = now
        self._books = Books()
        self._assignments = Assignments()

    def marks(self, *, without: Collection[int] = ()) -> list[Mark]:
        """Return marks; see the port."""
        return retried(lambda: self._marks(without))

    def calls_in(self, hour: str, *, after: CallKey | None, limit: int) -> list[CallKey]:
        """Return calls of an hour; see the port."""

        def read() -> list[CallKey]:
            with reading(self._engine) as connection:
                return [tuple(row) for row in connection.execute(calls_in_statement(hour, after=after, limit=limit))]

        return retried(read)

    def count(self, calls: Collection[CallKey]) -> set[str]:
        """Charge calls and add up; see the port."""
        return retried(lambda: self._count(calls)) if calls else set()

    def add_up_costs(self, hour: str) -> None:
        """Make the cost lines of an hour anew; see the port."""
        retried(lambda: self._add_up_costs(hour))

    def hours(self) -> list[str]:
        """Return the hours that are summed; see the port."""
        sums = tables.usage_of_hour.c
        every = sa.select(sums.interval_start).distinct().where(sums.cut == 0).order_by(sums.interval_start)
        with reading(self._engine) as connection:
            return list(connection.scalars(every))

    def recount(self, hour: str) -> int:
        """Compare an hour with its facts; see the port."""
        return retried(lambda: self._recount(hour))

    def clear(self, marks: Collection[int]) -> None:
        """Take marks away; see the port."""
        if marks:
            retried(lambda: self._clear(marks))

    def _marks(self, without: Collection[int]) -> list[Mark]:
        with writing(self._engine) as connection:
            take_lease(connection, ROLLUPS)
            spread_usage_keys(connection)
            table = tables.dirty_hour.c
            query = sa.select(table.id, table.hour, table.calls).order_by(table.id).limit(MARKS_AT_A_TIME)
            passed: dict[str, str] = {}
            if without:
                passed = bulk.listed(without)
                query = query.where(table.id.not_in(dialect_of(connection).members(sa.BigInteger())))
            return [Mark(row.id, row.hour, calls_of(row.calls)) for row in connection.execute(query, passed)]

    def _count(self, calls: Collection[CallKey]) -> set[str]:
        with writing(self._engine) as connection:
            take_lease(connection, ROLLUPS)
            terms = self._terms(connection, {hour_of(time) for time, _ in calls})
            now = _calls(connection, calls, terms)
            before = _charges(connection, {*calls, *((one.row["occurred_at"], name) for name, one in now.items())})
            _write(connection, before, now)
            new = now.keys() - {row["interaction_id"] for row in before}
            added: dict[str, Costs] = {}
            for name in new:
                hour = hour_of(now[name].row["occurred_at"])
                now[name].add_to(added.setdefault(hour, Costs()))
            lacking = hours_lacking(connection, {hour: costs.calls for hour, costs in added.items()})
            fit = {hour: costs for hour, costs in added.items() if hour not in lacking}
            add_costs(connection, fit)
            rebuild_cost_days(connection, fit, at=utc_of(self._now()))
            hours = {time for time, _ in calls} | {one.row["occurred_at"] for one in now.values()}
            mark_capacity(connection, terms.book, set(map(hour_of, hours)))
            # Of a call that is as it was nobody knows whether its lines were made before this stopped.
            old = {time for time, name in calls if name not in new}
            old |= {one.row["occurred_at"] for name, one in now.items() if name not in new}
            return lacking | set(map(hour_of, old))

    def _add_up_costs(self, hour: str) -> None:
        with writing(self._engine) as connection:
            take_lease(connection, ROLLUPS)
            terms = self._terms(connection, [hour])
            costs = costs_of(connection, terms, usage_counts(), hour, interval_end(hour, "hour"))
            rewrite_costs(connection, costs, hour)
            rebuild_cost_days(connection, [hour], at=utc_of(self._now()))

    def _recount(self, hour: str) -> int:
        with writing(self._engine) as connection:
            # Nobody adds to the hour meanwhile.
            take_lease(connection, ROLLUPS)
            facts = _by_group(connection, recount_statement(hour, interval_end(hour, "hour")))
            sums = _by_group(connection, sums_statement(hour))
            traits = _traits_of_facts(connection, hour)
            counted = {tuple(row[:-1]): row[-1] for row in connection.execute(traits_statement(hour))}
        wrong = {group for group in facts.keys() | sums.keys() if facts.get(group) != sums.get(group)}
        wrong |= {key[:-1] for key in traits.keys() | counted.keys() if traits.get(key) != counted.get(key)}
        return len(wrong)

    def _terms(self, connection: Connection, hours: Collection[str]) -> Terms:
        # Read behind the marks: what comes later marks the hours again.
        book = self._books.current(connection)
        return Terms(book, self._assignments.current(connection), used_in(connection, book, hours))

    def _clear(self, marks: Collection[int]) -> None:
        # Exactly the marks that were read: one written meanwhile speaks of facts we may not have seen.
        with writing(self._engine) as connection:
            chosen = dialect_of(connection).members(sa.BigInteger())
            connection.execute(
                sa.delete(tables.dirty_hour).where(tables.dirty_hour.c.id.in_(chosen)), bulk.listed(marks)
            )


def calls_in_statement(hour: str, *, after: CallKey | None, limit: int) -> sa.Select[Any]:
    """Return the statement of `UsageRollups.calls_in`.

    Raises:
        ValueError: `hour` is no time.
    """
    call, charge = tables.interaction.c, tables.charge.c
    end = interval_end(hour, "hour")
    parts = []
    for time, name in ((call.occurred_at, call.id), (charge.occurred_at, charge.interaction_id)):
        part = sa.select(time.label("occurred_at"), name.label("id")).where(is_within(time, hour, end))
        if after is not None:
            part = part.where(time >= after[0], sa.or_(time > after[0], name > after[1]))
        parts.append(sa.select(*part.order_by(time, name).limit(limit).subquery().c))
    both = sa.union(*parts).subquery("both").c
    return sa.select(both.occurred_at, both.id).order_by(both.occurred_at, both.id).limit(limit)


def _by_group(connection: Connection, statement: sa.Select[Any]) -> dict[Group, Counted]:
    number = len(tables.DIMENSIONS)
    return {tuple(row[:number]): tuple(row[number:]) for row in connection.execute(statement)}


def _traits_of_facts(connection: Connection, hour: str) -> dict[tuple[str, ...], int]:
    """Return how many interactions of an hour have which trait, by group, from the facts alone."""
    counts: Counter[tuple[str, ...]] = Counter()
    width = len(tables.DIMENSIONS)
    for row in connection.execute(alike_statement(hour, interval_end(hour, "hour"))):
        for trait in traits_of(dict(zip(TRAIT_OF, row[width:-1], strict=True))):
            counts[*row[:width], trait] += row[-1]
    return dict(counts)


class _Call(NamedTuple):
    """An interaction as it is now."""

    row: Row
    """Of its charge, but for the number of its group."""
    group: Group
    counted: Counted
    traits: list[str]
    facts: Row
    """What its cost lines follow from, beside its charge."""
    charge: Charge

    def add_to(self, costs: Costs) -> None:
        """Add the call's cost lines to those of others."""
        costs.add(self.facts, self.charge, team=self.row["team"], cost_centre=self.row["cost_centre"])


def _calls(connection: Connection, calls: Collection[CallKey], terms: Terms) -> dict[str, _Call]:
    listed = bulk.listed({name for _, name in calls})
    priced = 2 + len(CHARGED_BY)
    grouped = priced + len(FACT_DIMENSIONS)
    traited = grouped + len(TRAIT_OF)
    now: dict[str, _Call] = {}
    for values in connection.execute(calls_statement(dialect_of(connection)), listed).all():
        call = dict(zip(CHARGED_BY, values[2:priced], strict=True)) | {"id": values[0]}
        charge, row = charge_row(call, terms, counts=bool(values[1]))
        group = group_of(row | dict(zip(FACT_DIMENSIONS, values[priced:grouped], strict=True)))
        traits = traits_of(dict(zip(TRAIT_OF, values[grouped:traited], strict=True)))
        measures = dict(zip(FACT_MEASURES, values[traited:], strict=True))
        if not values[1]:
            measures |= dict.fromkeys(USED)
        measures |= {name: int(row["confidence"] == confidence) for name, confidence in CHARGE_MEASURES.items()}
        numbers = [measures[name] or 0 for name in tables.MEASURES]
        row["counted"] = _text(numbers)
        row["traits"] = orjson.dumps(traits).decode() if traits else None
        now[values[0]] = _Call(row, group, (*numbers, *_money(row)), traits, call, charge)
    return now


def _charges(connection: Connection, places: Collection[CallKey]) -> list[Row]:
    """Return the charges that stand at these times under these ids."""
    table = tables.charge
    times = table.c.occurred_at.in_(dialect_of(connection).members(table.c.occurred_at.type))
    found = connection.execute(sa.select(table).where(times), bulk.listed({time for time, _ in places}))
    return [dict(row) for row in found.mappings() if (row["occurred_at"], row["interaction_id"]) in places]


def _write(connection: Connection, before: Collection[Row], now: Mapping[str, _Call]) -> None:
    groups, differences = Groups(connection), Differences()
    numbers = groups.numbers({(0, one.group) for one in now.values()})
    rows = {(one.row["occurred_at"], name): one.row | {"group_id": numbers[0, one.group]} for name, one in now.items()}
    gone = [row for row in before if row != rows.get((row["occurred_at"], row["interaction_id"]))]
    stay = {(row["occurred_at"], row["interaction_id"]) for row in before} - {
        (row["occurred_at"], row["interaction_id"]) for row in gone
    }
    known = groups.known({row["group_id"] for row in gone if row["group_id"] is not None})
    for row in gone:
        if row["group_id"] is not None:
            traits = orjson.loads(row["traits"]) if row["traits"] else ()
            differences.add(row["occurred_at"], known[row["group_id"]], _counted(row), traits, sign=-1)
    for name, one in now.items():
        if (one.row["occurred_at"], name) not in stay:
            differences.add(one.row["occurred_at"], one.group, one.counted, one.traits)
    amount_of = dialect_of(connection).amount
    new = [
        row | {"amount": None if row["amount"] is None else amount_of(row["amount"])}
        for place, row in rows.items()
        if place not in stay
    ]
    writes = bulk.Writes(connection)
    writes.delete(tables.charge, gone)
    writes.insert(tables.charge, bulk.values_of(tables.charge, new))
    writes.run()
    differences.write(connection, groups)


def _counted(row: Row) -> Counted:
    numbers = orjson.loads(row["counted"])
    return (*(number for number, _ in zip_longest(numbers, tables.MEASURES, fillvalue=0)), *_money(row))


def _money(row: Row) -> Counted:
    amount = row[tables.AMOUNT]
    return (0, _NOTHING) if amount is None else (1, amount)


def _text(numbers: list[int]) -> str:
    last = max((place for place, number in enumerate(numbers, 1) if number), default=0)
    return orjson.dumps(numbers[:last]).decode()
