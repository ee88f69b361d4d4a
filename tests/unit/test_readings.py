"""The record of who read content: kept at once, whoever else writes, and brought together later."""

import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from shared.domain.access_log import Reader, entry_of
from shared.errors import StoreUnavailableError
from shared.stores.access_ports import AccessFilter
from shared.stores.sql import tables
from shared.stores.sql.audit import SqlAuditStore
from shared.stores.sql.engine import create_engine, writing
from tests.builders.databases import new_sqlite

_AT = "2026-03-02T09:30:00.000Z"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = new_sqlite(tmp_path)
    yield engine
    engine.dispose()


def reads(store: SqlAuditStore, subject: str) -> None:
    store.record_access(entry_of(Reader("ada", "/content"), subject, at=_AT))


def kept(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.scalars(sa.select(tables.content_read.c.subject).order_by(tables.content_read.c.id)))


def test_a_reading_is_kept_in_the_ledger_where_nobody_writes(engine: Engine, tmp_path: Path) -> None:
    reads(SqlAuditStore(engine), "call-1")

    assert kept(engine) == ["call-1"]
    assert not list(tmp_path.glob("*-reads"))


def test_a_reading_does_not_wait_for_another_writer_and_is_not_lost(engine: Engine) -> None:
    store = SqlAuditStore(engine)
    with writing(engine):
        for number in range(3):
            reads(store, f"call-{number}")
        # The lock is still held.
        assert kept(engine) == []
    # Another process, such as a timer's.
    other = create_engine(str(engine.url))
    assert SqlAuditStore(other).gather_readings() == 3
    assert SqlAuditStore(other).gather_readings() == 0
    other.dispose()
    assert kept(engine) == ["call-0", "call-1", "call-2"]


def test_a_reading_that_cannot_be_kept_anywhere_is_refused(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "ledger.db-reads").mkdir()

    with writing(engine), pytest.raises(StoreUnavailableError):
        reads(SqlAuditStore(engine), "call-1")

    assert kept(engine) == []


@pytest.mark.slow
def test_readers_and_a_writer_that_never_rests_lose_no_reading(engine: Engine) -> None:
    store = SqlAuditStore(engine)
    over = threading.Event()

    def write() -> None:
        while not over.is_set():
            with writing(engine):
                time.sleep(0.02)

    writer = threading.Thread(target=write)
    writer.start()
    readers = [
        threading.Thread(target=lambda own=own: [*map(partial(reads, store), (f"{own}-{n}" for n in range(20)))])
        for own in range(4)
    ]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    over.set()
    writer.join()
    store.gather_readings()

    assert sorted(kept(engine)) == sorted(f"{own}-{number}" for own in range(4) for number in range(20))


def test_the_access_log_shows_what_was_written_beside_the_ledger(engine: Engine) -> None:
    store = SqlAuditStore(engine)
    with writing(engine):
        reads(store, "call-1")

    found = store.accesses(AccessFilter(), after=None, limit=10)

    assert [row["subject"] for row in found] == ["call-1"]


def test_a_file_beside_the_ledger_of_a_release_before_takes_entries_of_this_one(engine: Engine) -> None:
    before = sa.create_engine(f"{engine.url}-reads")
    with before.begin() as connection:
        connection.exec_driver_sql("create table content_read (id integer primary key, read_at text, reader text,"
                                   " route text, subject text)")  # fmt: skip
        connection.exec_driver_sql(f"insert into content_read values (1, '{_AT}', 'ada', '/content', 'old')")
    before.dispose()
    store = SqlAuditStore(engine)

    with writing(engine):
        reads(store, "new")
    store.gather_readings()

    assert kept(engine) == ["old", "new"]
