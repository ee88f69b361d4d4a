"""What SQLite's own errors become: files that are locked, full, read-only, damaged or gone."""

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from shared.errors import ConflictError, StoreRefusedError, StoreUnavailableError
from shared.services.ingest import IngestOutcome, ingest
from shared.stores.sql import faults, tables
from shared.stores.sql.content import SqlContentStore
from shared.stores.sql.engine import create_engine, reading, writing
from shared.stores.sql.ledger import SqlLedger
from tests.builders import events
from tests.builders.databases import new_sqlite


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = new_sqlite(tmp_path)
    yield engine
    engine.dispose()


def take_lease(engine: Engine, name: str | None = "a") -> None:
    with writing(engine) as connection:
        connection.execute(sa.insert(tables.lease).values(name=name, taken=1))


def told(engine: Engine, text: str = "Hi") -> IngestOutcome:
    asked = events.a_request(body={"messages": [{"role": "user", "content": text}]})
    pair = events.deliveries(asked, events.a_response())
    return ingest(pair, ledger=SqlLedger(engine), content=SqlContentStore(engine))


def limited(engine: Engine, pages: int | None) -> None:
    """Bound the size of the file for every connection: the disk's end, as SQLite sees it."""
    engine.dispose()

    @sa.event.listens_for(engine, "connect")
    def _limit(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute(f"pragma max_page_count={pages or 1_000_000}")


def test_a_key_that_is_taken_is_a_conflict(engine: Engine) -> None:
    take_lease(engine)

    with pytest.raises(ConflictError):
        take_lease(engine)


def test_a_row_that_lacks_a_value_is_refused_and_no_conflict(engine: Engine) -> None:
    with pytest.raises(StoreRefusedError, match="SQLITE_CONSTRAINT_NOTNULL"):
        take_lease(engine, None)


def test_a_table_that_is_not_there_is_refused_and_says_what_to_do(engine: Engine) -> None:
    with pytest.raises(StoreRefusedError, match="run the migrations"), reading(engine) as connection:
        connection.exec_driver_sql("select * from nowhere")


@pytest.mark.usefixtures("engine")
def test_a_file_that_somebody_locks_is_unavailable(tmp_path: Path) -> None:
    impatient = create_engine(f"sqlite:///{tmp_path / 'ledger.db'}?timeout=0")
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as other:
        other.execute("begin immediate")

        with pytest.raises(StoreUnavailableError, match=r"the lock for too long \(SQLITE_BUSY\)") as raised:
            take_lease(impatient)

    impatient.dispose()
    assert type(raised.value) is StoreUnavailableError


def test_a_lock_that_goes_away_in_time_costs_nothing_but_time(
    tmp_path: Path, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    engine.dispose()
    waiting = create_engine(f"sqlite:///{tmp_path / 'ledger.db'}?timeout=0")
    with closing(sqlite3.connect(tmp_path / "ledger.db", check_same_thread=False)) as other:
        other.execute("begin immediate")
        let_go = threading.Timer(0.5, other.rollback)
        let_go.start()

        outcome = told(waiting)

        let_go.join()
    waiting.dispose()
    assert outcome.stored == 2
    assert "store.retry attempt=1" in caplog.text


def test_a_disk_without_room_is_refused_and_loses_nothing(engine: Engine) -> None:
    with engine.connect() as connection:
        pages = connection.exec_driver_sql("pragma page_count").scalar_one()
    limited(engine, pages)

    long = os.urandom(100_000).hex()

    with pytest.raises(StoreRefusedError, match=r"^the database refuses: the disk has no room left \(SQLITE_FULL\)$"):
        told(engine, long)
    with engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(tables.interaction)) == 0

    limited(engine, None)
    assert told(engine, long).stored == 2


def test_a_read_only_database_is_refused_and_loses_nothing(engine: Engine, tmp_path: Path) -> None:
    url = f"sqlite:///file:{tmp_path / 'ledger.db'}?mode=ro&uri=true"
    with engine.connect() as connection:  # keeps the files that a reader needs
        connection.exec_driver_sql("select 1")
        read_only = sa.create_engine(url)

        with pytest.raises(StoreRefusedError, match=r"it is read-only \(SQLITE_READONLY"):
            told(read_only)

        read_only.dispose()
    assert told(engine).stored == 2


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        pytest.param(lambda path: path.write_bytes(b"no database" * 1000), "its file is no database", id="no database"),
        pytest.param(lambda path: path.write_bytes(b""), "run the migrations", id="empty"),
    ],
)
def test_a_file_that_is_spoilt_is_refused(tmp_path: Path, spoil: Callable[[Path], object], words: str) -> None:
    path = tmp_path / "spoilt.db"
    spoil(path)
    engine = create_engine(f"sqlite:///{path}")

    with pytest.raises(StoreRefusedError, match=words):
        told(engine)

    engine.dispose()


def test_a_folder_that_is_gone_is_unavailable(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'gone' / 'ledger.db'}")

    with pytest.raises(StoreUnavailableError, match=r"the file cannot be opened \(SQLITE_CANTOPEN\)"):
        take_lease(engine)


def test_no_number_is_in_two_tables() -> None:
    numbers = [*faults.TRANSIENT, *faults.CONFLICTS, *faults.REFUSALS]

    assert len(numbers) == len(set(numbers))
    assert not set(faults.TRANSIENT_STATES) & set(faults.REFUSED_STATES)


@pytest.mark.parametrize(
    ("state", "text", "kind"),
    [
        ("08S01", "[08S01] [MS]TCP Provider: Error code 0x68 (104) (SQLExecDirectW)", StoreUnavailableError),
        ("42000", "[42000] [MS][SQL Server]ORDER BY items must appear (104) (SQLExecDirectW)", StoreRefusedError),
        ("HYT00", "[HYT00] [MS]Login timeout expired (0) (SQLDriverConnect)", StoreUnavailableError),
        ("40001", "[40001] [MS][SQL Server]was deadlocked (1205) (SQLExecDirectW); [01000] more (3621)", ConflictError),
        ("23000", "[23000] [MS][SQL Server]value is (x (40613)). (2627) (SQLExecDirectW)", ConflictError),
        ("23000", "[23000] [MS][SQL Server]Cannot insert NULL (515) (SQLExecDirectW)", StoreRefusedError),
        ("08001", "[08001] [MS]Login (4060) (SQLDriverConnect); [08001] [MS]Client unable (0)", StoreUnavailableError),
        ("42000", "[42000] [MS][SQL Server]Login failed. (18456) (SQLDriverConnect)", StoreRefusedError),
        ("IM002", "[IM002] [unixODBC]Data source name not found (0) (SQLDriverConnect)", StoreRefusedError),
        ("", "", StoreRefusedError),
    ],
)
def test_the_drivers_own_texts_are_read_by_their_codes(state: str, text: str, kind: type[Exception]) -> None:
    error = faults.of_sql_server(Exception(state, text))

    assert type(error) is kind
    assert "[" not in str(error)
