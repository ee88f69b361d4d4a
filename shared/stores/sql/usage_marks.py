"""Marks on calls whose usage is out of date, as rows of `dirty_hour`."""

from collections.abc import Collection
from typing import Final

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shared.domain.values import hour_of
from shared.stores.sql import bulk, tables
from shared.stores.sql.dialects import dialect_of
from shared.stores.usage_ports import CallKey

__all__ = ["MARKS_AT_A_TIME", "calls_of", "marks_of", "spread_usage_keys"]

MARKS_AT_A_TIME: Final = 1_000
"""Each is one touched hour of one batch."""
_TIME: Final = len("2026-01-02T03:04:05.678Z")


def marks_of(calls: Collection[CallKey]) -> list[tuple[str, str]]:
    """Return the marks on calls, one for each hour: rows of `dirty_hour`."""
    by_hour: dict[str, list[str]] = {}
    for time, name in sorted(calls):
        by_hour.setdefault(hour_of(time), []).append(time + name)
    return [(hour, orjson.dumps(own).decode()) for hour, own in by_hour.items()]


def calls_of(text: str | None) -> list[CallKey] | None:
    """Return the calls that a mark names; None where it means all of its hour."""
    return None if text is None else [(one[:_TIME], one[_TIME:]) for one in orjson.loads(text)]


def spread_usage_keys(connection: Connection) -> None:
    """Turn marks on usage keys into marks on every interaction with such a key."""
    # Imported here: ingest writes marks, and needs no prices.
    from shared.stores.sql.usage_facts import calls_of_keys  # noqa: PLC0415

    dirty = tables.dirty_usage_key.c
    marks = connection.execute(sa.select(dirty.id, dirty.usage_key).order_by(dirty.id).limit(MARKS_AT_A_TIME)).all()
    if not marks:
        return
    dialect = dialect_of(connection)
    found = connection.execute(calls_of_keys(dialect), bulk.listed({mark.usage_key for mark in marks}))
    bulk.insert(connection, tables.dirty_hour, marks_of({(row[0], row[1]) for row in found}))
    read = dialect.members(sa.BigInteger())
    connection.execute(
        sa.delete(tables.dirty_usage_key).where(dirty.id.in_(read)), bulk.listed(mark.id for mark in marks)
    )
