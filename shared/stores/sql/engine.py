"""Database URL -> engine: SQLite embedded, or Azure SQL; and the two kinds of transactions on it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from shared.errors import ConfigurationError, StoreUnavailableError
from shared.stores.sql.azure_sql import azure_sql_engine, entra_credential
from shared.stores.sql.faults import meaning

__all__ = ["create_engine", "reading", "writing"]

_CONNECT_SECONDS: Final = 15
_BUSY_SECONDS: Final = 30
_PRAGMAS: Final = (
    "page_size=8192",  # of a new file: bodies take several pages of the usual size
    "journal_mode=WAL",
    "synchronous=FULL",
    "wal_autocheckpoint=4000",  # pages: those that one batch after the other changes are copied back once
    "cache_size=-65536",  # KiB
)
_CONNECTIONS: Final = 16
_STATEMENT_SECONDS: Final = 120
"""Longer than any statement of the app should take: a server that hangs must not hold a thread for ever."""


def create_engine(
    database_url: str,
    *,
    connections: int = _CONNECTIONS,
    managed: bool = False,
    client_id: str | None = None,
    connect_seconds: int = _CONNECT_SECONDS,
    busy_seconds: int = _BUSY_SECONDS,
    statement_seconds: int = _STATEMENT_SECONDS,
) -> Engine:
    """Return an engine for the ledger; nothing is connected yet.

    Args:
        database_url: a SQLAlchemy URL.
        connections: the most that may be open at one time.
        managed: whether the identity that signs in to Azure SQL is Azure's managed one.
        client_id: of that identity, where it is a user-assigned one.
        connect_seconds: after which a connection to Azure SQL, its token included, is given up.
        busy_seconds: after which another writer's lock on SQLite is waited for no more.
        statement_seconds: after which Azure SQL is to give a statement up; 0 waits for ever.

    Raises:
        ConfigurationError: the URL cannot be read, or names a database that is neither of the two.
    """
    try:
        url = make_url(database_url)
    except ArgumentError as error:
        raise ConfigurationError("PROMPTLEDGER_DATABASE is not a SQLAlchemy URL") from error
    backend = url.get_backend_name()
    try:
        if backend == "sqlite":
            return _sqlite(url, connections, busy_seconds)
        if backend == "mssql":
            return azure_sql_engine(
                url,
                connections=connections,
                credential=lambda: entra_credential(managed=managed, client_id=client_id),
                connect_seconds=connect_seconds,
                statement_seconds=statement_seconds,
            )
    except (ImportError, NoSuchModuleError) as error:
        raise ConfigurationError(f"PROMPTLEDGER_DATABASE needs a driver that is not here: {error}") from error
    raise ConfigurationError(f"PROMPTLEDGER_DATABASE must begin with sqlite or mssql+pyodbc, not {backend}")


@contextmanager
def writing(engine: Engine, *, single: bool = False) -> Iterator[Connection]:
    """Open a transaction that will write; commit on leaving, roll back on an exception.

    Args:
        engine: of the database.
        single: that one statement will run, which needs no begin and commit on Azure SQL.

    Raises:
        ConflictError: another transaction wrote one of the same rows first. Nothing was written.
        StoreRefusedError: the database will not do it until somebody mends it. Nothing was written.
        StoreUnavailableError: the database did not do it. Nothing was written; or all was, if the
            connection was lost while committing.
    """
    with _translated(), engine.execution_options(writes=True, single=single).begin() as connection:
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Open what only reads: a transaction on SQLite; on Azure SQL, whose transactions hold no snapshot, none.

    Raises:
        StoreRefusedError: the database will not answer until somebody mends it.
        StoreUnavailableError: the database did not answer.
    """
    with _translated(), engine.execution_options(single=True).begin() as connection:
        yield connection


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise meaning(error) from error
    except PoolTimeoutError as error:
        raise StoreUnavailableError("every connection to the database is in use") from error


def _sqlite(url: URL, connections: int, busy_seconds: int) -> Engine:
    in_memory = url.database in {None, "", ":memory:"}
    pool: dict[str, int] = {} if in_memory else {"pool_size": connections, "max_overflow": 0}
    patience = {} if "timeout" in url.query else {"timeout": busy_seconds}
    engine = sa.create_engine(url, connect_args=patience, **pool)

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: object) -> None:  # noqa: ANN401  # DBAPI connections have no type
        # Transactions are begun below, by their purpose; sqlite3's own guessing is switched off.
        connection.isolation_level = None
        for pragma in _PRAGMAS:
            connection.execute(f"pragma {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A writer takes the lock at once: upgrading from read to write can fail half-way, waiting cannot.
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("begin immediate" if writes else "begin")

    return engine
