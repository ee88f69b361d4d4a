"""Column types that mean the same in SQLite and in Azure SQL, and where each keeps rows in order."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    CHAR,
    BigInteger,
    Boolean,
    Float,
    Integer,
    LargeBinary,
    Numeric,
    String,
    Unicode,
    UnicodeText,
)
from sqlalchemy import text as literally
from sqlalchemy.dialects import mssql
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

from shared.domain.values import utc_of

__all__ = [
    "BLOB",
    "BY_KEY",
    "CLUSTERED",
    "COUNT",
    "EXACT",
    "FLAG",
    "JSON_TEXT",
    "NOT_CLUSTERED",
    "NUMBER",
    "SERIAL",
    "ByteLength",
    "Money",
    "PlaceOf",
    "Quantity",
    "UtcTime",
    "exact_text",
    "including",
    "text",
    "where",
    "where_on_sqlite",
]

# Case counts in ids, and SQL Server's default collations would not see it.
EXACT = "Latin1_General_100_BIN2"

COUNT = BigInteger()
# SQLite hands out numbers only to a key that is spelt INTEGER.
SERIAL = BigInteger().with_variant(Integer(), "sqlite")
NUMBER = Float(53)
FLAG = Boolean(create_constraint=False)
BLOB = LargeBinary().with_variant(mssql.VARBINARY("max"), "mssql")
JSON_TEXT = UnicodeText().with_variant(mssql.NVARCHAR(None), "mssql")

# Options of a key or an index, and of a table: in which order the rows lie. SQL Server's are clustered by their primary
# key unless another index is; SQLite's lie in the order of their numbers unless the table is kept by its key.
CLUSTERED: dict[str, Any] = {"mssql_clustered": True}
NOT_CLUSTERED: dict[str, Any] = {"mssql_clustered": False}
BY_KEY: dict[str, Any] = {"sqlite_with_rowid": False}


def including(*columns: str) -> dict[str, Any]:
    """Return the options of an index whose entries hold further columns; SQLite reads the row for them."""
    return {"mssql_include": [*columns]}


def where(condition: str) -> dict[str, Any]:
    """Return the options of an index that holds the rows of a condition alone."""
    return {"mssql_where": literally(condition), **where_on_sqlite(condition)}


def where_on_sqlite(condition: str) -> dict[str, Any]:
    """Return the options of an index that holds the rows of a condition alone, on SQLite: on SQL Server all."""
    return {"sqlite_where": literally(condition)}


def text(limit: int) -> TypeEngine[str]:
    """Return a text column type of at most `limit` UTF-16 units, compared as the database does."""
    return Unicode(limit)


def exact_text(limit: int) -> TypeEngine[str]:
    """Return a text column type for identifiers: compared by code point, in both databases."""
    return Unicode(limit).with_variant(mssql.NVARCHAR(limit, collation=EXACT), "mssql")


class UtcTime(TypeDecorator[str]):
    """A canonical UTC time text in Python; datetime2(3) in Azure SQL, the text itself in SQLite."""

    impl = CHAR(24)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the column's type."""
        if dialect.name == "mssql":
            return dialect.type_descriptor(mssql.DATETIME2(3))
        return dialect.type_descriptor(String(24))

    def process_bind_param(self, value: str | None, dialect: Dialect) -> Any:  # noqa: ANN401  # two drivers, two types
        """Give the driver what it stores."""
        if value is None or dialect.name != "mssql":
            return value
        return datetime.fromisoformat(value).replace(tzinfo=None)

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ANN401  # two drivers, two types
        """Give the canonical text, whatever the driver returned."""
        return utc_of(value) if isinstance(value, datetime) else value


class _Decimals(TypeDecorator[Decimal]):
    """A decimal in Python; decimal(38, places) in Azure SQL.

    SQLite has no decimals, and its own are binary: it holds whole numbers of the last digit, below 2 to the 63rd in a
    row or a sum. Above that it refuses: it never rounds.
    """

    impl = Numeric
    cache_ok = True
    places: int

    def __init__(self) -> None:
        """Hold so many places behind the point as the class says."""
        super().__init__(38, self.places)

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the column's type."""
        if dialect.name == "mssql":
            return dialect.type_descriptor(Numeric(38, self.places))
        return dialect.type_descriptor(BigInteger())

    def in_last_digits(self, number: Decimal) -> int:
        """Return how many of the last digit a number is: what SQLite holds of it."""
        return int(number.scaleb(self.places))

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:  # noqa: ANN401  # two drivers, two types
        """Give the driver what it stores."""
        return value if value is None or dialect.name == "mssql" else self.in_last_digits(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:  # noqa: ANN401  # two drivers, two types
        """Give the decimal, whatever the driver returned."""
        if value is None:
            return None
        return Decimal(value) if dialect.name == "mssql" else Decimal(value).scaleb(-self.places)


class Money(_Decimals):
    """An amount: tokens times a price to six places, by the million, are exact.

    On SQLite up to 9 million units of a currency.
    """

    places = 12
    cache_ok = True


class Quantity(_Decimals):
    """How many units: of seconds, parts too. On SQLite up to 9 million millions."""

    places = 6
    cache_ok = True


class ByteLength(FunctionElement[int]):
    """How many bytes a text has, where that makes a difference: SQL Server's `=` does not see blanks at its end."""

    inherit_cache = True
    type = Integer()


@compiles(ByteLength, "sqlite")
def _where_equal_is_exact(_element: ByteLength, _compiler: SQLCompiler, **_options: Any) -> str:  # noqa: ANN401  # SQLAlchemy's
    return "0"


@compiles(ByteLength, "mssql")
def _on_sql_server(element: ByteLength, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401  # as above
    # Not `len`, which leaves the blanks out as well.
    return f"datalength({compiler.process(element.clauses, **options)})"


class PlaceOf(FunctionElement[int]):
    """Where in a text another begins, letter by letter, from 1; 0: nowhere. SQLite's `like` does not know capitals."""

    inherit_cache = True
    type = Integer()


@compiles(PlaceOf, "sqlite")
def _in_sqlite(element: PlaceOf, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401  # as above
    return f"instr({compiler.process(element.clauses, **options)})"


@compiles(PlaceOf, "mssql")
def _in_sql_server(element: PlaceOf, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401  # as above
    text, part = (compiler.process(one, **options) for one in element.clauses)
    return f"charindex({part}, {text})"
