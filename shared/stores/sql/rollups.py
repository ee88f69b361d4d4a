"""Usage rollups in SQL: recomputed for the hours that dirty marks name, never incremented.

Why this is safe beside ingest: docs/adr/0004-dirty-hours.md.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.sql.base import ReadOnlyColumnCollection
from sqlalchemy.sql.elements import KeyedColumnElement

from shared.domain.interaction import Provenance
from shared.domain.values import hour_of, utc_of
from shared.domain.verdicts import SIDES, fields_of
from shared.retry import retried
from shared.stores.sql import bulk, tables
from shared.stores.sql.engine import writing
from shared.stores.sql.lease import take_lease

__all__ = ["SqlUsageRollups"]

_MARKS = 10_000
"""Marks read at a time; each is one touched hour of one batch."""
_LEASE: Final = "usage rollups"
_HTTP_ERROR: Final = 400

_Columns = ReadOnlyColumnCollection[str, sa.Column[Any]]
_AnyColumns = _Columns | ReadOnlyColumnCollection[str, KeyedColumnElement[Any]]


class SqlUsageRollups:
    """`shared.stores.ports.UsageRollups` on either database."""

    def __init__(self, engine: Engine) -> None:
        """Use `engine`, whose database is migrated to the newest revision."""
        self._engine = engine

    def rebuild(self, *, most_hours: int) -> list[str]:
        """Recompute marked hours and the days and months they lie in; see the port."""
        return retried(lambda: self._rebuilt(most_hours))

    def _rebuilt(self, most_hours: int) -> list[str]:
        with writing(self._engine) as connection:
            take_lease(connection, _LEASE)
            _spread(connection)
            marks = _marks(connection)
            hours = sorted(set(marks.values()))[:most_hours]
            for hour in hours:
                _replace(connection, tables.usage_hour, hour, _end(hour, "hour"), usage_of_facts)
            for day in sorted({f"{hour[:10]}T00:00:00.000Z" for hour in hours}):
                _replace(connection, tables.usage_day, day, _end(day, "day"), usage_of_hours)
            for month in sorted({f"{hour[:7]}-01T00:00:00.000Z" for hour in hours}):
                _replace(connection, tables.usage_month, month, _end(month, "month"), usage_of_hours)
            done = [mark for mark, hour in marks.items() if hour in set(hours)]
            key = tables.dirty_hour.c.id
            # Exactly the marks that were read: one written meanwhile speaks of facts we may not have seen.
            chosen = bulk.members(connection.dialect.name, sa.BigInteger())
            connection.execute(sa.delete(tables.dirty_hour).where(key.in_(chosen)), bulk.listed(done))
        return hours


def _spread(connection: Connection) -> None:
    """Turn marks on usage keys into marks on the hours of every interaction with such a key."""
    dirty, facts = tables.dirty_usage_key.c, tables.interaction.c
    marks = connection.execute(sa.select(dirty.id, dirty.usage_key).order_by(dirty.id).limit(_MARKS)).all()
    if not marks:
        return
    dialect = connection.dialect.name
    keys = bulk.members(dialect, facts.usage_key.type)
    moments = connection.scalars(
        sa.select(facts.occurred_at).distinct().where(facts.usage_key.in_(keys)),
        bulk.listed({mark.usage_key for mark in marks}),
    )
    hours = set(map(hour_of, moments))
    bulk.insert(connection, tables.dirty_hour, [(hour,) for hour in sorted(hours)])
    read = bulk.members(dialect, sa.BigInteger())
    connection.execute(
        sa.delete(tables.dirty_usage_key).where(dirty.id.in_(read)), bulk.listed(mark.id for mark in marks)
    )


def _marks(connection: Connection) -> dict[int, str]:
    table = tables.dirty_hour
    query = sa.select(table.c.id, table.c.hour).order_by(table.c.id).limit(_MARKS)
    return {row.id: row.hour for row in connection.execute(query)}


def _end(start: str, interval: str) -> str:
    moment = datetime.fromisoformat(start)
    if interval == "hour":
        return utc_of(moment + timedelta(hours=1))
    if interval == "day":
        return utc_of(moment + timedelta(days=1))
    return utc_of((moment.replace(day=28) + timedelta(days=4)).replace(day=1))


def _replace(
    connection: Connection, table: sa.Table, start: str, end: str, usage: Callable[[str, str], sa.Select[Any]]
) -> None:
    connection.execute(sa.delete(table).where(table.c.interval_start == start))
    columns = ["interval_start", *tables.DIMENSIONS, *tables.MEASURES]
    connection.execute(sa.insert(table).from_select(columns, usage(start, end)))


def usage_of_facts(start: str, end: str) -> sa.Select[Any]:
    """Return the sums over the interactions from `start` until before `end`."""
    interaction = tables.interaction.c
    flags = {
        "requests": sa.literal(1),
        "errors": sa.case((interaction.http_status >= _HTTP_ERROR, 1), else_=0),
        "unmetered_requests": sa.case((interaction.usage_provenance == Provenance.MISSING.value, 1), else_=0),
        "cached_requests": sa.case((interaction.cached == sa.true(), 1), else_=0),
        "filter_failures": sa.case((interaction.filter_failed == sa.true(), 1), else_=0),
        **{name: sa.case((sa.or_(*found), 1), else_=0) for name, found in _findings(interaction).items()},
    }
    known = sa.case((interaction.total_tokens.is_not(None), 1), else_=0).label("token_requests")
    tokens = [interaction[name] for name in tables.MEASURES if name not in flags and name != known.name]
    # SQL Server sums no expression that holds a subquery: whether usage counts is told one level below.
    facts = (
        sa.select(*[interaction[name] for name in tables.DIMENSIONS], *tokens, known, _counts().label("counts"))
        .add_columns(*[flag.label(name) for name, flag in flags.items()])
        .where(interaction.occurred_at >= start, interaction.occurred_at < end)
        .subquery("facts")
    )
    measures = [
        facts.c[name] if name in flags else sa.case((facts.c.counts == 1, facts.c[name])) for name in tables.MEASURES
    ]
    return _grouped(facts.c, measures, start)


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

    Polls and cancellations repeat the usage of the one response, run or batch that `usage_key` names.
    The best account of it counts: reported before estimated, then the largest, because usage only
    grows until the thing is done; then the earliest interaction. All are facts, so the order of
    arrival makes no difference.
    """
    mine, other = tables.interaction.c, tables.interaction.alias("other")
    ranks = [
        (_is_estimate(other.c), _is_estimate(mine)),
        (sa.func.coalesce(mine.total_tokens, -1), other.c.total_tokens),
        (other.c.occurred_at, mine.occurred_at),
        (other.c.id, mine.id),
    ]
    better: sa.ColumnElement[bool] = sa.false()
    for smaller, larger in reversed(ranks):
        better = sa.or_(smaller < larger, sa.and_(smaller == larger, better))
    repeated = sa.exists(sa.literal(1)).where(
        other.c.usage_key == mine.usage_key, other.c.total_tokens.is_not(None), better
    )
    return sa.case((mine.usage_key.is_(None), 1), (repeated, 0), else_=1)


def _is_estimate(columns: _Columns) -> sa.ColumnElement[int]:
    return sa.case((columns.usage_provenance == Provenance.ESTIMATED.value, 1), else_=0)


def usage_of_hours(start: str, end: str) -> sa.Select[Any]:
    """Return the sums over the hours from `start` until before `end`."""
    hours = tables.usage_hour.c
    sums = _grouped(hours, [hours[name] for name in tables.MEASURES], start)
    return sums.where(hours.interval_start >= start, hours.interval_start < end)


def _grouped(columns: _AnyColumns, measures: Sequence[sa.ColumnElement[Any]], start: str) -> sa.Select[Any]:
    dimensions = [columns[name] for name in tables.DIMENSIONS]
    # Counted as bigint: SQL Server sums ints into an int.
    sums = [sa.func.coalesce(sa.func.sum(sa.cast(measure, sa.BigInteger())), 0) for measure in measures]
    interval = sa.literal(start, tables.usage_hour.c.interval_start.type)
    return sa.select(interval, *dimensions, *sums).group_by(*dimensions)
