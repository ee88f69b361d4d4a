"""The ledger in SQL: the facts, the accounting and the marks, one transaction per batch."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Final

import sqlalchemy as sa
import zstandard
from sqlalchemy.engine import Connection, Engine

from shared.domain.delivery import Position
from shared.domain.values import utc_now, utc_of
from shared.stores.ports import Alias, Changes, ContentDocument, ContentStore, LedgerTransaction, PackedDocument, Row
from shared.stores.sql import bulk, tables
from shared.stores.sql.content import SqlContentStore
from shared.stores.sql.dialects import Dialect, dialect_of
from shared.stores.sql.engine import writing
from shared.stores.sql.forwarding import marked_calls
from shared.stores.sql.lease import take_lease
from shared.stores.sql.packing import packed
from shared.stores.sql.quarantine import count_outcomes, store_replay
from shared.stores.sql.usage_marks import marks_of

__all__ = ["SqlLedger", "overdue_statement"]


class SqlLedger:
    """`shared.stores.ports.Ledger` on either database."""

    def __init__(self, engine: Engine, *, marks_calls: bool = False) -> None:
        """Use `engine`, whose database is migrated to the newest revision; mark calls that somebody is told of."""
        self._engine = engine
        self._marks_calls = marks_calls

    @contextmanager
    def transaction(self) -> Iterator[LedgerTransaction]:
        """Open a transaction; see the port."""
        with writing(self._engine) as connection:
            yield _SqlTransaction(connection, marks_calls=self._marks_calls)

    def packed(self, documents: Sequence[ContentDocument], content: ContentStore) -> Sequence[PackedDocument] | None:
        """Return documents as `Changes` takes them; see the port."""
        if not isinstance(content, SqlContentStore) or content.engine is not self._engine:
            return None
        return packed(documents)


class _SqlTransaction:
    """`LedgerTransaction`: statements are constant in number, rows go in bulk."""

    def __init__(self, connection: Connection, *, marks_calls: bool) -> None:
        self._connection = connection
        self._marks_calls = marks_calls
        self._dialect = dialect_of(connection)

    def known_positions(self, positions: Collection[Position]) -> set[Position]:
        if not positions:
            return set()
        first = next(iter(positions))
        listed = bulk.listed(position.sequence for position in positions)
        found = self._connection.execute(
            _positions(self._dialect), {"hub": first.hub, "partition": first.partition, **listed}
        )
        return {Position(first.hub, first.partition, row.sequence, row.enqueued_at) for row in found}

    def known_quarantine(self, ids: Collection[str]) -> set[str]:
        if not ids:
            return set()
        return set(self._connection.scalars(_quarantined(self._dialect), bulk.listed(ids)))

    def interactions(self, ids: Collection[str]) -> dict[str, Row]:
        if not ids:
            return {}
        rows = self._connection.execute(_interactions(self._dialect), bulk.listed(ids))
        return {row["id"]: dict(row) for row in rows.mappings()}

    def aliases(self, names: Collection[str]) -> dict[str, Alias]:
        if not names:
            return {}
        found = self._connection.execute(_aliases(self._dialect), bulk.listed(names))
        return {row.name: Alias(row.name, row.interaction_id, row.claimed_at, row.revision) for row in found}

    def overdue(self, before: str, limit: int) -> list[str]:
        return list(self._connection.scalars(overdue_statement(before, limit)))

    def end_waits(self, interaction_ids: Collection[str], before: str) -> None:
        if interaction_ids:
            parameters = {"before": before, **bulk.listed(interaction_ids)}
            self._connection.execute(_ended(self._dialect), parameters)

    def take_lease(self, name: str) -> None:
        take_lease(self._connection, name)

    def store(self, batch: Changes) -> None:
        writes = bulk.Writes(self._connection)
        writes.insert_missing(tables.content, batch.documents)
        _store_interactions(writes, batch)
        writes.delete(tables.waiting, [{"interaction_id": name} for name in batch.settled], by=("interaction_id",))
        writes.insert(tables.delivery, [(*position, outcome, source) for position, outcome, source in batch.deliveries])
        now = utc_of(utc_now())
        writes.insert_missing(tables.waiting, [(name, *position, now) for name, position in batch.waiting])
        writes.insert(tables.quarantine, _quarantine_rows(batch))
        writes.insert(
            tables.dirty_hour, [*((hour, None) for hour in sorted(batch.dirty_hours)), *marks_of(batch.dirty_calls)]
        )
        writes.insert(tables.dirty_usage_key, [(key,) for key in sorted(batch.dirty_usage_keys)])
        writes.insert_missing(tables.claim, [(*claim, now, now) for claim in batch.claims])
        writes.delete(tables.claim, [{"interaction_id": name, "document": key} for name, key in batch.met_claims])
        if self._dialect.words.is_marked_by_stores:
            writes.insert(tables.word_mark, [(name, None, now) for name in _touched(batch)])
        if self._marks_calls:
            writes.insert(tables.forward_mark, [(name, now) for name in marked_calls(batch)])
        _count(writes, batch)
        count_outcomes(writes, Counter((at.hub, at.partition, outcome) for at, outcome, _ in batch.deliveries))
        writes.run()
        if batch.actions:
            store_replay(self._connection, batch)


def _store_interactions(writes: bulk.Writes, batch: Changes) -> None:
    removed = [{"id": interaction_id, "revision": revision} for interaction_id, revision in batch.removed_interactions]
    writes.delete(tables.interaction, removed, guard="revision")
    before = [batch.before.get(row["id"]) for row in batch.changed_interactions]
    writes.update(tables.interaction, batch.changed_interactions, guard="revision", before=before)
    writes.update(tables.alias, [alias._asdict() for alias in batch.changed_aliases], guard="revision")
    writes.insert(tables.interaction, bulk.values_of(tables.interaction, batch.new_interactions))
    writes.insert(tables.alias, batch.new_aliases)


def _touched(batch: Changes) -> list[str]:
    """Return the interactions whose words may be others now."""
    return [
        *(row["id"] for row in batch.new_interactions),
        *(row["id"] for row in batch.changed_interactions),
        *(name for name, _ in batch.removed_interactions),
    ]


def _count(writes: bulk.Writes, batch: Changes) -> None:
    last = (batch.last_sequence, batch.last_enqueued_at)
    here = [(batch.hub, batch.partition)] if batch.received else []
    writes.insert_missing(tables.hub_partition, [(*key, 0, 0, *last) for key in here])
    counted = [(*key, batch.received, batch.redelivered, *last) for key in here]
    writes.combine(tables.hub_partition, counted, _COUNTED)


_LATER: Final = (
    "existing.last_enqueued_at < incoming.last_enqueued_at or (existing.last_enqueued_at = incoming.last_enqueued_at"
    " and existing.last_sequence < incoming.last_sequence)"
)
_COUNTED: Final = {
    "received": "existing.received + incoming.received",
    "redelivered": "existing.redelivered + incoming.redelivered",
    "last_sequence": f"case when {_LATER} then incoming.last_sequence else existing.last_sequence end",
    "last_enqueued_at": f"case when {_LATER} then incoming.last_enqueued_at else existing.last_enqueued_at end",
}


# Statements are built once: building one costs more than running it.


@cache
def _positions(dialect: Dialect) -> sa.Select[tuple[int, str]]:
    table = tables.delivery
    return sa.select(table.c.sequence, table.c.enqueued_at).where(
        table.c.hub == sa.bindparam("hub"),
        table.c.partition_id == sa.bindparam("partition"),
        table.c.sequence.in_(dialect.members(sa.BigInteger())),
    )


@cache
def _quarantined(dialect: Dialect) -> sa.Select[tuple[str]]:
    key = tables.quarantine.c.id
    return sa.select(key).where(key.in_(dialect.members(key.type)))


@cache
def _interactions(dialect: Dialect) -> sa.Select[tuple[object, ...]]:
    key = tables.interaction.c.id
    columns = (column for column in tables.interaction.c if column.computed is None)
    return sa.select(*columns).where(key.in_(dialect.members(key.type)))


@cache
def _aliases(dialect: Dialect) -> sa.Select[tuple[str, str, str, int]]:
    table = tables.alias
    columns = (table.c.name, table.c.interaction_id, table.c.claimed_at, table.c.revision)
    return sa.select(*columns).where(table.c.name.in_(dialect.members(table.c.name.type)))


def overdue_statement(before: str, limit: int) -> sa.Select[tuple[str]]:
    """Return the statement of `LedgerTransaction.overdue`."""
    table = tables.waiting.c
    newest = sa.func.max(_waits_since())
    bound = sa.literal(before, table.stored_at.type)
    ids = sa.select(table.interaction_id).group_by(table.interaction_id).having(newest < bound)
    return ids.order_by(table.interaction_id).limit(limit)


def _waits_since() -> sa.ColumnElement[str]:
    return sa.func.coalesce(tables.waiting.c.stored_at, tables.waiting.c.enqueued_at)


@cache
def _ended(dialect: Dialect) -> sa.Delete:
    key = tables.waiting.c.interaction_id
    before = sa.bindparam("before", type_=tables.waiting.c.stored_at.type)
    return sa.delete(tables.waiting).where(key.in_(dialect.members(key.type)), _waits_since() < before)


def _quarantine_rows(batch: Changes) -> list[tuple[object, ...]]:
    compressor = zstandard.ZstdCompressor()
    return [
        (event_id, *position, reason[:512], parser_version, len(body), compressor.compress(body), None)
        for event_id, position, reason, parser_version, body in batch.quarantined
    ]
