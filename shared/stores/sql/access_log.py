"""The access log in SQL: entries are added and read, never changed."""

from typing import Any, Final

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from shared.domain.access_log import AccessEntry
from shared.questions import ListKey
from shared.retry import QUICK_SECONDS, retried
from shared.stores.access_ports import AccessFilter
from shared.stores.sql import tables
from shared.stores.sql.conditions import is_equal
from shared.stores.sql.engine import reading
from shared.stores.sql.readings import SqlReadings

__all__ = ["SqlAccessLog", "accesses_statement"]

_TABLE: Final = tables.content_read.c
_EQUAL: Final = ("reader", "route", "purpose", "result", "request_id")


class SqlAccessLog:
    """`shared.stores.access_ports.AccessLogStore` on either database."""

    def __init__(self, engine: Engine) -> None:
        """Use `engine`, whose database is migrated to the newest revision."""
        self._engine = engine
        self._readings = SqlReadings(engine)

    def record_access(self, entry: AccessEntry) -> None:
        """Keep an entry; see the port."""
        self._readings.record(entry._asdict())

    def gather_readings(self) -> int:
        """Bring entries into the ledger that could not be kept there at once; return how many."""
        return self._readings.gather()

    def accesses(self, narrow: AccessFilter, *, after: ListKey | None, limit: int) -> list[dict[str, Any]]:
        """Return entries; see the port."""
        self._readings.gather(seconds=QUICK_SECONDS)
        statement = accesses_statement(narrow, after=after, limit=limit)

        def read() -> list[dict[str, Any]]:
            with reading(self._engine) as connection:
                return [{**row, "id": str(row["id"])} for row in connection.execute(statement).mappings()]

        return retried(read, seconds=QUICK_SECONDS)


def accesses_statement(narrow: AccessFilter, *, after: ListKey | None, limit: int) -> sa.Select[Any]:
    """Return the statement of `AccessLogStore.accesses`."""
    statement = sa.select(*_TABLE)
    if narrow.read_from is not None:
        statement = statement.where(_TABLE.read_at >= narrow.read_from)
    if narrow.read_before is not None:
        statement = statement.where(_TABLE.read_at < narrow.read_before)
    for name in _EQUAL:
        value = getattr(narrow, name)
        if value is not None:
            statement = statement.where(is_equal(_TABLE[name], value))
    if narrow.interaction is not None:
        # Quoted as in the column's JSON, an id is found in nothing else.
        quoted = orjson.dumps(narrow.interaction).decode()
        named = _TABLE.interactions.contains(quoted, autoescape=True)
        statement = statement.where(sa.or_(is_equal(_TABLE.subject, narrow.interaction), named))
    if after is not None:
        # The first condition says no more than the second, but an index can seek by it.
        behind = sa.or_(_TABLE.read_at < after.moment, _TABLE.id < int(after.id))
        statement = statement.where(_TABLE.read_at <= after.moment, behind)
    return statement.order_by(_TABLE.read_at.desc(), _TABLE.id.desc()).limit(limit)
