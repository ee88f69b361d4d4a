"""Faults of a ledger's SQLite database, each of which lasts until it is mended."""

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

__all__ = ["ALL_ROWS", "changed", "differences", "locked", "pragma_of_every_connection", "rows_of", "table_gone"]

ALL_ROWS = ("interaction", "content", "delivery", "waiting", "quarantine")
"""The tables that say what is known."""
_OWN_TO_A_RUN = {
    "interaction": {"revision"},
    # Of two events that say the same, the one that came first is kept.
    "delivery": {"outcome"},
    # By our clock: when the wait began.
    "waiting": {"stored_at"},
    "quarantine": {"received_at", "hub", "partition_id", "sequence", "enqueued_at"},
}
"""Columns that tell of the way and not of what is known."""


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Keep every writer waiting."""
    with closing(sqlite3.connect(database, timeout=30, isolation_level=None)) as connection:
        connection.execute("begin immediate")
        yield
        connection.execute("rollback")


@contextmanager
def table_gone(database: Path, table: str) -> Iterator[None]:
    """Take a table away: whoever reads or writes it fails at once."""
    changed(database, f"alter table {table} rename to {table}_gone")
    try:
        yield
    finally:
        changed(database, f"alter table {table}_gone rename to {table}")


@contextmanager
def pragma_of_every_connection(pragma: str) -> Iterator[None]:
    """Let every connection that is opened meanwhile begin with a pragma."""

    def run(connection: Any, _record: object) -> None:
        connection.execute(f"pragma {pragma}")

    sa.event.listen(Engine, "connect", run)
    try:
        yield
    finally:
        sa.event.remove(Engine, "connect", run)


def changed(database: Path, statement: str) -> None:
    with closing(sqlite3.connect(database, timeout=60)) as connection, connection:
        connection.execute(statement)


def rows_of(database: Path, table: str) -> Counter[tuple[Any, ...]]:
    """Return what a table knows, whichever way it came to know it."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        names = [name for (name,) in connection.execute("select name from pragma_table_info(?)", (table,))]
        kept = ", ".join(name for name in names if name not in _OWN_TO_A_RUN.get(table, ()))
        return Counter(connection.execute(f"select {kept} from {table}"))


def differences(one: Path, other: Path) -> dict[str, int]:
    """Return how many rows of each table are in one of two ledgers only; tables that agree are left out."""
    found = {}
    for table in ALL_ROWS:
        these, those = rows_of(one, table), rows_of(other, table)
        found[table] = ((these - those) + (those - these)).total()
    return {table: count for table, count in found.items() if count}
