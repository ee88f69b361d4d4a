"""How far roles extend, in SQL."""

from collections.abc import Collection
from functools import partial
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from shared.domain.reach import ReachEntry
from shared.questions import ListKey
from shared.retry import QUICK_SECONDS, retried
from shared.stores.sql import bulk, tables
from shared.stores.sql.dialects import dialect_of
from shared.stores.sql.engine import reading, writing

__all__ = ["SqlReaches"]

_TABLE: Final = tables.reach.c
_MOST: Final = 1_000
"""Entries of one caller that count. Whoever has more sees less, not more."""


class SqlReaches:
    """`shared.stores.access_ports.ReachStore` on either database."""

    _engine: Engine

    def reach_entries(self, holders: Collection[str], *, any_group: bool) -> list[ReachEntry]:
        """Return entries by holder; see the port."""

        def read() -> list[ReachEntry]:
            with reading(self._engine) as connection:
                ids = dialect_of(connection).members(_TABLE.holder.type)
                groups = (_TABLE.is_group == sa.true(),) if any_group else ()
                found = sa.or_(_TABLE.holder.in_(ids), *groups)
                # The caller's own come first: that a group limits the role needs only one of its entries.
                statement = sa.select(*_TABLE).where(found).order_by(_TABLE.is_group, _TABLE.id).limit(_MOST)
                return [ReachEntry(*row) for row in connection.execute(statement, bulk.listed(holders))]

        return retried(read, seconds=QUICK_SECONDS)

    def reach_entry(self, entry_id: str) -> ReachEntry | None:
        """Return one entry; see the port."""
        rows = self._entries(sa.select(*_TABLE).where(_TABLE.id == entry_id))
        return rows[0] if rows else None

    def list_reaches(self, *, after: ListKey | None, limit: int) -> list[ReachEntry]:
        """Return entries, newest first; see the port."""
        statement = sa.select(*_TABLE)
        if after is not None:
            behind = sa.or_(_TABLE.added_at < after.moment, _TABLE.id < after.id)
            statement = statement.where(_TABLE.added_at <= after.moment, behind)
        return self._entries(statement.order_by(_TABLE.added_at.desc(), _TABLE.id.desc()).limit(limit))

    def add_reach(self, entry: ReachEntry) -> None:
        """Keep an entry; see the port."""
        self._write(sa.insert(tables.reach).inline().values(**entry._asdict()))

    def end_reach(self, entry_id: str, *, at: str, actor: str) -> None:
        """End an entry; see the port."""
        # One that would have begun later never does.
        until = sa.case((_TABLE.valid_to < at, _TABLE.valid_to), else_=sa.literal(at, _TABLE.valid_to.type))
        self._write(
            sa.update(tables.reach)
            .where(_TABLE.id == entry_id, _TABLE.ended_at.is_(None))
            .values(valid_to=until, ended_by=actor, ended_at=at)
        )

    def _entries(self, statement: sa.Select[Any]) -> list[ReachEntry]:
        def read() -> list[ReachEntry]:
            with reading(self._engine) as connection:
                return [ReachEntry(*row) for row in connection.execute(statement)]

        return retried(read, seconds=QUICK_SECONDS)

    def _write(self, statement: sa.Insert | sa.Update) -> None:
        retried(partial(self._written, statement), seconds=QUICK_SECONDS)

    def _written(self, statement: sa.Insert | sa.Update) -> None:
        with writing(self._engine) as connection:
            connection.execute(statement)
