"""A ledger as a release before would have left it: the rows of one of today, in the tables of an older revision."""

import sqlite3
from contextlib import closing
from pathlib import Path

from shared.stores.sql.migrate import upgrade

__all__ = ["make_older"]


def make_older(path: Path, revision: str, *, of: Path) -> None:
    """Make a ledger at an older revision with all that its tables can hold of a ledger of today."""
    upgrade(f"sqlite:///{path}", revision)
    with closing(sqlite3.connect(path)) as ledger, ledger:
        ledger.execute("attach database ? as newer", [str(of)])
        tables = [
            name
            for (name,) in ledger.execute(
                "select name from main.sqlite_master where type = 'table' and sql not like '%virtual%'"
                " and name in (select name from newer.sqlite_master where type = 'table') and name not like 'sqlite%'"
            )
            if name != "alembic_version"
        ]
        for table in tables:
            there = {row[1] for row in ledger.execute(f"pragma newer.table_info({table})")}
            names = ", ".join(row[1] for row in ledger.execute(f"pragma main.table_info({table})") if row[1] in there)
            ledger.execute(f"delete from main.{table}")
            ledger.execute(f"insert into main.{table} ({names}) select {names} from newer.{table}")
