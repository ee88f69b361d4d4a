"""Giving up, trying again and ingest at the same time, on one ledger: nothing is lost, nothing counts twice."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from shared.services.audit import AuditService
from shared.services.ingest import ingest
from shared.services.quarantine import QuarantineService
from shared.services.upkeep import expire_pending_fragments
from shared.stores.sql import tables
from shared.stores.sql.audit import SqlAuditStore
from shared.stores.sql.content import SqlContentStore
from shared.stores.sql.ledger import SqlLedger
from shared.stores.sql.quarantine import SqlQuarantine
from tests.builders import events
from tests.builders.databases import new_sqlite

CALLS = 60


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = new_sqlite(tmp_path)
    yield engine
    engine.dispose()


def at_once(*jobs: Callable[[], None]) -> None:
    failures: list[BaseException] = []

    def run(job: Callable[[], None]) -> None:
        try:
            job()
        except Exception as error:  # noqa: BLE001  # a thread's failure is the test's
            failures.append(error)

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


@pytest.mark.slow
def test_upkeep_beside_ingest_and_beside_itself_ends_as_if_there_had_been_none(engine: Engine) -> None:
    ledger, content, audit = SqlLedger(engine), SqlContentStore(engine), SqlAuditStore(engine)
    quarantine = QuarantineService(store=SqlQuarantine(engine), audit=audit, ledger=ledger, content=content)
    later = datetime.now(UTC) + timedelta(days=1)

    def receive(build: Callable[[str], bytes], partition: str) -> None:
        for number in range(CALLS):
            bodies = (build(f"call-{number}"), events.poison() + f"{partition} {number}".encode())
            ingest(events.deliveries(*bodies, first=2 * number, partition=partition), ledger=ledger, content=content)

    def give_up() -> None:
        for _ in range(30):
            expire_pending_fragments(ledger=ledger, content=content, wait=timedelta(), now=lambda: later)

    def try_again() -> None:
        for _ in range(10):
            quarantine.replay_between("2026-03-02", None, after=None, limit=100, actor="ada")

    at_once(
        lambda: receive(events.a_request, "0"),
        lambda: receive(events.a_response, "1"),
        give_up,
        give_up,
        try_again,
        try_again,
    )

    with engine.connect() as connection:
        states = set(connection.scalars(sa.select(tables.interaction.c.state)))
        waiting = connection.execute(sa.select(tables.waiting)).all()
        kept = connection.scalar(sa.select(sa.func.count()).select_from(tables.quarantine))
    balance = AuditService(store=audit, content=content).balance()
    assert (states, waiting, kept) == ({"complete"}, [], 2 * CALLS)
    assert [(one.received, one.stored, one.quarantined) for one in balance] == [(2 * CALLS, CALLS, CALLS)] * 2
