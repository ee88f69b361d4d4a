"""Databases for tests: a new SQLite file, or the SQL Server that the environment names."""

import os
import tempfile
from functools import cache
from pathlib import Path

import pytest
from sqlalchemy import MetaData, Table, text
from sqlalchemy.engine import Engine
from sqlalchemy.schema import DropTable

from shared.stores.sql.engine import create_engine
from shared.stores.sql.migrate import upgrade

__all__ = ["TEST_MSSQL", "emptied_mssql", "empty_mssql", "memory_folder", "named_server", "new_sqlite"]

_VERSION = "alembic_version"
TEST_MSSQL = "PROMPTLEDGER_TEST_MSSQL"
"""Names a server, as a SQLAlchemy URL, whose database the tests may empty."""


@cache
def _migrated() -> bytes:
    # Migrating costs more than most tests: one file is migrated and then copied.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "migrated.db"
        upgrade(f"sqlite:///{path}")
        return path.read_bytes()


def new_sqlite(folder: Path) -> Engine:
    """Return an engine on a new, migrated database file in `folder`."""
    path = folder / "ledger.db"
    path.write_bytes(_migrated())
    return create_engine(f"sqlite:///{path}")


def memory_folder() -> tempfile.TemporaryDirectory[str]:
    """Return a temporary folder in memory where the system has one: property tests commit thousands of times."""
    shared_memory = Path("/dev/shm")  # noqa: S108  # only as the parent of a folder of our own
    return tempfile.TemporaryDirectory(dir=shared_memory if shared_memory.is_dir() else None)


def emptied_mssql(url: str) -> str:
    """Drop all views and tables of the named server's database, those of older revisions too; return its URL."""
    engine = create_engine(url)
    with engine.begin() as connection:
        for name in connection.scalars(text("select name from sys.views where schema_id = schema_id('dbo')")).all():
            connection.execute(text(f"drop view dbo.[{name}]"))
        for name in connection.scalars(text("select name from sys.tables")).all():
            connection.execute(DropTable(Table(name, MetaData()), if_exists=True))
    engine.dispose()
    return url


def empty_mssql(url: str) -> Engine:
    """Return an engine on the named server's database, whose tables are those of the newest revision, without a row."""
    engine = create_engine(url)
    with engine.begin() as connection:
        names = set(connection.scalars(text("select name from sys.tables")).all())
        is_newest = _VERSION in names and connection.scalar(text(f"select version_num from {_VERSION}")) == _newest()
        for name in names - {_VERSION} if is_newest else ():
            # Migrating costs many times what emptying does, and every test begins with one of them.
            connection.execute(text(f"delete from [{name}]"))
    if not is_newest:
        upgrade(emptied_mssql(url))
    return engine


@cache
def _newest() -> str:
    with tempfile.TemporaryDirectory() as folder:
        engine = new_sqlite(Path(folder))
        with engine.connect() as connection:
            version = connection.scalar(text(f"select version_num from {_VERSION}"))
        engine.dispose()
    return str(version)


def named_server() -> str:
    """Return the URL of the server to test against, or skip the test visibly."""
    url = os.environ.get(TEST_MSSQL, "")
    if not url:
        pytest.skip(f"{TEST_MSSQL} names no server")
    return url
