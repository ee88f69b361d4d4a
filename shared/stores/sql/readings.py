"""The record of who read content: kept before anything is given out, and never behind another writer.

SQLite has one writer at a time, and a batch or a timer may be it for a second. A reading that cannot be written at
once is written into a file of its own beside the ledger, as durable; the next reading that finds the ledger free, or a
timer, brings it over.
"""

import logging
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection, Engine

from shared.errors import StoreUnavailableError
from shared.retry import QUICK_SECONDS, RETRY_SECONDS, retried
from shared.stores.ports import Row
from shared.stores.sql import tables
from shared.stores.sql.dialects import dialect_of
from shared.stores.sql.engine import create_engine, reading, writing

__all__ = ["SqlReadings"]

logger = logging.getLogger(__name__)

_AT_A_TIME: Final = 500
_PATIENCE: Final = 2
"""Seconds: other readings take some milliseconds."""


class SqlReadings:
    """Who read content, when, by which route."""

    def __init__(self, engine: Engine) -> None:
        """Keep them in the ledger of `engine`; what else is opened for that, closes with it."""
        self._engine = engine
        self._lock = threading.Lock()
        self._place = dialect_of(engine).aside(engine.url)
        self._engines: dict[str, Engine] = {}

    def record(self, values: Row) -> None:
        """Keep a reading, given as its columns; durable on return.

        Raises:
            StoreUnavailableError: it is not kept: nothing may be given out.
        """
        # Should the connection break while committing, the reading stands twice: never not at all.
        retried(lambda: self._record(values), seconds=QUICK_SECONDS)

    def gather(self, *, seconds: float = RETRY_SECONDS) -> int:
        """Bring over what was written beside the ledger, trying for so long; return how many readings that were.

        Raises:
            StoreUnavailableError: they stay where they are.
        """
        number = brought = retried(self._bring, seconds=seconds)
        while brought == _AT_A_TIME:
            brought = retried(self._bring, seconds=seconds)
            number += brought
        if number:
            logger.info("readings.gather number=%d", number)
        return number

    def _record(self, values: Row) -> None:
        if self._place is None:
            _keep(self._engine, [values])
            return
        try:
            _keep(self._engine_of(self._engine.url, busy_seconds=0), [values])
        except StoreUnavailableError:
            _keep(self._aside(self._place), [values])

    def _bring(self) -> int:
        if self._place is None or not Path(self._place.database or "").exists():
            return 0
        aside, table = self._aside(self._place), tables.content_read.c
        with reading(aside) as connection:
            rows = connection.execute(sa.select(tables.content_read).order_by(table.id).limit(_AT_A_TIME)).mappings()
            found = [dict(row) for row in rows]
        if found:
            _keep(self._engine, [{name: row[name] for name in row if name != "id"} for row in found])
            with writing(aside) as connection:
                connection.execute(sa.delete(tables.content_read).where(table.id <= found[-1]["id"]))
        return len(found)

    def _aside(self, place: URL) -> Engine:
        return self._engine_of(place, makes_table=True)

    def _engine_of(self, url: URL, *, busy_seconds: int = _PATIENCE, makes_table: bool = False) -> Engine:
        name = url.render_as_string(hide_password=False)
        with self._lock:
            if name not in self._engines:
                engine = create_engine(name, busy_seconds=busy_seconds)
                if makes_table:
                    with writing(engine) as connection:
                        _make(connection)
                self._engines[name] = engine
                sa.event.listen(self._engine, "engine_disposed", lambda _: engine.dispose())
            return self._engines[name]


def _make(connection: Connection) -> None:
    """Make the table, or add the columns that came since it was made."""
    table = tables.content_read
    table.create(connection, checkfirst=True)
    there = {column["name"] for column in sa.inspect(connection).get_columns(table.name)}
    for column in table.columns:
        if column.name not in there:
            added = sa.schema.CreateColumn(column).compile(dialect=connection.dialect)
            connection.exec_driver_sql(f"alter table {table.name} add column {added}")


def _keep(engine: Engine, rows: Sequence[Row]) -> None:
    with writing(engine) as connection:
        connection.execute(sa.insert(tables.content_read).inline(), list(rows))
