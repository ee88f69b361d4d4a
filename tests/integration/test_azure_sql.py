"""The whole spine on the SQL Server that the environment names, against the same events on SQLite."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from shared.domain.delivery import Delivery
from shared.questions import InteractionFilter, UsageQuery
from shared.services.audit import AuditService
from shared.services.ingest import ingest
from shared.services.rollup import rebuild_usage_rollups
from shared.stores.sql import tables
from shared.stores.sql.audit import SqlAuditStore
from shared.stores.sql.content import SqlContentStore
from shared.stores.sql.ledger import SqlLedger
from shared.stores.sql.rollups import SqlUsageRollups
from tests.builders import events
from tests.builders.databases import empty_mssql, named_server, new_sqlite


@pytest.fixture
def server() -> Iterator[Engine]:
    engine = empty_mssql(named_server())
    yield engine
    engine.dispose()


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Engine]:
    engine = new_sqlite(tmp_path)
    yield engine
    engine.dispose()


def _history() -> list[list[Delivery]]:
    """Return batches with pairs apart, repeats, poison, other sources and texts of every plane."""
    texts = ["Grüße", "\N{GRINNING FACE}" * 300, "", "x" * 5000, "'; drop table interaction; --"]
    bodies: list[bytes] = []
    for number, text in enumerate(texts * 20):
        call = f"call-{number}"
        bodies += [events.a_request(call, body={"messages": [{"role": "user", "content": text}]})]
        bodies += [events.a_response(call)] if number % 7 else []
    bodies += [events.an_enterprise_request(), events.a_usage_record(), events.poison(), events.a_metric()]
    late = [events.a_response(f"call-{number}") for number in range(0, 100, 7)]
    batches = [events.deliveries(*bodies), events.deliveries(*late, first=1000), events.deliveries(*bodies[:20])]
    return [*batches, events.deliveries(events.an_enterprise_response(), partition="1")]


def _told(engine: Engine) -> dict[str, Any]:
    ledger, content = SqlLedger(engine), SqlContentStore(engine)
    outcomes = [ingest(batch, ledger=ledger, content=content) for batch in _history()]
    rebuild_usage_rollups(SqlUsageRollups(engine))
    audit = AuditService(store=SqlAuditStore(engine), content=content)
    query = UsageQuery(dimensions=("caller_ip", "model"))
    with engine.connect() as connection:
        rows = {
            table.name: sorted((tuple(row) for row in connection.execute(sa.select(table))), key=repr)
            for table in (tables.interaction, tables.content, tables.usage_hour, tables.usage_day, tables.usage_month)
        }
    return {
        "outcomes": outcomes,
        "balance": audit.balance(),
        "usage": audit.usage(query, after=None, limit=100),
        "interactions": audit.interactions(InteractionFilter(), after=None, limit=1000, reader=None),
        **rows,
    }


def test_azure_sql_tells_the_same_of_the_same_events_as_sqlite(server: Engine, file: Engine) -> None:
    ours, theirs = _told(server), _told(file)

    for name, told in theirs.items():
        assert ours[name] == told, name


def test_sqlite_tells_something_of_them(file: Engine) -> None:
    told = _told(file)

    assert len(told["interaction"]) == 102
    assert sum(item.received for item in told["balance"]) == sum(len(batch) for batch in _history())
