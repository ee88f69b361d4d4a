"""What a batch costs between the app and Azure SQL, through Microsoft's own driver: turns and bytes.

A stand-in answers on the wire and counts (tests/builders/tds.py): each message of the client is a turn.
"""

import json
import random
import re
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import Engine, make_url

from shared.services.ingest import ingest
from shared.stores.sql.azure_sql import azure_sql_engine
from shared.stores.sql.content import SqlContentStore
from shared.stores.sql.engine import reading, writing
from shared.stores.sql.ledger import SqlLedger
from tests.builders import events
from tests.builders.tds import Answer, Counts, Fault, TdsServer, serving
from tests.builders.tsql import use_ledger

pyodbc = pytest.importorskip("pyodbc", reason="the system's unixODBC is not here", exc_type=ImportError)

_MOST_TURNS = 12
_MOST_SENT = 1.5
"""Bytes sent for each byte of the batch's events."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[TdsServer]:
    """A database that holds nothing: a write affects all its rows, a question finds none."""

    def answer(statement: str) -> Answer:
        if "@count0" in statement:
            declared = re.findall(r"@(rows|bytes)\d+ \w+\(max\) =", statement)
            sent = zip(declared, running.parameters[-1], strict=True)
            return Counts([len(json.loads(value)) for kind, value in sent if kind == "rows"])
        return [] if "SELECT" in statement and "DELETE" not in statement else 1

    with serving(tmp_path, answer) as running:
        yield running


@pytest.fixture
def engine(server: TdsServer) -> Iterator[Engine]:
    url = make_url(f"mssql+pyodbc://app:pass@127.0.0.1:{server.port}/ledger?TrustServerCertificate=yes")
    made = azure_sql_engine(url, connections=2, credential=NotImplemented, statement_seconds=10)
    with reading(made) as connection:
        connection.exec_driver_sql("SELECT ledger")  # and whatever driver and SQLAlchemy ask at first
    server.received.clear()
    server.statements.clear()
    yield made
    made.dispose()


def batch(calls: int, text: str = "What is two and two?") -> list[bytes]:
    """Return the events of calls, of which one waits for its other part; and one that cannot be read."""
    body = {"messages": [{"role": "user", "content": text}]}
    requests = [events.a_request(f"call-{number}", body=body) for number in range(calls)]
    return [*requests, *(events.a_response(f"call-{number}") for number in range(calls - 1)), events.poison()]


def stored(engine: Engine, bodies: list[bytes]) -> None:
    ingest(events.deliveries(*bodies), ledger=SqlLedger(engine), content=SqlContentStore(engine))


def noise(length: int) -> str:
    """Return a text that compresses no better than what a text can hold at random."""
    return b64encode(random.Random(7).randbytes(length * 3 // 4)).decode()


def test_a_batch_takes_at_most_twelve_turns(server: TdsServer, engine: Engine) -> None:
    stored(engine, batch(128))

    assert len(server.received) <= _MOST_TURNS


def test_a_second_batch_takes_no_more_turns_for_what_the_first_left_prepared(server: TdsServer, engine: Engine) -> None:
    stored(engine, batch(128))
    first = len(server.received)
    stored(engine, batch(128))

    assert len(server.received) == 2 * first


@pytest.mark.parametrize("text", [noise(40_000), noise(4_000), "Größe, Länge, 四 und fünf: " * 50])
def test_less_than_half_as_much_again_is_sent_as_the_events_hold(text: str, server: TdsServer, engine: Engine) -> None:
    bodies = batch(128, text)

    stored(engine, bodies)

    assert sum(server.received) <= _MOST_SENT * sum(map(len, bodies))


def test_all_that_a_batch_writes_goes_in_one_turn(server: TdsServer, engine: Engine) -> None:
    use_ledger(SqlLedger(engine))

    writes = [statement for statement in server.statements if "insert into interaction" in statement]
    tables = ["interaction", "alias", "delivery", "waiting", "quarantine", "dirty_hour", "claim", "hub_partition"]
    assert len(writes) == 1
    assert [table for table in tables if f"insert into {table} " not in writes[0]] == []


def test_one_statement_is_one_turn(server: TdsServer, engine: Engine) -> None:
    with reading(engine) as connection:
        connection.exec_driver_sql("SELECT ledger where a = ?", ("x",)).all()
    with writing(engine, single=True) as connection:
        connection.exec_driver_sql("update ledger set a = ?", ("x",))

    assert len(server.received) == 2
    assert server.in_transaction[-2:] == [False, False]


def test_several_statements_are_one_transaction(server: TdsServer, engine: Engine) -> None:
    with writing(engine) as connection:
        connection.exec_driver_sql("update ledger set a = ?", ("x",))
        connection.exec_driver_sql("update ledger set b = ?", ("x",))

    assert server.in_transaction[-2:] == [True, True]
    assert len(server.received) == 4


def test_a_cursor_whose_statement_failed_is_not_used_again(server: TdsServer, engine: Engine) -> None:
    told: list[Answer] = [Fault(1205), 3]
    server.answer = lambda _: told.pop(0)
    with pytest.raises(Exception, match="1205"), writing(engine, single=True) as connection:
        connection.exec_driver_sql("update ledger set a = ?", ("x",))

    with writing(engine, single=True) as connection:
        counted = connection.exec_driver_sql("update ledger set a = ?", ("y",)).rowcount

    assert counted == 3


def test_what_nobody_read_does_not_stand_in_the_way_of_the_next_statement(server: TdsServer, engine: Engine) -> None:
    server.answer = lambda _: [f"row {number}" for number in range(2000)]

    with reading(engine) as connection:
        first = connection.exec_driver_sql("SELECT ledger where a = ?", ("x",)).first()
        again = connection.exec_driver_sql("SELECT ledger where a = ?", ("y",)).all()

    assert first == ("row 0",)
    assert len(again) == 2000


def test_a_connection_keeps_no_more_cursors_than_it_needs(server: TdsServer, engine: Engine) -> None:
    with reading(engine) as connection:
        for number in range(100):
            connection.exec_driver_sql(f"SELECT ledger where a = ? -- {number}", ("x",)).all()
        closed = len(server.received) - 100

    assert closed == 100 - 32
