"""Rows on their way to Azure SQL: one JSON parameter for all of them, read by `openjson` on the server.

A row is an array of its values; its bytes stand in a second parameter, and the row says where. In a statement the rows
are the variable @rows, the bytes @bytes.
"""

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cache
from operator import itemgetter
from typing import Any, Final

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import mssql
from sqlalchemy.types import TypeEngine

from shared.stores.sql.types import EXACT, UtcTime

__all__ = ["LONG_BYTES", "batch_of", "incoming", "is_same", "members_of", "parameters_of", "rows_of", "update_of"]

LONG_BYTES: Final = "promptledger_long_bytes"
"""Execution option: every parameter of the statement is to be sent as varbinary(max)."""

_MSSQL: Final = mssql.dialect()
_WIRE: Final[Mapping[type, Callable[[Any], Any]]] = {
    UtcTime: itemgetter(slice(-1)),  # datetime2 has no zone
    sa.Boolean: int,
}

Columns = tuple[sa.Column[Any], ...]

_WIDEST: Final = 98
"""Columns that one `openjson` reads at most: servers built on PostgreSQL hand 100 arguments to a function, two of
which are the JSON and where to begin."""


def update_of(table: sa.Table, columns: Columns, guard: str) -> str:
    """Return the statement that updates rows of `columns`, of which the primary key and `guard` tell the rows.

    The key that orders the rows is set where it moves alone, in a statement of its own: wherever it is set, the server
    prepares to write every index of each row.
    """
    keys = tuple(table.primary_key)
    placed = _ordering(table)
    moved = [one for one in columns if one in placed and one not in keys]
    before = ""
    if moved:
        sets = ", ".join(f"[{one.name}] = {incoming(one)}" for one in moved)
        differs = " or ".join(f"existing.[{one.name}] <> {incoming(one)}" for one in moved)
        part = _some_of(columns, {*moved, *keys})
        before = (
            f"update existing set {sets} from {table.name} as existing"  # noqa: S608  # names of tables and columns
            f" join {part} on {is_same(keys)} where {differs}; "
        )
    values = [one for one in columns if one not in {*moved, *keys} and one.name != guard]
    changes = ", ".join(f"[{one.name}] = {incoming(one)}" for one in values)
    return (
        f"{before}update existing set {changes}, [{guard}] = existing.[{guard}] + 1"  # noqa: S608  # as above
        f" from {table.name} as existing join {rows_of(columns)} on {is_same((*keys, table.columns[guard]))}"
    )


def _ordering(table: sa.Table) -> set[sa.Column[Any]]:
    """Return the columns in whose order the rows lie, where that is another than of the primary key."""
    clustered = [one for one in table.indexes if one.dialect_options["mssql"]["clustered"]]
    return {column for index in clustered for column in index.columns}


def _some_of(columns: Columns, wanted: Collection[sa.Column[Any]]) -> str:
    """Return the rows with some of their columns, none of which may be a number."""
    direct, _ = _parted(columns)
    read = [part for place, one in enumerate(direct) if one in wanted for part in _wire_columns(one, place)]
    return f"openjson(@rows) with ({', '.join(read)}) as incoming"


def rows_of(columns: Columns) -> str:
    """Return the rows as something to select from or to join."""
    direct, apart = _parted(columns)
    read = f"openjson(@rows) with ({_read(direct)}"
    if not apart:
        return f"{read}) as incoming"
    return (
        f"(select * from {read}, [apart] nvarchar(max) '$[{len(direct)}]') as direct"  # noqa: S608  # names of columns
        f" cross apply openjson(direct.[apart]) with ({_read(apart)}) as apart) as incoming"
    )


@cache
def _parted(columns: Columns) -> tuple[Columns, Columns]:
    """Return the columns that `openjson` reads, and those too many, which stand in a text of JSON, a row's last value.

    These are numbers, which a text of JSON holds as they are.
    """
    numbers = [one for one in columns if isinstance(one.type, sa.Integer | sa.Float | sa.Boolean)]
    wires = sum(len(_wire_columns(one, 0)) for one in columns)
    apart = tuple(numbers[-(wires - _WIDEST + 1) :]) if wires > _WIDEST else ()
    return tuple(one for one in columns if one not in set(apart)), apart


def _read(columns: Columns) -> str:
    return ", ".join(column for place, one in enumerate(columns) for column in _wire_columns(one, place))


