"""The reading side in SQL: every list by keyset, every value bound, every answer bounded."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shared.domain.balance import Outcome, PartitionCounts
from shared.domain.delivery import NOWHERE
from shared.domain.reach import Reach
from shared.questions import CallCount, FindingFilter, InteractionFilter, ListKey, UsageQuery
from shared.retry import QUICK_SECONDS, retried
from shared.stores.ports import Row
from shared.stores.sql import tables
from shared.stores.sql.access import PAYER, Way, in_index, way_of
from shared.stores.sql.access_log import SqlAccessLog
from shared.stores.sql.charges import charged
from shared.stores.sql.conditions import conditions_of, is_equal, range_of, reach_condition
from shared.stores.sql.counts import read_count
from shared.stores.sql.dialects import by_index, by_key, by_value
from shared.stores.sql.engine import reading
from shared.stores.sql.grants import SqlGrants
from shared.stores.sql.indexes import BY_TIME, index_of
from shared.stores.sql.lease import runs_statement
from shared.stores.sql.reaches import SqlReaches
from shared.stores.sql.usage import read_largest, read_traits, read_usage

__all__ = [
    "SqlAuditStore",
    "findings_statement",
    "found_statement",
    "interaction_statement",
    "interactions_statement",
    "partitions_statement",
    "prompts_statement",
    "quarantine_statement",
    "read_interactions",
]

_BOOKKEEPING: Final = {"parts", "field_sources", "strands", "revision"}
_CHARGE: Final = ("amount", "currency", "price_version", "confidence", "reason", "team", "cost_centre")
_INTERACTION: Final = [
    *(column for column in tables.interaction.c if column.name not in _BOOKKEEPING and column.computed is None),
    *(tables.charge.c[name].label(f"charge_{name}") for name in _CHARGE),
]
_PROMPT: Final = [
    tables.interaction.c[name] for name in ("id", "occurred_at", "model", "input_tokens", "prompt_preview")
]
_QUARANTINE: Final = [column for column in tables.quarantine.c if column.name not in {"body", "discarded_at"}]

_Condition = sa.ColumnElement[bool]


class SqlAuditStore(SqlAccessLog, SqlReaches, SqlGrants):
    """`shared.stores.ports.AuditStore` on either database."""

    def interactions(self, narrow: InteractionFilter, *, after: ListKey | None, limit: int) -> list[Row]:
        """Return rows, newest first; see the port."""
        return self._list(interactions_statement, narrow, after, limit)

    def count(self, narrow: InteractionFilter, *, most: int) -> CallCount:
        """Return how many there are; see the port."""

        def read() -> CallCount:
            with reading(self._engine) as connection:
                return read_count(connection, narrow, most=most)

        return retried(read, seconds=QUICK_SECONDS)

    def interaction(self, interaction_id: str, names: Sequence[str] = (), reaches: Sequence[Reach] = ()) -> Row | None:
        """Return one row; see the port."""
        statement = interaction_statement(interaction_id, names).where(*map(reach_condition, reaches))
        rows = self._rows(statement)
        return next((row for row in rows if row["id"] == interaction_id), rows[0] if rows else None)

    def prompts(self, narrow: InteractionFilter, *, after: ListKey | None, limit: int) -> list[Row]:
        """Return the columns of the prompt list; see the port."""
        return self._list(prompts_statement, narrow, after, limit)

    def usage(self, query: UsageQuery, *, after: tuple[str, ...] | None, limit: int) -> list[Row]:
        """Return groups; see the port."""

        def read() -> list[Row]:
            with reading(self._engine) as connection:
                return read_usage(connection, query, after=after, limit=limit)

        return retried(read, seconds=QUICK_SECONDS)

    def largest(self, query: UsageQuery, *, measure: str, limit: int) -> list[Row]:
        """Return the largest groups; see the port."""

        def read() -> list[Row]:
            with reading(self._engine) as connection:
                return read_largest(connection, query, measure=measure, limit=limit)

        return retried(read, seconds=QUICK_SECONDS)

    def traits(self, query: UsageQuery, *, after: tuple[str, ...] | None, until: tuple[str, ...]) -> list[Row]:
        """Return the traits of groups; see the port."""

        def read() -> list[Row]:
            with reading(self._engine) as connection:
                return read_traits(connection, query, after=after, until=until)

        return retried(read, seconds=QUICK_SECONDS)

    def partitions(self) -> list[PartitionCounts]:
        """Return the counts of each partition; see the port."""
        counts: dict[tuple[str, str], dict[str, int]] = {}
        moments: dict[tuple[str, str], str] = {}
        for row in self._read(partitions_statement()):
            hub, partition, name, number, moment = list[Any](row.values())
            counts.setdefault((hub, partition), {})[name] = number
            if moment is not None:
                moments[hub, partition] = moment
        return [_partition(key, counts[key], moments.get(key)) for key in sorted(counts)]

    def timer_runs(self) -> dict[str, str]:
        """Return when each timer function ran last; see the port."""
        return {row["name"]: row["ran_at"] for row in self._rows(runs_statement())}

    def quarantined(self, *, after: ListKey | None, limit: int) -> list[Row]:
        """Return rows without bodies, newest first; see the port."""
        return self._rows(quarantine_statement(after=after, limit=limit))

    def findings(self, narrow: FindingFilter, *, after: ListKey | None, limit: int) -> list[Row]:
        """Return findings, newest first; see the port."""
        return self._rows(findings_statement(narrow, after=after, limit=limit))

    def check(self) -> None:
        """Return if the database answers; see the port."""
        self._rows(sa.select(tables.interaction.c.id).limit(1))

    def _list(
        self, made: Callable[..., sa.Select[Any]], narrow: InteractionFilter, after: ListKey | None, limit: int
    ) -> list[Row]:
        def read() -> list[Row]:
            with reading(self._engine) as connection:
                return _listed(connection, made, narrow, after, limit)

        return retried(read, seconds=QUICK_SECONDS)

    def _rows(self, statement: sa.Select[Any]) -> list[Row]:
        return [dict(row) for row in self._read(statement)]

    def _read(self, statement: sa.Select[Any] | sa.CompoundSelect[Any]) -> Sequence[sa.RowMapping]:
        def read() -> Sequence[sa.RowMapping]:
            with reading(self._engine) as connection:
                return connection.execute(statement).mappings().all()

        return retried(read, seconds=QUICK_SECONDS)


def read_interactions(
    connection: Connection, narrow: InteractionFilter, *, after: ListKey | None, limit: int
) -> list[Row]:
    """Return what `AuditStore.interactions` does, read on a connection that is there."""
    return _listed(connection, interactions_statement, narrow, after, limit)


def _listed(
    connection: Connection,
    made: Callable[..., sa.Select[Any]],
    narrow: InteractionFilter,
    after: ListKey | None,
    limit: int,
) -> list[Row]:
    statement = made(narrow, after=after, limit=limit, way=way_of(connection, narrow, after.moment if after else None))
    return [dict(row) for row in connection.execute(statement).mappings()]


def interactions_statement(
    narrow: InteractionFilter, *, after: ListKey | None, limit: int, way: Way | None = None
) -> sa.Select[Any]:
    """Return the statement of `AuditStore.interactions`, which SQLite answers in the `way` given."""
    return _found(charged(*_INTERACTION), narrow, after, limit, way)


def found_statement(
    narrow: InteractionFilter, ids: sa.Select[Any], *, after: ListKey | None, limit: int
) -> sa.Select[Any]:
    """Return the statement of those of `AuditStore.interactions` whose id is one of `ids`."""
    facts = tables.interaction
    rows = charged(*_INTERACTION).where(facts.c.id.in_(ids), *conditions_of(narrow))
    return _newest(by_key(rows, facts), "occurred_at", after, limit)


def interaction_statement(interaction_id: str, names: Sequence[str] = ()) -> sa.Select[Any]:
    """Return the statement of `AuditStore.interaction`: a row by its id, and those that have one of the names."""
    key, alias = tables.interaction.c.id, tables.alias.c
    if not names:
        return charged(*_INTERACTION).where(key == interaction_id)
    # One list of ids: two conditions with `or` between them would read every row on SQL Server.
    named = sa.select(alias.interaction_id).where(alias.name.in_(names))
    ids = sa.union_all(sa.select(sa.literal(interaction_id, key.type)), named).subquery("ids")
    return charged(*_INTERACTION).where(key.in_(sa.select(*ids.c))).order_by(key)


def prompts_statement(
    narrow: InteractionFilter, *, after: ListKey | None, limit: int, way: Way | None = None
) -> sa.Select[Any]:
    """Return the statement of `AuditStore.prompts`, which SQLite answers in the `way` given."""
    return _found(sa.select(*_PROMPT), narrow, after, limit, way)


def _found(
    rows: sa.Select[Any], narrow: InteractionFilter, after: ListKey | None, limit: int, way: Way | None
) -> sa.Select[Any]:
    facts = tables.interaction
    ways = (way.first, *way.others) if way else ()
    conditions = conditions_of(narrow, without=[one for access in ways for one in access.filters])
    if way is None:
        found = by_index(rows.where(*conditions), facts, index_of(BY_TIME))
        return by_value(_newest(found, "occurred_at", after, limit))
    conditions += [*way.first.conditions, *map(in_index, way.others)]
    if way.first.table is PAYER:
        # By the time too: an interaction that moved has a charge where it was until its hour is summed anew.
        same = sa.and_(PAYER.c.occurred_at == facts.c.occurred_at, PAYER.c.interaction_id == facts.c.id)
        conditions = [same, *range_of(narrow, PAYER), *conditions]
    if way.first.table is PAYER and way.first.in_order:
        paid = by_index(rows.where(*conditions), PAYER, way.first.index_name)
        order = (PAYER.c.occurred_at, PAYER.c.interaction_id)
        return by_value(_newest(paid, "occurred_at", after, limit, order))
    if way.first.in_order:
        found = by_index(rows.where(*conditions), facts, way.first.index_name)
        return by_value(_newest(found, "occurred_at", after, limit))
    # What is to be sorted is sorted from the index, without the rows.
    ids: sa.Select[Any] = sa.select(facts.c.id, facts.c.occurred_at).where(*conditions)
    keys = by_index(ids, way.first.table, way.first.index_name)
    first = _newest(keys, "occurred_at", after, limit).subquery("found")
    return _newest(rows.where(facts.c.id.in_(sa.select(first.c.id))), "occurred_at", None, limit)


def quarantine_statement(*, after: ListKey | None, limit: int) -> sa.Select[Any]:
    """Return the statement of `AuditStore.quarantined`."""
    held = sa.select(*_QUARANTINE).where(tables.quarantine.c.discarded_at.is_(None))
    return _newest(held, "enqueued_at", after, limit)


def findings_statement(narrow: FindingFilter, *, after: ListKey | None, limit: int) -> sa.Select[Any]:
    """Return the statement of `AuditStore.findings`."""
    table = tables.finding.c
    statement = sa.select(*table)
    if narrow.starts_from is not None:
        statement = statement.where(table.hour >= narrow.starts_from)
    if narrow.starts_before is not None:
        statement = statement.where(table.hour < narrow.starts_before)
    if narrow.hub is not None:
        statement = statement.where(is_equal(table.hub, narrow.hub))
    if narrow.kind is not None:
        statement = statement.where(is_equal(table.kind, narrow.kind))
    if narrow.resolved is not None:
        open_ = table.resolved_at.is_(None)
        statement = statement.where(sa.not_(open_) if narrow.resolved else open_)
    return _newest(statement, "hour", after, limit)


_OUTCOMES: Final = {outcome.value: outcome for outcome in Outcome}


def _partition(key: tuple[str, str], counts: dict[str, int], last_enqueued_at: str | None) -> PartitionCounts:
    return PartitionCounts(
        *key,
        received=counts.get("received", 0),
        redelivered=counts.get("redelivered", 0),
        outcomes={outcome: counts.get(name, 0) for name, outcome in _OUTCOMES.items()},
        waiting=counts.get("waiting", 0),
        last_sequence=counts.get("last_sequence"),
        last_enqueued_at=last_enqueued_at,
    )


def partitions_statement() -> sa.CompoundSelect[Any]:
    """Return hub, partition, name of the count, number and time: one statement sees one moment."""
    hubs, outcome = tables.hub_partition.c, tables.delivery_count.c
    columns = tables.waiting.c
    waits = (
        sa.select(columns.hub, columns.partition_id, columns.sequence, columns.enqueued_at)
        .where(columns.hub != NOWHERE.hub)
        .distinct()
        .subquery("held")
        .c
    )
    no_time = sa.cast(sa.null(), hubs.last_enqueued_at.type)
    counters = [
        sa.select(hubs.hub, hubs.partition_id, _text(name), hubs[name], no_time) for name in ("received", "redelivered")
    ]
    last = sa.select(
        hubs.hub,
        hubs.partition_id,
        _text("last_sequence").label("count_name"),
        hubs.last_sequence,
        hubs.last_enqueued_at,
    )
    outcomes = sa.select(outcome.hub, outcome.partition_id, outcome.outcome, outcome.number, no_time).where(
        outcome.outcome.in_(_OUTCOMES)
    )
    waiting = sa.select(waits.hub, waits.partition_id, _text("waiting"), sa.func.count(), no_time).group_by(
        waits.hub, waits.partition_id
    )
    return sa.union_all(last, *counters, outcomes, waiting)


def _text(value: str) -> sa.ColumnElement[str]:
    return sa.literal(value, sa.Unicode(16))


def _newest(
    statement: sa.Select[Any],
    moment: str,
    after: ListKey | None,
    limit: int,
    keys: tuple[sa.ColumnElement[str], sa.ColumnElement[str]] | None = None,
) -> sa.Select[Any]:
    columns = statement.selected_columns
    at, key = keys or (columns[moment], columns["id"])
    if after is not None:
        # The first condition says no more than the second, but an index can seek by it.
        statement = statement.where(at <= after.moment, sa.or_(at < after.moment, key < after.id))
    return statement.order_by(at.desc(), key.desc()).limit(limit)
