"""Quarantine in SQL: reading what is held, and writing what became of it."""

from collections import Counter
from collections.abc import Collection, Mapping
from functools import cache
from typing import Any, Final

import sqlalchemy as sa
import zstandard
from sqlalchemy.engine import Connection, Engine

from shared.domain.balance import Outcome
from shared.domain.delivery import Position
from shared.domain.quarantine import Held, QuarantineAction
from shared.errors import ConflictError
from shared.questions import ListKey
from shared.stores.ports import Changes
from shared.stores.sql import bulk, tables
from shared.stores.sql.dialects import Dialect, dialect_of
from shared.stores.sql.engine import reading, writing

__all__ = ["SqlQuarantine", "count_outcomes", "held_between_statement", "held_statement", "store_replay"]

_EVENT: Final = tables.quarantine.c
_POSITION: Final = (_EVENT.hub, _EVENT.partition_id, _EVENT.sequence, _EVENT.enqueued_at)


class SqlQuarantine:
    """`shared.stores.ports.QuarantineStore` on either database."""

    def __init__(self, engine: Engine) -> None:
        """Use `engine`, whose database is migrated to the newest revision."""
        self._engine = engine

    def held(self, ids: Collection[str]) -> list[Held]:
        """Return events by id; see the port."""
        if not ids:
            return []
        with reading(self._engine) as connection:
            return _held(connection, held_statement(dialect_of(connection)), bulk.listed(ids))

    def held_between(self, start: str | None, end: str | None, *, after: ListKey | None, limit: int) -> list[Held]:
        """Return events by time; see the port."""
        with reading(self._engine) as connection:
            return _held(connection, held_between_statement(start, end, after=after, limit=limit), {})

    def discard(self, action: QuarantineAction) -> None:
        """Forget an event's bytes; see the port."""
        gone = (
            sa.update(tables.quarantine)
            .where(_EVENT.id == action.event_id, _EVENT.discarded_at.is_(None))
            .values(discarded_at=action.acted_at, body=b"")
        )
        with writing(self._engine) as connection:
            if connection.execute(gone).rowcount:
                # Somebody looked at it and said that it speaks of no call.
                _reclassify(connection, [(action.position, Outcome.SKIPPED, None)])
                _note(connection, [action])


def store_replay(connection: Connection, batch: Changes) -> None:
    """Write what became of events that were in quarantine, in the transaction of what they say.

    Raises:
        ConflictError: one of them has left quarantine meanwhile.
    """
    if batch.released:
        gone = connection.execute(_released(dialect_of(connection)), bulk.listed(batch.released))
        if gone.rowcount != len(batch.released):
            raise ConflictError("an event has left quarantine meanwhile")
    if batch.unreleased:
        connection.execute(
            sa.update(tables.quarantine)
            .where(_EVENT.id == sa.bindparam("event_id"))
            .values(reason=sa.bindparam("new_reason"), parser_version=sa.bindparam("new_version")),
            [
                {"event_id": one.id, "new_reason": one.reason[:512], "new_version": one.parser_version}
                for one in batch.unreleased
            ],
        )
    _reclassify(connection, batch.reclassified)
    _note(connection, batch.actions)


def held_statement(dialect: Dialect) -> sa.Select[Any]:
    """Return the statement of `QuarantineStore.held`; it is executed with `bulk.listed(ids)`."""
    return _columns().where(_EVENT.id.in_(dialect.members(_EVENT.id.type)))


def held_between_statement(start: str | None, end: str | None, *, after: ListKey | None, limit: int) -> sa.Select[Any]:
    """Return the statement of `QuarantineStore.held_between`."""
    statement = _columns()
    if start is not None:
        statement = statement.where(_EVENT.enqueued_at >= start)
    if end is not None:
        statement = statement.where(_EVENT.enqueued_at < end)
    if after is not None:
        behind = sa.or_(_EVENT.enqueued_at < after.moment, _EVENT.id < after.id)
        statement = statement.where(_EVENT.enqueued_at <= after.moment, behind)
    return statement.order_by(_EVENT.enqueued_at.desc(), _EVENT.id.desc()).limit(limit)


def _columns() -> sa.Select[Any]:
    return sa.select(_EVENT.id, *_POSITION, _EVENT.body).where(_EVENT.discarded_at.is_(None))


def _held(connection: Connection, statement: sa.Select[Any], parameters: dict[str, str]) -> list[Held]:
    decompressor = zstandard.ZstdDecompressor()
    return [
        Held(event_id, Position(*position), decompressor.decompress(body))
        for event_id, *position, body in connection.execute(statement, parameters)
    ]


@cache
def _released(dialect: Dialect) -> sa.Delete:
    ids = dialect.members(_EVENT.id.type)
    return sa.delete(tables.quarantine).where(_EVENT.id.in_(ids), _EVENT.discarded_at.is_(None))


def _reclassify(connection: Connection, moved: Collection[tuple[Position, Outcome, str | None]]) -> None:
    """Move deliveries from the class `quarantined` into another; one that is in another already stays there."""
    table = tables.delivery
    for (hub, partition), group in _by_partition(moved).items():
        found = connection.execute(
            _quarantined_positions(dialect_of(connection)),
            {"hub": hub, "partition": partition, **bulk.listed(position.sequence for position in group)},
        )
        known = {Position(hub, partition, row.sequence, row.enqueued_at) for row in found}
        rows = [(*position, *group[position]) for position in sorted(known & group.keys())]
        old = [{**dict(zip(_KEY, row, strict=False)), "outcome": Outcome.QUARANTINED} for row in rows]
        writes = bulk.Writes(connection)
        writes.delete(table, old, guard="outcome")
        writes.insert(table, rows)
        moves = Counter[tuple[str, str, str]]((hub, partition, group[position][0]) for position in known & group.keys())
        moves[hub, partition, Outcome.QUARANTINED] -= len(rows)
        count_outcomes(writes, moves)
        writes.run()


def count_outcomes(writes: bulk.Writes, numbers: Mapping[tuple[str, str, str], int]) -> None:
    """Add to the numbers of deliveries with an outcome: by hub, partition and outcome."""
    rows = [(*key, number) for key, number in numbers.items() if number]
    writes.insert_missing(tables.delivery_count, [(*row[:3], 0) for row in rows])
    writes.combine(tables.delivery_count, rows, {"number": "existing.number + incoming.number"})


_KEY: Final = tuple(column.name for column in tables.delivery.primary_key)


def _by_partition(
    moved: Collection[tuple[Position, Outcome, str | None]],
) -> dict[tuple[str, str], dict[Position, tuple[Outcome, str | None]]]:
    groups: dict[tuple[str, str], dict[Position, tuple[Outcome, str | None]]] = {}
    for position, outcome, source in moved:
        groups.setdefault((position.hub, position.partition), {})[position] = outcome, source
    return groups


@cache
def _quarantined_positions(dialect: Dialect) -> sa.Select[tuple[int, str]]:
    table = tables.delivery.c
    return sa.select(table.sequence, table.enqueued_at).where(
        table.hub == sa.bindparam("hub"),
        table.partition_id == sa.bindparam("partition"),
        table.sequence.in_(dialect.members(sa.BigInteger())),
        table.outcome == Outcome.QUARANTINED.value,
    )


def _note(connection: Connection, actions: Collection[QuarantineAction]) -> None:
    bulk.insert(
        connection,
        tables.quarantine_action,
        [(one.acted_at, one.actor, one.action, one.event_id, *one.position, one.result, one.reason) for one in actions],
    )
