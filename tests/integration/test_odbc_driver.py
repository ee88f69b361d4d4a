"""Microsoft's own driver, loaded and talking: how we sign in, what it sends, and what its errors become.

A stand-in answers on the wire (tests/builders/tds.py); what a statement means only a real server knows.
"""

import json
import logging
import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError
from sqlalchemy.engine import Engine, make_url

from shared.errors import ConflictError, StoreRefusedError, StoreUnavailableError
from shared.retry import retried
from shared.stores.ports import ContentDocument
from shared.stores.sql import faults, tables
from shared.stores.sql.audit import interaction_statement
from shared.stores.sql.azure_sql import azure_sql_engine
from shared.stores.sql.content import SqlContentStore
from shared.stores.sql.engine import reading, writing
from shared.stores.sql.migrate import apply_options
from tests.builders.tds import Answer, Counts, Fault, Hang, Several, Silence, TdsServer, serving

pyodbc = pytest.importorskip("pyodbc", reason="the system's unixODBC is not here", exc_type=ImportError)


class Credential:
    """Hands out a new token each time."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def get_token(self, *scopes: str, **_: object) -> AccessToken:
        self.asked += scopes
        return AccessToken(f"secret-{len(self.asked)}", 2_000_000_000)


class NoCredential:
    def get_token(self, *scopes: str, **_: object) -> AccessToken:
        raise ClientAuthenticationError(f"no identity for {scopes}")


class Script:
    """What the server answers: to any statement, or as often as it is told, something else."""

    def __init__(self) -> None:
        self.answer: Answer = 0
        self.first: list[Answer] = []

    def __call__(self, _statement: str) -> Answer:
        return self.first.pop(0) if self.first else self.answer


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def server(tmp_path: Path, script: Script) -> Iterator[TdsServer]:
    with serving(tmp_path, script) as running:
        yield running


@pytest.fixture
def connect(server: TdsServer) -> Iterator[Callable[..., Engine]]:
    engines: list[Engine] = []

    def new(user: str = "", credential: Callable[[], Any] = Credential, **options: str) -> Engine:
        query = {"TrustServerCertificate": "yes"} | options
        url = make_url(f"mssql+pyodbc://{user}127.0.0.1:{server.port}/ledger").update_query_dict(query)
        engines.append(azure_sql_engine(url, connections=2, credential=credential, statement_seconds=1))
        return engines[-1]

    yield new
    for engine in engines:
        engine.dispose()


def ask(engine: Engine) -> None:
    with reading(engine) as connection:
        connection.exec_driver_sql("select ledger")


def sent(server: TdsServer, what: str) -> str:
    return next(statement for statement in server.statements if what in statement)


def test_the_driver_signs_in_with_the_token_and_nothing_else(server: TdsServer, connect: Callable[..., Engine]) -> None:
    credential = Credential()

    ask(connect(credential=lambda: credential))

    assert server.tokens == ["secret-1"]
    assert credential.asked == ["https://database.windows.net/.default"]


def test_texts_are_declared_as_their_columns_are_however_long_they_are(
    server: TdsServer, connect: Callable[..., Engine]
) -> None:
    engine, column = connect(), tables.interaction.c.user_id
    texts = ("a", "user-17", "x" * 128, "x" * 129, "x" * 4_001)

    for text in texts:
        with reading(engine) as connection:
            connection.execute(sa.select(sa.literal("ledger")).where(column == text))

    declared = [re.findall(r"@P2 (\w+\(\w+\))", one) for one in server.statements if "user_id" in one]
    assert [kind for (kind,) in declared] == [*["nvarchar(128)"] * 3, "nvarchar(4000)", "nvarchar(max)"]


def test_several_texts_are_declared_as_their_column_is(server: TdsServer, connect: Callable[..., Engine]) -> None:
    with reading(connect()) as connection:
        connection.execute(interaction_statement("call-1", ["response-id:a", "response-id:bc"]))

    declared = sent(server, "alias.name").partition("\n")[0]
    assert declared == "@P1 nvarchar(128),@P2 nvarchar(160),@P3 nvarchar(160)"


def test_every_new_connection_asks_for_a_token_and_a_pooled_one_does_not(
    server: TdsServer, connect: Callable[..., Engine]
) -> None:
    engine = connect()
    ask(engine)
    ask(engine)
    with engine.connect(), engine.connect():
        pass

    assert server.tokens == ["secret-1", "secret-2"]


def test_a_password_in_the_url_asks_for_no_token(server: TdsServer, connect: Callable[..., Engine]) -> None:
    credential = Credential()

    ask(connect("sa:pass@", credential=lambda: credential))

    assert server.tokens == [None]
    assert credential.asked == []


def test_no_token_is_told_without_the_texts_of_the_identity_service(connect: Callable[..., Engine]) -> None:
    with pytest.raises(StoreUnavailableError, match=r"^no Entra token for the database: ClientAuthenticationError$"):
        ask(connect(credential=NoCredential))


def test_the_token_is_in_no_log_and_no_error(
    script: Script, connect: Callable[..., Engine], caplog: pytest.LogCaptureFixture
) -> None:
    script.answer = Fault(40613)
    engine = connect()

    with caplog.at_level(logging.DEBUG), pytest.raises(StoreUnavailableError) as raised:
        ask(engine)

    assert "secret" not in caplog.text
    assert "secret" not in repr(raised.value.__cause__)
    assert "secret" not in repr(engine.url)


def test_a_certificate_that_nobody_vouches_for_is_refused(connect: Callable[..., Engine]) -> None:
    with pytest.raises(StoreUnavailableError, match="no connection could be made"):
        ask(connect(TrustServerCertificate="no"))


def test_the_rows_of_a_batch_go_as_one_parameter_and_their_bytes_as_another(
    server: TdsServer, script: Script, connect: Callable[..., Engine]
) -> None:
    engine = connect()
    ask(engine)
    script.answer = Counts([50])

    SqlContentStore(engine).put([ContentDocument(f"call-{number}", "Q:1", bytes(range(256))) for number in range(50)])

    rows, packed = server.parameters[-1]
    assert server.statements[-1].startswith("@P1 varbinary(max),@P2 varbinary(max)\nset nocount on;")
    assert [row[0] for row in json.loads(rows)] == sorted(f"call-{number}" for number in range(50))
    assert len(packed) < 50 * (256 + 20)


def test_ids_that_are_looked_up_go_as_one_parameter_of_any_length(
    server: TdsServer, script: Script, connect: Callable[..., Engine]
) -> None:
    script.answer = []
    store = SqlContentStore(connect())

    store.get([f"call-{number}" for number in range(1000)])

    statement = sent(server, "openjson")
    assert "@P1 nvarchar(max)" in statement
    assert "@P2" not in statement


def test_the_rows_affected_come_back(script: Script, connect: Callable[..., Engine]) -> None:
    script.answer = 7

    with writing(connect()) as connection:
        counted = connection.execute(sa.text("update ledger set a = :a"), {"a": "x"}).rowcount

    assert counted == 7


def test_options_are_turned_on_outside_a_transaction_and_work_is_done_within_one(
    server: TdsServer, connect: Callable[..., Engine]
) -> None:
    engine = connect()

    apply_options(engine, ["fulltext"])
    with writing(engine) as connection:
        connection.exec_driver_sql("update ledger set a = 1")

    sent = dict(zip(server.statements, server.in_transaction, strict=True))
    options = [is_open for statement, is_open in sent.items() if "create fulltext" in statement]
    assert len(options) == 3
    assert not any(options)
    assert sent["update ledger set a = 1"]


def test_an_option_whose_script_fails_half_way_is_an_error(script: Script, connect: Callable[..., Engine]) -> None:
    engine = connect()
    ask(engine)
    script.answer = Several([3, Fault(3701), 0])

    with pytest.raises(pyodbc.Error, match="3701"):
        apply_options(engine, ["ledger"])


@pytest.mark.parametrize("number", faults.TRANSIENT)
def test_what_may_pass_is_unavailable(number: int, script: Script, connect: Callable[..., Engine]) -> None:
    script.answer = Fault(number, "caller (2627) (SQLx)")

    with pytest.raises(StoreUnavailableError, match=rf"\({number}\)$") as raised:
        ask(connect())

    assert type(raised.value) is StoreUnavailableError
    assert "caller" not in str(raised.value)


@pytest.mark.parametrize("number", faults.CONFLICTS)
def test_another_writer_was_first(number: int, script: Script, connect: Callable[..., Engine]) -> None:
    script.answer = Fault(number, "The duplicate key value is (caller (40613) (SQLx)).")

    with pytest.raises(ConflictError, match=rf"\({number}\)$"):
        ask(connect())


@pytest.mark.parametrize("number", [*faults.REFUSALS, 102, 50000])
def test_what_somebody_must_mend_is_refused(number: int, script: Script, connect: Callable[..., Engine]) -> None:
    script.answer = Fault(number)

    with pytest.raises(StoreRefusedError, match=str(number)):
        ask(connect())


@pytest.mark.parametrize("number", [4060, 18456, 40615, 40613])
def test_a_login_that_fails_is_told_by_its_number(
    number: int, server: TdsServer, connect: Callable[..., Engine]
) -> None:
    server.login = lambda: Fault(number, "Login failed for user 'x'.", severity=14)
    kind = StoreRefusedError if number in faults.REFUSALS else StoreUnavailableError

    with pytest.raises(StoreUnavailableError, match=str(number)) as raised:
        ask(connect())

    assert type(raised.value) is kind


def test_a_connection_lost_in_the_middle_is_unavailable_and_the_work_is_done_on_a_new_one(
    server: TdsServer, script: Script, connect: Callable[..., Engine]
) -> None:
    engine = connect()
    ask(engine)
    script.first = [Hang()]
    with pytest.raises(StoreUnavailableError):
        ask(engine)

    script.first = [Hang(), Fault(40501), Fault(1205)]
    retried(lambda: ask(engine), sleep=lambda _: None)

    assert len([statement for statement in server.statements if "select ledger" in statement]) == 6
    assert len(server.tokens) == 3


def test_a_server_that_hangs_is_given_up(script: Script, connect: Callable[..., Engine]) -> None:
    script.answer = Silence()

    with pytest.raises(StoreUnavailableError, match=r"a time-out ran out \(HYT00\)$"):
        ask(connect())


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    engine = azure_sql_engine(make_url(f"mssql+pyodbc://127.0.0.1:{port}/ledger"), connections=1, credential=Credential)

    with pytest.raises(StoreUnavailableError) as raised:
        ask(engine)

    assert re.search(r"\((111|10061|08001|HYT00)\)$", str(raised.value))


def test_a_driver_that_is_not_there_is_refused() -> None:
    url = make_url("mssql+pyodbc://127.0.0.1/ledger?driver=No+Such+Driver")

    with pytest.raises(StoreRefusedError, match="the ODBC driver"):
        ask(azure_sql_engine(url, connections=1, credential=Credential))