def members_of(kind: TypeEngine[Any]) -> str:
    """Return what to select from the JSON array that is the parameter `members`, with the type of its values."""
    name, _, collation = kind.compile(dialect=_MSSQL).partition(" COLLATE ")
    value = f"value collate {collation}" if collation else "value"
    # Typed where it is read: of the untyped form the server expects 4,000 characters a value.
    return f"{value} from openjson(:members) with (value {name.lower()} '$')"


def incoming(column: sa.Column[Any]) -> str:
    """Return a column's value in a row of `rows_of`."""
    name = column.name
    if isinstance(column.type, sa.LargeBinary):
        return f"substring(@bytes, incoming.[{name}_at], incoming.[{name}_size])"
    return f"incoming.[{name}]"


def is_same(columns: Iterable[sa.Column[Any]]) -> str:
    """Return whether a row of the table has the same values in the columns as one of `rows_of`."""
    # Columns read from JSON carry the database's collation; the table's have their own.
    return " and ".join(f"existing.[{one.name}] = incoming.[{one.name}]{_collation(one)}" for one in columns)


@cache
def batch_of(statements: tuple[str, ...]) -> str:
    """Return one batch of T-SQL that runs statements and selects how many rows each affected.

    Its parameters are each statement's rows, and its bytes where it has any.
    """
    declared, run = [], []
    for number, statement in enumerate(statements):
        # Sent as bytes of ASCII, at one byte a character; `openjson` is documented for nvarchar.
        declared.append(f"@rows{number} nvarchar(max) = cast(cast(? as varchar(max)) as nvarchar(max))")
        if "@bytes" in statement:
            declared.append(f"@bytes{number} varbinary(max) = ?")
        declared.append(f"@count{number} int")
        numbered = statement.replace("@rows", f"@rows{number}").replace("@bytes", f"@bytes{number}")
        run.append(f"{numbered}; set @count{number} = @@rowcount;")
    counts = ", ".join(f"@count{number} as count{number}" for number in range(len(statements)))
    # A first result other than the last `select` would hide the errors behind it from the driver; and
    # an error ends the batch at once. Both settings end with the batch.
    return (
        f"set nocount on; set xact_abort on; declare {', '.join(declared)}; {' '.join(run)}"
        f" set nocount off; set xact_abort off; select {counts}"
    )


def parameters_of(columns: Columns, rows: Iterable[tuple[Any, ...]]) -> tuple[bytes, ...]:
    """Return rows as a JSON array of arrays, in ASCII; and the bytes in them, one after the other."""
    changed = [(place, _WIRE[kind]) for place, kind in _wired(columns) if kind in _WIRE]
    binary = [place for place, kind in _wired(columns) if kind is sa.LargeBinary]
    bodies: list[bytes] = []
    length = 0
    sent = []
    for values in rows:
        row = list(values)
        for place, change in changed:
            if row[place] is not None:
                row[place] = change(row[place])
        for place in binary:
            if (body := row[place]) is not None:
                bodies.append(body)
                row[place] = [length + 1, len(body)]
                length += len(body)
        sent.append(row)
    direct, apart = _parted(columns)
    if apart:
        place_of = {column: place for place, column in enumerate(columns)}
        held, texts = (itemgetter(*(place_of[one] for one in some)) for some in (direct, apart))
        sent = [[*held(row), orjson.dumps([texts(row)]).decode()] for row in sent]
    text = orjson.dumps(sent)
    if not text.isascii():
        text = json.dumps(sent, separators=(",", ":")).encode()
    return (text, b"".join(bodies)) if binary else (text,)


@cache
def _wired(columns: Columns) -> tuple[tuple[int, type], ...]:
    """Return the columns whose values JSON cannot hold as they are: place and kind."""
    kinds = (sa.LargeBinary, UtcTime, sa.Boolean)
    return tuple(
        (place, kind) for place, column in enumerate(columns) for kind in kinds if isinstance(column.type, kind)
    )


def _collation(column: sa.Column[Any]) -> str:
    return f" collate {EXACT}" if "COLLATE" in column.type.compile(dialect=_MSSQL) else ""


def _wire_columns(column: sa.Column[Any], place: int) -> list[str]:
    name = column.name
    if isinstance(column.type, sa.LargeBinary):
        return [f"[{name}_at] int '$[{place}][0]'", f"[{name}_size] int '$[{place}][1]'"]
    kind = column.type.compile(dialect=_MSSQL).split(" COLLATE ")[0].lower()
    return [f"[{name}] {kind} '$[{place}]'"]
