"""Marks of calls that are to be told on, in SQL: written with the facts, by `ledger`."""

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from shared.domain.forwarding import ForwardMark
from shared.domain.interaction import State
from shared.retry import retried
from shared.stores.ports import Changes
from shared.stores.sql import bulk, tables
from shared.stores.sql.dialects import dialect_of
from shared.stores.sql.engine import reading, writing

__all__ = ["SqlForwarding", "marked_calls"]

_MARK: Final = tables.forward_mark.c
_CALL: Final = tables.interaction.c
_OPEN: Final = frozenset({State.PENDING.value, State.INCOMPLETE.value})


class SqlForwarding:
    """`shared.stores.forward_ports.ForwardStore` on either database."""

    def __init__(self, engine: Engine) -> None:
        """Use `engine`, whose database is migrated to the newest revision."""
        self._engine = engine

    def forward_marks(self, limit: int) -> list[ForwardMark]:
        """Return the oldest marks; see the port."""
        statement = sa.select(_MARK.id, _MARK.interaction_id, _MARK.marked_at).order_by(_MARK.id).limit(limit)

        def read() -> list[ForwardMark]:
            with reading(self._engine) as connection:
                return [ForwardMark(*row) for row in connection.execute(statement)]

        return retried(read)

    def forwarded_rows(self, interaction_ids: Sequence[str]) -> list[dict[str, Any]]:
        """Return rows; see the port."""

        def read() -> list[dict[str, Any]]:
            with reading(self._engine) as connection:
                ids = dialect_of(connection).members(_CALL.id.type)
                columns = [column for column in _CALL if column.computed is None]
                found = connection.execute(sa.select(*columns).where(_CALL.id.in_(ids)), bulk.listed(interaction_ids))
                return [dict(row) for row in found.mappings()]

        return retried(read)

    def forget_marks(self, marks: Sequence[ForwardMark]) -> None:
        """Take marks out; see the port."""

        def transaction() -> None:
            with writing(self._engine) as connection:
                bulk.delete(connection, tables.forward_mark, [{"id": mark.id} for mark in marks])

        retried(transaction)


def marked_calls(batch: Changes) -> list[str]:
    """Return the interactions that a batch completes, or gives up: each at most twice in its life."""
    return [
        row["id"]
        for row in (*batch.new_interactions, *batch.changed_interactions)
        if row["state"] != State.PENDING.value and _was_open(batch.before.get(row["id"]), row["state"])
    ]


def _was_open(before: dict[str, Any] | None, state: str) -> bool:
    return before is None or (before["state"] in _OPEN and before["state"] != state)
