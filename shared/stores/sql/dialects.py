"""What SQLite and Azure SQL do in ways of their own, side by side. Nothing else asks which of the two it talks to.

To this seam belong the column types (`types`), the codes of errors (`faults`), how Azure SQL is connected to
(`azure_sql`) and how rows travel to it (`openjson`).

Names of tables and columns are the product's own constants; every value is bound. Hence the S608s.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from decimal import Decimal
from functools import cache
from typing import Any, Final, NamedTuple, Protocol

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.engine import URL, Connection, Engine

from shared.errors import StoreUnavailableError
from shared.stores.sql import faults, openjson
from shared.stores.sql.azure_sql import azure_sql_engine, entra_credential
from shared.stores.sql.fts5 import Fts5
from shared.stores.sql.full_text import AzureFullText, FullText
from shared.stores.sql.openjson import LONG_BYTES, batch_of, incoming, is_same, members_of, parameters_of, rows_of
from shared.stores.sql.types import Money, Quantity

__all__ = [
    "AZURE_SQL",
    "DIALECTS",
    "SQLITE",
    "TSQL_URL",
    "Connecting",
    "Dialect",
    "Values",
    "Write",
    "by_index",
    "by_key",
    "by_value",
    "dialect_of",
    "keys_of",
    "names_of",
]

TSQL_URL: Final = "mssql+pyodbc://"
"""No database: what is rendered for it is T-SQL."""

_PRAGMAS: Final = (
    "page_size=4096",  # of a new file: a random key renews a page, in the log and in the file
    "journal_mode=WAL",
    "synchronous=FULL",
    "wal_autocheckpoint=8000",  # pages: those that one batch after the other changes are copied back once
    "cache_size=-65536",  # KiB
)
_MONEY: Final = Money()
_MEMBERS: Final = sa.bindparam("members", type_=sa.UnicodeText())

Values = tuple[Any, ...]
"""A row as its values, in the order of the table's columns; numbers that the database hands out are left out."""


class Connecting(NamedTuple):
    """How an engine connects; see `shared.stores.sql.engine.create_engine`."""

    connections: int
    managed: bool
    client_id: str | None
    connect_seconds: int
    busy_seconds: int
    statement_seconds: int


class Write(NamedTuple):
    """A statement over many rows."""

    statement: str
    columns: tuple[sa.Column[Any], ...]
    """What the rows state, in this order."""
    rows: Sequence[Values]
    key: Callable[[Values], Any]
    """Returns what tells a row's primary key; of a row without all of it, the row itself."""
    guarded: bool
    """Whether each row must be there as it was read."""


class Dialect(Hashable, Protocol):
    """A database's ways. Statements over many rows are made for `run`, of rows in the order of the names given."""

    has_options: bool
    """Whether the scripts in sql/options are for it."""
    writes_all: bool
    """Whether an update may name columns that stay as they are: no index is touched by that."""

    words: FullText
    """How words are found."""

    def engine(self, url: URL, how: Connecting) -> Engine:
        """Return an engine; nothing is connected yet.

        Raises:
            ConfigurationError: the URL lacks something.
            ImportError: there is no driver.
        """

    def aside(self, url: URL) -> URL | None:
        """Return a database for what cannot wait for the one writer of this one, None where it has many."""

    def meaning(self, error: BaseException | None) -> StoreUnavailableError:
        """Return the error to raise for one of the driver's; its text, which may quote a row, is left out."""

    def look(self, connection: Connection, statement: sa.CompoundSelect[Any]) -> Sequence[sa.Row[Any]]:
        """Return what the first entries of some indexes tell; nothing where it knows how common values are."""

    def members(self, kind: sa.types.TypeEngine[Any]) -> sa.Select[Any] | sa.TextualSelect:
        """Return a subquery of the values that are the JSON array `members`, a parameter."""

    def amount(self, amount: Decimal, kind: Money | Quantity = _MONEY) -> int | str:
        """Return an amount, or a quantity, as a row of `run` states it."""

    def insert(self, table: sa.Table, *, skip_existing: bool) -> str:
        """Return the statement that inserts rows of `names_of(table)`; or those whose key is not there yet."""

    def update(self, table: sa.Table, values: tuple[str, ...], guard: str) -> str:
        """Return the statement that sets `values`, counts `guard` up; of rows with `values`, primary key and guard."""

    def combine(self, table: sa.Table, formulas: tuple[tuple[str, str], ...]) -> str:
        """Return the statement that sets columns by formulas over `existing` and `incoming`, rows of `names_of`."""

    def add(self, table: sa.Table, columns: tuple[str, ...]) -> str | None:
        """Return the statement that adds to `columns` of rows, or inserts them; None where that takes two."""

    def delete(self, table: sa.Table, names: tuple[str, ...]) -> str:
        """Return the statement that deletes the rows that have the same values in `names`."""

    def run(self, connection: Connection, writes: Sequence[Write]) -> Iterator[int]:
        """Do writes in their order; yield how many rows each affected, when it is done."""


