"""The ledger in SQL: the facts, the accounting and the marks, one transaction per batch."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

import sqlalchemy as sa
import zstandard
from sqlalchemy.engine import Connection, Engine

from shared.domain.delivery import Position
from shared.errors import ConflictError
from shared.stores.ports import Batch, LedgerTransaction, Row
from shared.stores.sql import bulk, tables
from shared.stores.sql.engine import writing

__all__ = ["SqlLedger"]


class SqlLedger:
    """`shared.stores.ports.Ledger` on either database."""

    def __init__(self, engine: Engine) -> None:
        """Use `engine`, whose database is migrated to the newest revision."""
        self._engine = engine

    @contextmanager
    def transaction(self) -> Iterator[LedgerTransaction]:
        """Open a transaction; see the port."""
        with writing(self._engine) as connection:
            yield _SqlTransaction(connection)


class _SqlTransaction:
    """`LedgerTransaction`: statements are constant in number, rows go in bulk."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._dialect = connection.dialect.name

    def known_positions(self, positions: Collection[Position]) -> set[Position]:
        if not positions:
            return set()
        table = tables.delivery
        hub, partition, _, _ = next(iter(positions))
        sequences = bulk.members(self._dialect, [position.sequence for position in positions], sa.BigInteger())
        query = sa.select(table.c.sequence, table.c.enqueued_at).where(
            table.c.hub == hub, table.c.partition_id == partition, table.c.sequence.in_(sequences)
        )
        return {Position(hub, partition, sequence, at) for sequence, at in self._connection.execute(query)}

    def known_quarantine(self, ids: Collection[str]) -> set[str]:
        if not ids:
            return set()
        key = tables.quarantine.c.id
        return set(self._connection.scalars(sa.select(key).where(key.in_(self._members(ids)))))

    def interactions(self, ids: Collection[str]) -> dict[str, Row]:
        if not ids:
            return {}
        table = tables.interaction
        rows = self._connection.execute(sa.select(table).where(table.c.id.in_(self._members(ids))))
        return {row["id"]: dict(row) for row in rows.mappings()}

    def store(self, batch: Batch) -> None:
        connection = self._connection
        bulk.insert(connection, tables.interaction, batch.new_interactions)
        written = bulk.update(connection, tables.interaction, batch.changed_interactions, guard="revision")
        if written != len(batch.changed_interactions):
            raise ConflictError("another transaction changed one of the batch's interactions first")
        self._settle(batch)
        bulk.insert(
            connection,
            tables.delivery,
            [_row(position) | {"outcome": outcome, "source": source} for position, outcome, source in batch.deliveries],
        )
        bulk.insert_missing(
            connection,
            tables.waiting,
            [_row(position) | {"interaction_id": interaction_id} for interaction_id, position in batch.waiting],
        )
        bulk.insert(connection, tables.quarantine, _quarantine_rows(batch))
        bulk.insert(connection, tables.dirty_hour, [{"hour": hour} for hour in sorted(batch.dirty_hours)])
        self._count(batch)

    def _settle(self, batch: Batch) -> None:
        if batch.settled:
            key = tables.waiting.c.interaction_id
            self._connection.execute(sa.delete(tables.waiting).where(key.in_(self._members(batch.settled))))

    def _count(self, batch: Batch) -> None:
        table = tables.hub_partition
        later = table.c.last_enqueued_at < batch.last_enqueued_at
        counted = self._connection.execute(
            sa.update(table)
            .where(table.c.hub == batch.hub, table.c.partition_id == batch.partition)
            .values(
                received=table.c.received + batch.received,
                redelivered=table.c.redelivered + batch.redelivered,
                last_sequence=sa.case((later, batch.last_sequence), else_=table.c.last_sequence),
                last_enqueued_at=sa.case(
                    (later, sa.literal(batch.last_enqueued_at, table.c.last_enqueued_at.type)),
                    else_=table.c.last_enqueued_at,
                ),
            )
        )
        if counted.rowcount == 0:
            first = {
                "hub": batch.hub,
                "partition_id": batch.partition,
                "received": batch.received,
                "redelivered": batch.redelivered,
                "last_sequence": batch.last_sequence,
                "last_enqueued_at": batch.last_enqueued_at,
            }
            bulk.insert(self._connection, table, [first])

    def _members(self, ids: Collection[str]) -> sa.Select[tuple[str]]:
        return bulk.members(self._dialect, ids, tables.interaction.c.id.type)


def _row(position: Position) -> Row:
    hub, partition, sequence, enqueued_at = position
    return {"hub": hub, "partition_id": partition, "sequence": sequence, "enqueued_at": enqueued_at}


def _quarantine_rows(batch: Batch) -> list[Row]:
    compressor = zstandard.ZstdCompressor()
    return [
        _row(position)
        | {
            "id": event_id,
            "reason": reason[:512],
            "parser_version": parser_version,
            "size": len(body),
            "body": compressor.compress(body),
        }
        for event_id, position, reason, parser_version, body in batch.quarantined
    ]
