"""Restated periods in SQL: kept with what they came to before and after."""

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from shared.errors import NotFoundError
from shared.pricing.entries import Restatement
from shared.pricing.files import digest_of
from shared.retry import RETRY_SECONDS, retried
from shared.stores.price_ports import Restated, RestatedAmount
from shared.stores.sql import bulk, tables
from shared.stores.sql.books import BOOK_LEASE, book_version
from shared.stores.sql.capacity import mark_period
from shared.stores.sql.conditions import is_within
from shared.stores.sql.dialects import Values, dialect_of
from shared.stores.sql.engine import reading, writing
from shared.stores.sql.lease import take_lease
from shared.stores.sql.marks import mark_hours

__all__ = ["SqlRestatements"]

_ORIGIN: Final = "restatement"
_BEFORE, _AFTER = "before", "after"


class SqlRestatements:
    """`shared.stores.price_ports.RestatementStore` on either database."""

    def __init__(self, engine: Engine, *, retry_seconds: float = RETRY_SECONDS) -> None:
        """Use `engine`, whose database is migrated to the newest revision; try again for `retry_seconds`."""
        self._engine = engine
        self._seconds = retry_seconds

    def add(self, period: Restatement, *, reason: str, at: str, actor: str) -> int:
        """Keep a restatement and mark its hours; see the port."""
        return retried(lambda: self._add(period, reason, at, actor), seconds=self._seconds)

    def restatements(self, *, before: int | None, limit: int) -> list[Restated]:
        """List restatements; see the port."""

        def read() -> list[Restated]:
            with reading(self._engine) as connection:
                return _restated(connection, before, limit)

        return retried(read, seconds=self._seconds)

    def finish(self, *, at: str) -> int:
        """Keep what finished periods come to; see the port."""
        return retried(lambda: self._finish(at), seconds=self._seconds)

    def _add(self, period: Restatement, reason: str, at: str, actor: str) -> int:
        with writing(self._engine) as connection:
            take_lease(connection, BOOK_LEASE)
            newest = book_version(connection)
            if period.price_version is not None and not 1 <= period.price_version <= newest:
                raise NotFoundError("the price book has no such version")
            version = newest + 1
            digest = digest_of(repr((period, reason, version)))
            writes = bulk.Writes(connection)
            writes.insert(tables.price_book, [(version, at, _ORIGIN, digest, actor)])
            writes.insert(tables.restatement, [(version, *period, reason, None)])
            writes.insert(tables.restated_amount, _sums(connection, version, _BEFORE, period))
            writes.run()
            mark_hours(connection, period.starts_from, end=period.starts_before)
            mark_period(connection, period.starts_from, period.starts_before)
            return version

    def _finish(self, at: str) -> int:
        with writing(self._engine) as connection:
            c = tables.restatement.c
            query = sa.select(c.version, c.starts_from, c.starts_before).where(c.finished_at.is_(None))
            finished = 0
            for version, start, end in connection.execute(query).all():
                period = Restatement(start, end, None)
                if not _is_marked(connection, period):
                    bulk.insert(connection, tables.restated_amount, _sums(connection, version, _AFTER, period))
                    done = sa.update(tables.restatement).where(c.version == version).values(finished_at=at)
                    connection.execute(done)
                    finished += 1
            return finished


def _is_marked(connection: Connection, period: Restatement) -> bool:
    hours = tables.dirty_hour.c.hour
    within = is_within(hours, period.starts_from, period.starts_before)
    return connection.scalar(sa.select(sa.func.count()).where(within)) != 0


def _sums(connection: Connection, version: int, stage: str, period: Restatement) -> list[Values]:
    """Return rows of `restated_amount`: what the hours of a period come to now."""
    # The smallest cut: all of them tell currencies apart.
    sums, groups = tables.usage_of_hour.c, tables.usage_group.c
    amount = sa.case((sa.func.sum(sums.known_amounts) > 0, sa.func.sum(sums.amount)))
    query = (
        sa.select(groups.currency, amount, sa.func.sum(sums.requests), sa.func.sum(sums.unpriced_requests))
        .where(sums.cut == 1, is_within(sums.interval_start, period.starts_from, period.starts_before))
        .where(groups.id == sums.group_id)
        .group_by(groups.currency)
    )
    amount_of = dialect_of(connection).amount
    return [
        (version, stage, currency, None if amount is None else amount_of(amount), requests or 0, unpriced or 0)
        for currency, amount, requests, unpriced in connection.execute(query)
    ]


def _restated(connection: Connection, before: int | None, limit: int) -> list[Restated]:
    c, book = tables.restatement.c, tables.price_book.c
    columns = (book.loaded_at, book.actor, c.starts_from, c.starts_before, c.price_version, c.reason, c.finished_at)
    query = sa.select(c.version, *columns).join_from(tables.restatement, tables.price_book, book.version == c.version)
    statement = query.order_by(c.version.desc()).limit(limit)
    rows = connection.execute(statement if before is None else statement.where(c.version < before)).all()
    amounts = _amounts(connection, [row.version for row in rows])
    return [
        Restated(
            row.version,
            row.loaded_at,
            row.actor,
            Restatement(row.starts_from, row.starts_before, row.price_version),
            row.reason,
            row.finished_at,
            amounts.get((row.version, _BEFORE), ()),
            amounts.get((row.version, _AFTER), ()),
        )
        for row in rows
    ]


def _amounts(connection: Connection, versions: Sequence[int]) -> dict[tuple[int, str], list[RestatedAmount]]:
    c = tables.restated_amount.c
    members = dialect_of(connection).members(c.version.type)
    query = sa.select(tables.restated_amount).where(c.version.in_(members)).order_by(c.version, c.stage, c.currency)
    found: dict[tuple[int, str], list[Any]] = {}
    for row in connection.execute(query, bulk.listed(versions)):
        amount = RestatedAmount(row.currency or None, row.amount, row.requests, row.unpriced_requests)
        found.setdefault((row.version, row.stage), []).append(amount)
    return found
