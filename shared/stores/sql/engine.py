"""Database URL -> engine, and the two kinds of transactions on it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from shared.errors import ConfigurationError, StoreUnavailableError
from shared.stores.sql.dialects import DIALECTS, Connecting, dialect_of

__all__ = ["create_engine", "reading", "writing"]

_CONNECT_SECONDS: Final = 15
_BUSY_SECONDS: Final = 30
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
    dialect = DIALECTS.get(backend)
    if dialect is None:
        raise ConfigurationError(f"PROMPTLEDGER_DATABASE must begin with sqlite or mssql+pyodbc, not {backend}")
    how = Connecting(connections, managed, client_id, connect_seconds, busy_seconds, statement_seconds)
    try:
        return dialect.engine(url, how)
    except (ImportError, NoSuchModuleError) as error:
        raise ConfigurationError(f"PROMPTLEDGER_DATABASE needs a driver that is not here: {error}") from error


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
    with (
        _translated(engine),
        engine.execution_options(writes=True, single=single).begin() as connection,
    ):
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Open what only reads: a transaction on SQLite; on Azure SQL, whose transactions hold no snapshot, none.

    Raises:
        StoreRefusedError: the database will not answer until somebody mends it.
        StoreUnavailableError: the database did not answer.
    """
    with _translated(engine), engine.execution_options(single=True).begin() as connection:
        yield connection


@contextmanager
def _translated(engine: Engine) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise dialect_of(engine).meaning(error.orig) from error
    except PoolTimeoutError as error:
        raise StoreUnavailableError("every connection to the database is in use") from error
