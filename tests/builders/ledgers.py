"""A ledger for tests: what is stored in it by ingest, and what it says afterwards."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from shared.domain.delivery import Delivery
from shared.services.audit import AuditService, PartitionBalance
from shared.services.claim_checks import ClaimCheck
from shared.services.ingest import IngestOutcome, ingest
from shared.stores.sql import tables
from shared.stores.sql.audit import SqlAuditStore
from shared.stores.sql.content import SqlContentStore
from shared.stores.sql.ledger import SqlLedger
from tests.builders import events

__all__ = ["Store"]


class Store:
    """A ledger on a migrated database, with its content, and who may ask."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.ledger = SqlLedger(engine)
        self.content = SqlContentStore(engine)
        self.audit = AuditService(store=SqlAuditStore(engine), content=self.content)
        self.claims: ClaimCheck | None = None
        self._next = 0

    def ingest(self, *bodies: bytes) -> IngestOutcome:
        """Ingest events as one batch, each at a position of its own."""
        batch = events.deliveries(*bodies, first=self._next)
        self._next += len(bodies)
        return self.deliver(batch)

    def deliver(self, batch: list[Delivery]) -> IngestOutcome:
        """Ingest events that have their positions as one batch."""
        return ingest(batch, ledger=self.ledger, content=self.content, claims=self.claims)

    def rows(self, table: sa.Table = tables.interaction) -> list[dict[str, Any]]:
        with self.engine.connect() as connection:
            return [dict(row) for row in connection.execute(sa.select(table)).mappings()]

    def row(self) -> dict[str, Any]:
        """Return the only interaction."""
        (row,) = self.rows()
        return row

    def balance(self) -> PartitionBalance:
        """Return the balance of the only partition."""
        (balance,) = self.audit.balance()
        return balance
