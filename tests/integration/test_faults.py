"""Each fault alone: the error says what is wrong, the batch is repeated, and nothing is lost or counted twice."""

import logging
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Final

import pytest

from localhost.environment import load_settings
from localhost.event_file import FileEvent
from localhost.functions import AppFunctions, app_functions
from localhost.replay import Feeder
from localhost.traffic.mix import DEFAULT_START, an_hour
from shared import bootstrap
from shared.bootstrap import Services
from shared.stores.sql import engine as engines
from tests.builders.databases import new_sqlite
from tests.builders.faults import differences, locked, pragma_of_every_connection, rows_of, table_gone

COUNT: Final = 600
EVENTS: Final = list(an_hour(COUNT, 11, DEFAULT_START))


@pytest.fixture
def functions(monkeypatch: pytest.MonkeyPatch) -> AppFunctions:
    values: dict[str, str] = {}
    load_settings(values)
    for name, value in values.items():
        if name != "PROMPTLEDGER_DATABASE":
            monkeypatch.setenv(name, value)
    return app_functions()


@pytest.fixture
def database(ledger: Services, tmp_path: Path) -> Path:  # noqa: ARG001  # the services on that database
    return tmp_path / "ledger.db"


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rows of a run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("truth")
    new_sqlite(folder).dispose()
    with pytest.MonkeyPatch.context() as patch:
        values: dict[str, str] = {}
        load_settings(values)
        for name, value in {**values, "PROMPTLEDGER_DATABASE": f"sqlite:///{folder / 'ledger.db'}"}.items():
            patch.setenv(name, value)
        bootstrap.reset()
        Feeder(app_functions(), batch_size=100).feed(EVENTS)
        bootstrap.reset()
    return folder / "ledger.db"


def feed_through(
    fault: AbstractContextManager[object],
    functions: AppFunctions,
    caplog: pytest.LogCaptureFixture,
    events: list[FileEvent] = EVENTS,
    tries: int = 2,
) -> str:
    """Feed events while there is a fault that is mended before the third try; return what the host logged."""
    caplog.set_level(logging.WARNING)
    waited: list[float] = []
    with ExitStack() as faults:
        faults.enter_context(fault)

        def sleep(seconds: float) -> None:
            waited.append(seconds)
            if len(waited) == tries:
                faults.close()
                bootstrap.services().close()  # the connections that the fault left its mark on

        Feeder(functions, batch_size=100, sleep=sleep).feed(events)
    assert waited == [2 * 2**retry for retry in range(tries)]
    return caplog.text


def test_a_ledger_that_is_gone_for_seconds(
    functions: AppFunctions, database: Path, truth: Path, caplog: pytest.LogCaptureFixture
) -> None:
    said = feed_through(table_gone(database, "hub_partition"), functions, caplog)

    assert "it does not understand the statement: run the migrations (SQLITE_ERROR)" in said
    assert differences(database, truth) == {}


def test_a_content_store_that_fails(
    functions: AppFunctions, database: Path, truth: Path, caplog: pytest.LogCaptureFixture
) -> None:
    said = feed_through(table_gone(database, "content"), functions, caplog)

    assert "StoreRefusedError" in said
    assert differences(database, truth) == {}


def test_a_database_that_is_locked_longer_than_anybody_waits(
    functions: AppFunctions,
    database: Path,
    truth: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(engines, "_BUSY_SECONDS", 0.1)
    bootstrap.reset()

    said = feed_through(locked(database), functions, caplog)

    assert "another writer held the lock for too long (SQLITE_BUSY)" in said
    assert differences(database, truth) == {}


def test_a_database_that_is_read_only(
    functions: AppFunctions, database: Path, truth: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bootstrap.reset()

    said = feed_through(pragma_of_every_connection("query_only = 1"), functions, caplog)

    assert "it is read-only (SQLITE_READONLY)" in said
    assert differences(database, truth) == {}


def test_a_database_that_is_full(
    functions: AppFunctions, database: Path, truth: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bootstrap.reset()

    said = feed_through(pragma_of_every_connection("max_page_count = 60"), functions, caplog)

    assert "the disk has no room left (SQLITE_FULL)" in said
    assert differences(database, truth) == {}


@pytest.mark.parametrize("times", [2, 3])
def test_every_batch_delivered_more_than_once(functions: AppFunctions, database: Path, truth: Path, times: int) -> None:
    feeder = Feeder(functions, batch_size=100)

    for batch in batches(EVENTS):
        for _ in range(times):
            feeder.feed(batch)

    assert differences(database, truth) == {}
    assert counted(database) == {(times * COUNT, (times - 1) * COUNT)}


def batches(events: list[FileEvent], size: int = 100) -> Iterator[list[FileEvent]]:
    for start in range(0, len(events), size):
        yield events[start : start + size]


def counted(database: Path) -> set[tuple[int, int]]:
    partitions = rows_of(database, "hub_partition")
    return {(sum(row[2] for row in partitions), sum(row[3] for row in partitions))}


def test_two_hosts_that_have_the_same_partitions_at_once(functions: AppFunctions, database: Path, truth: Path) -> None:
    hosts = [
        threading.Thread(target=Feeder(functions, batch_size=size, sleep=lambda _: None).feed, args=(EVENTS,))
        for size in (40, 100)
    ]

    for host in hosts:
        host.start()
    for host in hosts:
        host.join()

    assert differences(database, truth) == {}
    assert counted(database) == {(2 * COUNT, COUNT)}


def test_a_hub_whose_clock_jumps(functions: AppFunctions, database: Path, truth: Path) -> None:
    jumps = ["2031-01-01T00:00:00.000Z", "2001-01-01T00:00:00.000Z"]
    events = [
        FileEvent(hub, partition, event._replace(enqueued_at=jumps[number // 50 % 2]))
        for number, (hub, partition, event) in enumerate(EVENTS)
    ]

    Feeder(functions, batch_size=100).feed(events)

    assert {row[0] for row in rows_of(database, "interaction")} == {row[0] for row in rows_of(truth, "interaction")}
    assert len(rows_of(database, "delivery")) == len(rows_of(truth, "delivery"))
    assert counted(database) == {(COUNT, 0)}
