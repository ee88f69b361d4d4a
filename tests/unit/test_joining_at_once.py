"""Writers that tell one call at the same moment never leave it in two."""

import json
import threading
from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa

from shared.services.ingest import ingest
from shared.stores.sql import tables
from shared.stores.sql.content import SqlContentStore
from shared.stores.sql.engine import create_engine
from shared.stores.sql.ledger import SqlLedger
from tests.builders import events
from tests.builders.azure_monitor import a_request_response, an_envelope, in_parts
from tests.builders.databases import new_sqlite

CALLS = 12


def test_partitions_that_tell_the_same_calls_at_once_make_each_one_interaction(tmp_path: Path) -> None:
    engine = new_sqlite(tmp_path)
    engine.dispose()
    body = {"messages": [{"role": "user", "content": "Hi, and more than that"}]}

    def tell(partition: str, bodies: Callable[[int], bytes]) -> None:
        own = create_engine(str(engine.url))
        for number in range(CALLS):
            batch = events.deliveries(bodies(number), first=number, partition=partition)
            ingest(batch, ledger=SqlLedger(own), content=SqlContentStore(own))
        own.dispose()

    tellers: list[Callable[[int], bytes]] = [
        lambda number: in_parts(f"call-{number}", body, 2)[0],
        lambda number: in_parts(f"call-{number}", body, 2)[1],
        lambda number: events.a_response(f"call-{number}", headers={"apim-request-id": f"service-{number}"}),
        lambda number: an_envelope(a_request_response(f"service-{number}")),
    ]
    threads = [threading.Thread(target=tell, args=(str(partition), bodies)) for partition, bodies in enumerate(tellers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with engine.connect() as connection:
        rows = connection.execute(sa.select(tables.interaction)).mappings().all()
        waiting = connection.scalar(sa.select(sa.func.count()).select_from(tables.waiting))
    engine.dispose()
    assert {row["id"] for row in rows} == {f"call-{number}" for number in range(CALLS)}
    assert {row["state"] for row in rows} == {"complete"}
    assert {tuple(json.loads(row["sources"])) for row in rows} == {("azure-openai", "native")}
    assert {row["prompt_preview"] for row in rows} == {"Hi, and more than that"}
    assert waiting == 0