class _Sqlite:
    """SQLite has no turns: one prepared statement runs over the rows, at half the cost of `json_each`."""

    has_options = False
    writes_all = False
    words: FullText = Fts5()

    def engine(self, url: URL, how: Connecting) -> Engine:
        in_memory = url.database in {None, "", ":memory:"}
        pool: dict[str, int] = {} if in_memory else {"pool_size": how.connections, "max_overflow": 0}
        patience = {} if "timeout" in url.query else {"timeout": how.busy_seconds}
        engine = sa.create_engine(url, connect_args=patience, **pool)
        engine.dialect.statement_compiler = _SqliteCompiler

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

    def aside(self, url: URL) -> URL | None:
        return None if url.database in {None, "", ":memory:"} else url.set(database=f"{url.database}-reads")

    def meaning(self, error: BaseException | None) -> StoreUnavailableError:
        return faults.of_sqlite(error)

    def look(self, connection: Connection, statement: sa.CompoundSelect[Any]) -> Sequence[sa.Row[Any]]:
        return connection.execute(statement).all()

    def members(self, kind: sa.types.TypeEngine[Any]) -> sa.Select[Any]:
        del kind  # SQLite has no types that two texts, or two numbers, could differ in.
        return sa.select(sa.func.json_each(_MEMBERS).table_valued("value").c.value)

    def amount(self, amount: Decimal, kind: Money | Quantity = _MONEY) -> int | str:
        return kind.in_last_digits(amount)

    def insert(self, table: sa.Table, *, skip_existing: bool) -> str:
        names = names_of(table)
        # Not `insert or ignore`: that would also pass over a row that lacks a value it must have.
        skipped = " on conflict do nothing" if skip_existing else ""
        return f"insert into {table.name} ({', '.join(names)}) values ({', '.join('?' * len(names))}){skipped}"  # noqa: S608

    def update(self, table: sa.Table, values: tuple[str, ...], guard: str) -> str:
        changes = "".join(f"{name} = ?, " for name in values)
        same = _is_equal((*keys_of(table), guard))
        return f"update {table.name} set {changes}{guard} = {guard} + 1 where {same}"  # noqa: S608

    def combine(self, table: sa.Table, formulas: tuple[tuple[str, str], ...]) -> str:
        row = ", ".join(f"? as {name}" for name in names_of(table))
        same = " and ".join(f"existing.{name} = incoming.{name}" for name in keys_of(table))
        return f"update {table.name} as existing set {_set(formulas)} from (select {row}) as incoming where {same}"  # noqa: S608

    def add(self, table: sa.Table, columns: tuple[str, ...]) -> str | None:
        added = ", ".join(f"{name} = {name} + excluded.{name}" for name in columns)
        inserted = self.insert(table, skip_existing=False)
        return f"{inserted} on conflict ({', '.join(keys_of(table))}) do update set {added}"

    def delete(self, table: sa.Table, names: tuple[str, ...]) -> str:
        return f"delete from {table.name} where {_is_equal(names)}"  # noqa: S608

    def run(self, connection: Connection, writes: Sequence[Write]) -> Iterator[int]:
        for write in writes:
            rows = list(write.rows)
            yield connection.exec_driver_sql(write.statement, rows).rowcount if rows else 0


class _SqliteCompiler(SQLiteCompiler):
    def get_from_hint_text(self, table: object, text: str | None) -> str | None:
        del table
        return text  # SQLAlchemy leaves it out, as it does not know SQLite's


