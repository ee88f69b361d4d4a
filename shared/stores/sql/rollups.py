"""Usage rollups in SQL: recomputed for the hours that dirty marks name, never incremented.

Why this is safe beside ingest: docs/adr/0004-dirty-hours.md.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.sql.base import ReadOnlyColumnCollection
from sqlalchemy.sql.elements import KeyedColumnElement

from shared.domain.interaction import Provenance
from shared.domain.values import hour_of, interval_end, utc_now, utc_of
from shared.domain.verdicts import SIDES, fields_of
from shared.pricing.charge import Confidence
from shared.retry import retried
from shared.stores.ports import Interval
from shared.stores.sql import bulk, tables
from shared.stores.sql.assignments import Assignments
from shared.stores.sql.charges import Terms, charged, rewrite_charges
from shared.stores.sql.conditions import is_unset, is_within
from shared.stores.sql.costs import rebuild_cost_days
from shared.stores.sql.dialects import dialect_of
from shared.stores.sql.engine import writing
from shared.stores.sql.lease import ROLLUPS, take_lease
from shared.stores.sql.prices import Books

__all__ = ["SqlUsageRollups"]

_MARKS = 10_000
"""Marks read at a time; each is one touched hour of one batch."""

_Columns = ReadOnlyColumnCollection[str, sa.Column[Any]]
_AnyColumns = _Columns | ReadOnlyColumnCollection[str, KeyedColumnElement[Any]]


class SqlUsageRollups:
    """`shared.stores.ports.UsageRollups` on either database."""

    def __init__(self, engine: Engine, *, now: Callable[[], datetime] = utc_now) -> None:
        """Use `engine`, whose database is migrated to the newest revision; `now` dates adjustments."""
        self._engine = engine
        self._now = now
        self._books = Books()
        self._assignments = Assignments()

    def marks(self, *, without: Collection[str] = ()) -> list[tuple[int, str]]:
        """Return marks; see the port."""
        return retried(lambda: self._marks(without))

    def recompute(self, intervals: Sequence[Interval]) -> None:
        """Make sums anew; see the port."""
        retried(lambda: self._recompute(intervals))

    def clear(self, marks: Collection[int]) -> None:
        """Take marks away; see the port."""
        if marks:
            retried(lambda: self._clear(marks))

    def _marks(self, without: Collection[str]) -> list[tuple[int, str]]:
        with writing(self._engine) as connection:
            take_lease(connection, ROLLUPS)
            _spread(connection)
            table = tables.dirty_hour.c
            query = sa.select(table.id, table.hour).order_by(table.id).limit(_MARKS)
            passed: dict[str, str] = {}
            if without:
                passed = bulk.listed(without)
                query = query.where(table.hour.not_in(dialect_of(connection).members(table.hour.type)))
            return [(row.id, row.hour) for row in connection.execute(query, passed)]

    def _recompute(self, intervals: Sequence[Interval]) -> None:
        with writing(self._engine) as connection:
            take_lease(connection, ROLLUPS)
            # Read behind the marks: what comes later marks the hours again.
            terms = Terms(self._books.current(connection), self._assignments.current(connection))
            for length, start in intervals:
                table, end = tables.USAGE[length], interval_end(start, length)
                if length == "hour":
                    rewrite_charges(connection, terms, _counts(), start, end)
                usage = usage_of_facts if length == "hour" else usage_of_hours
                connection.execute(sa.delete(table).where(table.c.interval_start == start))
                columns = ["interval_start", *tables.DIMENSIONS, *tables.MEASURES, tables.AMOUNT]
                connection.execute(sa.insert(table).from_select(columns, usage(start, end)))
            hours = [start for length, start in intervals if length == "hour"]
            rebuild_cost_days(connection, hours, at=utc_of(self._now()))

    def _clear(self, marks: Collection[int]) -> None:
        # Exactly the marks that were read: one written meanwhile speaks of facts we may not have seen.
        with writing(self._engine) as connection:
            chosen = dialect_of(connection).members(sa.BigInteger())
            connection.execute(
                sa.delete(tables.dirty_hour).where(tables.dirty_hour.c.id.in_(chosen)), bulk.listed(marks)
            )


def _spread(connection: Connection) -> None:
    """Turn marks on usage keys into marks on the hours of every interaction with such a key."""
    dirty, facts = tables.dirty_usage_key.c, tables.interaction.c
    marks = connection.execute(sa.select(dirty.id, dirty.usage_key).order_by(dirty.id).limit(_MARKS)).all()
    if not marks:
        return
    dialect = dialect_of(connection)
    keys = dialect.members(facts.usage_key.type)
    moments = connection.scalars(
        # Not null: the index holds no other rows, which SQL Server must be told.
        sa.select(facts.occurred_at).distinct().where(facts.usage_key.in_(keys), facts.usage_key.is_not(None)),
        bulk.listed({mark.usage_key for mark in marks}),
    )
    hours = set(map(hour_of, moments))
    bulk.insert(connection, tables.dirty_hour, [(hour,) for hour in sorted(hours)])
    read = dialect.members(sa.BigInteger())
    connection.execute(
        sa.delete(tables.dirty_usage_key).where(dirty.id.in_(read)), bulk.listed(mark.id for mark in marks)
    )


def usage_of_facts(start: str, end: str | None) -> sa.Select[Any]:
    """Return the sums over the interactions from `start` until before `end`, or for ever."""
    interaction = tables.interaction.c
    unmetered = interaction.usage_provenance == Provenance.MISSING.value
    flags = {
        "requests": sa.literal(1),
        "errors": sa.case((interaction.is_error == sa.true(), 1), else_=0),
        "unmetered_requests": sa.case((_is_cached(interaction), 0), (unmetered, 1), else_=0),
        "cached_requests": sa.case((_is_cached(interaction), 1), else_=0),
        "filter_failures": sa.case((interaction.filter_failed == sa.true(), 1), else_=0),
        "unpriced_requests": sa.case((tables.charge.c.confidence == Confidence.NO_PRICE.value, 1), else_=0),
        **{name: sa.case((sa.or_(*found), 1), else_=0) for name, found in _findings(interaction).items()},
    }
    known = sa.case((interaction.total_tokens.is_not(None), 1), else_=0).label("token_requests")
    tokens = [interaction[name] for name in tables.MEASURES if name not in flags and name != known.name]
    # SQL Server sums no expression that holds a subquery: whether usage counts is decided one level below.
    dimensions = [_dimension(name) for name in tables.DIMENSIONS]
    facts = (
        charged(*dimensions, *tokens, tables.charge.c.amount, known, _counts().label("counts"))
        .add_columns(*[flag.label(name) for name, flag in flags.items()])
        .where(is_within(interaction.occurred_at, start, end))
        .subquery("facts")
    )
    measures = [
        facts.c[name] if name in flags else sa.case((facts.c.counts == 1, facts.c[name])) for name in tables.MEASURES
    ]
    return _grouped(facts.c, measures, start)


def _dimension(name: str) -> sa.Column[Any]:
    return (tables.interaction if name in tables.interaction.c else tables.charge).c[name]


def _findings(interaction: _Columns) -> dict[str, list[sa.ColumnElement[bool]]]:
    """Return the measures of the content filter, each with the conditions of which one must hold."""
    acted = {side: interaction[f"{side}_filtered"] == sa.true() for side in SIDES}

    def found(*categories: str) -> list[sa.ColumnElement[bool]]:
        return [interaction[name].is_not(None) for category in categories for name in fields_of(category=category)]

    return {
        "filtered_requests": list(acted.values()),
        "prompt_filtered": [acted["prompt"]],
        "completion_filtered": [acted["completion"]],
        "jailbreaks": found("jailbreak"),
        "indirect_attacks": found("indirect_attack"),
        "protected_material": found("protected_material_text", "protected_material_code"),
        "blocklisted": found("blocklist"),
    }


def _counts() -> sa.ColumnElement[int]:
    """Return 1 where the interaction's usage counts, 0 where another one's counts instead.

    What a cache answered repeats the usage of the call that filled it. Polls and cancellations repeat
    the usage of the one response, run or batch that `usage_key` names: the best account of it counts,
    reported before estimated, then the largest, because usage only grows until the thing is done; then
    the earliest interaction. Videos have seconds instead of tokens. All are facts, so the order of arrival makes no
    difference.
    """
    mine, other = tables.interaction.c, tables.interaction.alias("other")
    ranks = [
        (_is_estimate(other.c), _is_estimate(mine)),
        (sa.func.coalesce(mine.total_tokens, -1), sa.func.coalesce(other.c.total_tokens, -1)),
        (sa.func.coalesce(mine.seconds, -1), sa.func.coalesce(other.c.seconds, -1)),
        (other.c.occurred_at, mine.occurred_at),
        (other.c.id, mine.id),
    ]
    better: sa.ColumnElement[bool] = sa.false()
    for smaller, larger in reversed(ranks):
        better = sa.or_(smaller < larger, sa.and_(smaller == larger, better))
    repeated = sa.exists(sa.literal(1)).where(
        other.c.usage_key == mine.usage_key,
        other.c.usage_key.is_not(None),
        sa.or_(other.c.total_tokens.is_not(None), other.c.seconds.is_not(None)),
        is_unset(other.c.cached),
        better,
    )
    return sa.case((_is_cached(mine), 0), (mine.usage_key.is_(None), 1), (repeated, 0), else_=1)


def _is_cached(columns: _Columns) -> sa.ColumnElement[bool]:
    return columns.cached == sa.true()


def _is_estimate(columns: _Columns) -> sa.ColumnElement[int]:
    return sa.case((columns.usage_provenance == Provenance.ESTIMATED.value, 1), else_=0)


def usage_of_hours(start: str, end: str | None) -> sa.Select[Any]:
    """Return the sums over the hours from `start` until before `end`, or for ever."""
    hours = tables.usage_hour.c
    sums = _grouped(hours, [hours[name] for name in tables.MEASURES], start)
    return sums.where(is_within(hours.interval_start, start, end))


def _grouped(columns: _AnyColumns, measures: Sequence[sa.ColumnElement[Any]], start: str) -> sa.Select[Any]:
    dimensions = [columns[name] for name in tables.DIMENSIONS]
    # Counted as bigint: SQL Server sums ints into an int.
    sums = [sa.func.coalesce(sa.func.sum(sa.cast(measure, sa.BigInteger())), 0) for measure in measures]
    interval = sa.literal(start, tables.usage_hour.c.interval_start.type)
    # Null where no charge is known; each group has one currency.
    amount = sa.func.sum(columns[tables.AMOUNT])
    return sa.select(interval, *dimensions, *sums, amount).group_by(*dimensions)
