"""Database URL -> engine: SQLite embedded, or Azure SQL through pyodbc with an Entra token."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from shared.errors import ConfigurationError, ConflictError, StoreUnavailableError

__all__ = ["create_engine", "reading", "writing"]

_BUSY_SECONDS = 30
_CACHE_KIB = 64 * 1024
_ACCESS_TOKEN = 1256
"""SQL_COPT_SS_ACCESS_TOKEN of the Microsoft ODBC driver."""
_TOKEN_SCOPE = "https://database.windows.net/.default"  # noqa: S105  # a scope, not a secret


def create_engine(database_url: str) -> Engine:
    """Return an engine for the ledger; nothing is connected yet.

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
            return _sqlite(url)
        if backend == "mssql":
            return _mssql(url)
    except (ImportError, NoSuchModuleError) as error:
        raise ConfigurationError(f"PROMPTLEDGER_DATABASE needs a driver that is not here: {error}") from error
    raise ConfigurationError(f"PROMPTLEDGER_DATABASE must begin with sqlite or mssql+pyodbc, not {backend}")


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Open a transaction that will write; commit on leaving, roll back on an exception.

    Raises:
        ConflictError: another transaction wrote one of the same rows first.
        StoreUnavailableError: the database did not do it. Nothing was written.
    """
    with _translated(), engine.execution_options(writes=True).begin() as connection:
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Open a transaction that only reads.

    Raises:
        StoreUnavailableError: the database did not answer.
    """
    with _translated(), engine.begin() as connection:
        yield connection


@contextmanager
def _translated() -> Iterator[None]:
    # The driver's text may quote values of the row, so only its class goes into our message.
    try:
        yield
    except IntegrityError as error:
        raise ConflictError("another transaction wrote one of the same rows first") from error
    except DBAPIError as error:
        raise StoreUnavailableError(f"the database did not do it: {_said(error.orig)}") from error
    except PoolTimeoutError as error:
        raise StoreUnavailableError("every connection to the database is in use") from error


def _said(error: BaseException | None) -> str:
    # SQLite's operational errors speak of files, locks and tables, never of rows: "database or disk is full".
    name = type(error).__name__
    is_harmless = name == "OperationalError" and type(error).__module__ == "sqlite3"
    return f"{name}: {error}" if is_harmless else name


def _sqlite(url: URL) -> Engine:
    engine = sa.create_engine(url, connect_args={"timeout": _BUSY_SECONDS})

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: object) -> None:  # noqa: ANN401  # DBAPI connections have no type
        # Transactions are begun below, by their purpose; sqlite3's own guessing is switched off.
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", f"cache_size=-{_CACHE_KIB}"):
            connection.execute(f"pragma {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A writer takes the lock at once: upgrading from read to write can fail half-way, waiting cannot.
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("begin immediate" if writes else "begin")

    return engine


def _mssql(url: URL) -> Engine:
    engine = sa.create_engine(url, pool_pre_ping=True)
    if url.username or {"Authentication", "Trusted_Connection"} & set(url.query):
        return engine

    from azure.identity import DefaultAzureCredential  # noqa: PLC0415  # heavy, and only Azure SQL needs it

    credential = DefaultAzureCredential()

    @event.listens_for(engine, "do_connect")
    def _sign_in(_dialect: object, _record: object, _args: object, options: dict[str, Any]) -> None:
        token = credential.get_token(_TOKEN_SCOPE).token.encode("utf-16-le")
        options["attrs_before"] = {_ACCESS_TOKEN: struct.pack(f"<I{len(token)}s", len(token), token)}

    return engine