class _AzureSql:
    """Azure SQL gets the writes of a transaction as one batch of T-SQL: one turn, whatever the size."""

    has_options = True
    writes_all = True  # so that the text of a batch is always the same
    words: FullText = AzureFullText()

    def engine(self, url: URL, how: Connecting) -> Engine:
        return azure_sql_engine(
            url,
            connections=how.connections,
            credential=lambda: entra_credential(managed=how.managed, client_id=how.client_id),
            connect_seconds=how.connect_seconds,
            statement_seconds=how.statement_seconds,
        )

    def aside(self, url: URL) -> URL | None:
        del url  # others write other rows
        return None

    def meaning(self, error: BaseException | None) -> StoreUnavailableError:
        return faults.of_sql_server(error)

    def look(self, connection: Connection, statement: sa.CompoundSelect[Any]) -> Sequence[sa.Row[Any]]:
        del connection, statement  # its statistics hold the commonest values of each index
        return ()

    def members(self, kind: sa.types.TypeEngine[Any]) -> sa.TextualSelect:
        return sa.text(f"select {members_of(kind)}").bindparams(_MEMBERS).columns(sa.column("value", kind))

    def amount(self, amount: Decimal, kind: Money | Quantity = _MONEY) -> int | str:
        del kind  # the column rounds nothing: rows have no more places than it
        return f"{amount:f}"  # JSON's numbers are binary to some readers

    def insert(self, table: sa.Table, *, skip_existing: bool) -> str:
        columns = _columns(table, names_of(table))
        same = is_same(table.primary_key)
        missing = f" where not exists (select 1 from {table.name} as existing where {same})"  # noqa: S608
        return (
            f"insert into {table.name} ({', '.join(f'[{one.name}]' for one in columns)})"  # noqa: S608
            f" select {', '.join(map(incoming, columns))} from {rows_of(columns)}{missing if skip_existing else ''}"
        )

    def update(self, table: sa.Table, values: tuple[str, ...], guard: str) -> str:
        return openjson.update_of(table, _columns(table, (*values, *keys_of(table), guard)), guard)

    def combine(self, table: sa.Table, formulas: tuple[tuple[str, str], ...]) -> str:
        joined = f"{rows_of(_columns(table, names_of(table)))} on {is_same(table.primary_key)}"
        return f"update existing set {_set(formulas)} from {table.name} as existing join {joined}"  # noqa: S608

    def add(self, table: sa.Table, columns: tuple[str, ...]) -> str | None:
        del table, columns  # `merge` is not for plain servers, nor safe without locks.
        return None

    def delete(self, table: sa.Table, names: tuple[str, ...]) -> str:
        columns = _columns(table, names)
        return f"delete existing from {table.name} as existing join {rows_of(columns)} on {is_same(columns)}"

    def run(self, connection: Connection, writes: Sequence[Write]) -> Iterator[int]:
        # In the order of their keys, so that two batches lock what both of them touch in the same order.
        parameters = tuple(
            sent for write in writes for sent in parameters_of(write.columns, sorted(write.rows, key=write.key))
        )
        # Those without rows go too: so the text is always the same, and the server has one plan for it.
        text = batch_of(tuple(write.statement for write in writes))
        yield from connection.exec_driver_sql(text, parameters, execution_options={LONG_BYTES: True}).one()


SQLITE: Final[Dialect] = _Sqlite()
AZURE_SQL: Final[Dialect] = _AzureSql()
DIALECTS: Final = {"sqlite": SQLITE, "mssql": AZURE_SQL}
"""By SQLAlchemy's name."""


def dialect_of(bound: Connection | Engine) -> Dialect:
    """Return the ways of the database that a connection or an engine belongs to."""
    return DIALECTS[bound.dialect.name]


def by_index(statement: sa.Select[Any], table: sa.FromClause, index: str) -> sa.Select[Any]:
    """Return a statement whose rows of `table` SQLite finds by this index, or refuses to."""
    return statement.with_hint(table, f"indexed by {index}", "sqlite")


def by_key(statement: sa.Select[Any], table: sa.FromClause) -> sa.Select[Any]:
    """Return a statement whose rows of `table` SQLite finds by the primary key, whatever else it could go by."""
    return statement.with_hint(table, f"indexed by sqlite_autoindex_{table.description}_1", "sqlite")


def by_value(statement: sa.Select[Any]) -> sa.Select[Any]:
    """Return a statement for which SQL Server makes a plan of its own for the values of each time."""
    return statement.with_statement_hint("option (recompile)", "mssql")


@cache
def names_of(table: sa.Table) -> tuple[str, ...]:
    """Return the columns that we give a value."""
    return tuple(column.name for column in table.columns if column.identity is None and column.computed is None)


@cache
def keys_of(table: sa.Table) -> tuple[str, ...]:
    """Return the columns of the primary key."""
    return tuple(column.name for column in table.primary_key)


def _columns(table: sa.Table, names: Iterable[str]) -> tuple[sa.Column[Any], ...]:
    return tuple(table.columns[name] for name in names)


def _is_equal(names: Iterable[str]) -> str:
    return " and ".join(f"{name} = ?" for name in names)


def _set(formulas: Iterable[tuple[str, str]]) -> str:
    return ", ".join(f"{name} = {formula}" for name, formula in formulas)
