"""Claims that were not met, in SQL."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from shared.stores.ports import Row, WaitingClaim
from shared.stores.sql import bulk, tables
from shared.stores.sql.engine import reading, writing

__all__ = ["SqlClaimQueue"]


class SqlClaimQueue:
    """`shared.stores.ports.ClaimQueue` on either database."""

    def __init__(self, engine: Engine) -> None:
        """Use `engine`, whose database is migrated to the newest revision."""
        self._engine = engine

    def due(self, moment: str, limit: int) -> list[WaitingClaim]:
        """Return claims that are to be tried; see the port."""
        table = tables.claim.c
        columns = (table.interaction_id, table.document, table.noted_at)
        order = (table.due_at, table.interaction_id, table.document)
        query = sa.select(*columns).where(table.due_at <= moment).order_by(*order).limit(limit)
        with reading(self._engine) as connection:
            return [WaitingClaim(*row) for row in connection.execute(query)]

    def postpone(self, claims: Sequence[tuple[WaitingClaim, str]]) -> None:
        """Let claims be due later; see the port."""
        if claims:
            # One that ingest met meanwhile comes back by this; the next try finds that it is met.
            with writing(self._engine) as connection:
                writes = bulk.Writes(connection)
                writes.delete(tables.claim, [_key(claim) for claim, _ in claims])
                writes.insert_missing(tables.claim, [(*claim, due_at) for claim, due_at in claims])
                writes.run()

    def forget(self, claims: Sequence[WaitingClaim]) -> None:
        """Take claims out; see the port."""
        if claims:
            with writing(self._engine) as connection:
                bulk.delete(connection, tables.claim, [_key(claim) for claim in claims])


def _key(claim: WaitingClaim) -> Row:
    return {"interaction_id": claim.interaction_id, "document": claim.document}
