"""The embedded content store: one compressed document per fragment, beside the facts."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from shared.retry import RETRY_SECONDS, retried
from shared.stores.ports import ContentDocument
from shared.stores.sql import bulk, tables
from shared.stores.sql.dialects import dialect_of
from shared.stores.sql.engine import reading, writing
from shared.stores.sql.packing import packed, unpacked

__all__ = ["SqlContentStore"]


class SqlContentStore:
    """`shared.stores.ports.ContentStore` on either database."""

    def __init__(self, engine: Engine, *, retry_seconds: float = RETRY_SECONDS) -> None:
        """Use `engine`, whose database is migrated to the newest revision, and try again for so long."""
        self.engine = engine
        """Of the database; the ledger asks whether it is its own."""
        self._retry_seconds = retry_seconds

    def put(self, documents: Sequence[ContentDocument]) -> None:
        """Keep documents; see the port."""
        if not documents:
            return
        rows = packed(documents)
        self._write(lambda connection: bulk.insert_missing(connection, tables.content, rows))

    def drop(self, documents: Sequence[tuple[str, str]]) -> None:
        """Forget documents; see the port."""
        if not documents:
            return
        rows = [{"interaction_id": interaction_id, "document": document} for interaction_id, document in documents]
        self._write(lambda connection: bulk.delete(connection, tables.content, rows))

    def check(self) -> None:
        """Return if the database answers; see the port."""
        with reading(self.engine) as connection:
            connection.execute(sa.select(tables.content.c.document).limit(1))

    def get(self, interaction_ids: Collection[str]) -> Mapping[str, Sequence[ContentDocument]]:
        """Return each interaction's documents; see the port."""
        if not interaction_ids:
            return {}
        return retried(lambda: self._found(interaction_ids), seconds=self._retry_seconds)

    def _write(self, work: Callable[[Connection], object]) -> None:
        def transaction() -> None:
            with writing(self.engine, single=True) as connection:
                work(connection)

        retried(transaction, seconds=self._retry_seconds)

    def _found(self, interaction_ids: Collection[str]) -> dict[str, list[ContentDocument]]:
        found: defaultdict[str, list[ContentDocument]] = defaultdict(list)
        table = tables.content
        with reading(self.engine) as connection:
            ids = dialect_of(connection).members(table.c.interaction_id.type)
            query = sa.select(table).where(table.c.interaction_id.in_(ids))
            ordered = query.order_by(table.c.interaction_id, table.c.document)
            for interaction_id, document, body in connection.execute(ordered, bulk.listed(interaction_ids)):
                found[interaction_id].append(ContentDocument(interaction_id, document, unpacked(body)))
        return found
