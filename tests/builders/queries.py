"""The analysts' T-SQL on SQLite, which takes it but for the declarations and two functions."""

import re
import sqlite3
from pathlib import Path
from typing import Any

__all__ = ["ask", "opened", "run"]

_FOLDER = Path(__file__).parents[2] / "sql" / "queries"
_DAWN = "'2000-01-01'"
_HOUR = r"substr(\1, 1, 13) || ':00:00.000Z'"
"""The hour in which a time lies, as the tests' database writes times."""


def opened(database: str | None) -> sqlite3.Connection:
    """Return a connection that knows the ledger in file `database` as schema `dbo`."""
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    connection.execute("attach ? as dbo", (database,))
    return connection


def run(connection: sqlite3.Connection, name: str, start: str, end: str) -> list[dict[str, Any]]:
    """Return the rows of sql/queries/NAME.sql."""
    return ask(connection, (_FOLDER / f"{name}.sql").read_text(encoding="utf-8"), start, end)


def ask(connection: sqlite3.Connection, script: str, start: str, end: str) -> list[dict[str, Any]]:
    """Return the rows of a query that declares `from` and `to`."""
    statement = re.sub(r"(?m)^declare .*;$", "", script).replace("count_big(", "count(")
    statement = re.sub(rf"dateadd\(hour, datediff\(hour, {_DAWN}, (\w+)\), {_DAWN}\)", _HOUR, statement)
    return [dict(row) for row in connection.execute(statement, {"from": start, "to": end})]
