"""What the gateway sent -> what the record says of it: the events, through the app's own parsers and ledger."""

import json
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from shared.domain.fragment import Content, Fragment
from shared.services.audit import AuditService, Reader
from shared.services.ingest import IngestOutcome, ingest
from shared.sources import read_event
from shared.stores.sql import tables
from shared.stores.sql.audit import SqlAuditStore
from shared.stores.sql.content import SqlContentStore
from shared.stores.sql.ledger import SqlLedger
from tests.builders import events
from tests.builders.databases import new_sqlite
from tests.gateway.calls import ID
from tests.gateway.policies import Call

__all__ = ["Recorded", "fragments", "parts", "recorded"]


class Recorded:
    """The one interaction that a call became."""

    def __init__(self, outcome: IngestOutcome, row: dict[str, Any], content: Content) -> None:
        self.outcome, self.row, self.content = outcome, row, content


def parts(call: Call) -> list[dict[str, Any]]:
    """Return the events as JSON, strictly read."""
    return [json.loads(event) for _, _, event in call.events]


def fragments(call: Call) -> list[Fragment]:
    return [read_event(event, events.ENQUEUED).fragments[0] for _, _, event in call.events]


def recorded(call: Call, folder: Path) -> Recorded:
    """Return what the ledger and the content store hold after all events of the call, last first."""
    engine = new_sqlite(folder)
    try:
        content = SqlContentStore(engine)
        batch = events.deliveries(*(event for _, _, event in reversed(call.events)))
        outcome = ingest(batch, ledger=SqlLedger(engine), content=content)
        with engine.connect() as connection:
            (row,) = [dict(one) for one in connection.execute(sa.select(tables.interaction)).mappings()]
        audit = AuditService(store=SqlAuditStore(engine), content=content)
        return Recorded(outcome, row, audit.content_of(ID, reader=Reader("auditor", "test")))
    finally:
        engine.dispose()
